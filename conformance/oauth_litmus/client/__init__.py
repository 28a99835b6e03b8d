"""A correct OAuth client as verbs: what a check holds in its hand. Each verb does one thing right; a check makes it deviate."""

from __future__ import annotations

from oauth_litmus.client.bursts import BurstVerbs
from oauth_litmus.http.wire import Gate
from oauth_litmus.oauth.authorization import Attempt, AuthorizationRequest, Code, Tokens
from oauth_litmus.oauth.clients import REDIRECT_URI, Client

__all__ = ["REDIRECT_URI", "Attempt", "AuthorizationRequest", "Client", "Code", "Gate", "Target", "Tokens"]


class Target(BurstVerbs):
    """The server under test, in the hand of one check."""
