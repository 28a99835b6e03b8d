"""A correct OAuth client, as verbs that checks use."""

from __future__ import annotations

from oauth_litmus.client.target import Target
from oauth_litmus.http.wire import Gate
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.oauth.authorization_request import AuthorizationRequest
from oauth_litmus.oauth.clients import REDIRECT_URI, Client
from oauth_litmus.oauth.grants import Code, Tokens

__all__ = ["REDIRECT_URI", "Attempt", "AuthorizationRequest", "Client", "Code", "Gate", "Target", "Tokens"]
