"""A correct OAuth client, as verbs that checks use."""

from __future__ import annotations

from oauth_litmus.client.target import Target
from oauth_litmus.http.wire import Gate
from oauth_litmus.oauth.authorization import Attempt, AuthorizationRequest, Code, Tokens
from oauth_litmus.oauth.clients import REDIRECT_URI, Client

__all__ = ["REDIRECT_URI", "Attempt", "AuthorizationRequest", "Client", "Code", "Gate", "Target", "Tokens"]
