"""Grants: codes and the tokens of a login."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.oauth.authorization_request import AuthorizationRequest
from oauth_litmus.oauth.jwts import claims_of, scopes_in
from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer, AuthorizationResponse
    from oauth_litmus.oauth.clients import Client

_LONGEST_LIFETIME = 1e11
"""Seconds; a longer lifetime is ignored, because no clock here can represent its end."""


@dataclass(frozen=True)
class Code:
    """An authorization code with the data that is needed to redeem it."""

    value: str
    client: Client
    request: AuthorizationRequest
    response: AuthorizationResponse
    attempt: Attempt
    issued_after: float
    """When the request that issued the code was sent; the code is at most as old as this."""
    issued_before: float

    @property
    def code_verifier(self) -> str:
        """The `code_verifier` of this login."""
        return self.request.code_verifier

    @property
    def redirect_uri(self) -> str:
        """The redirect URI of this login."""
        return self.request.get("redirect_uri") or self.client.redirect_uri


@dataclass(frozen=True)
class Tokens:
    """A token response, with the client and scope of its request."""

    access_token: str
    refresh_token: str | None
    client: Client
    answer: Answer
    requested_scope: str | None
    granted_scope: str | None
    """The scope that the response names, or else the requested scope (OAuth 2.1 section 3.2.3)."""

    @property
    def expires_in(self) -> float | None:
        """The lifetime of the access token in seconds, as the response says; None if it does not say."""
        value = self.answer.json_object().get("expires_in")
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        # Treat a huge number as absent: the suite cannot calculate with it.
        return float(value) if abs(value) < _LONGEST_LIFETIME else None

    @property
    def ends_at(self) -> float:
        """When the access token expires, by `expires_in`, or else by its `exp` claim; in Unix seconds.

        Raises:
            Skipped: the response has neither.
        """
        if self.expires_in is not None:
            return self.answer.received_at + self.expires_in
        exp = self.claims.get("exp")
        if not isinstance(exp, int | float) or isinstance(exp, bool) or not abs(exp) < _LONGEST_LIFETIME:
            raise Skipped("neither expires_in nor the access token says when the token expires")
        return float(exp)

    @property
    def scopes(self) -> frozenset[str]:
        """The granted scopes as a set; their order has no meaning."""
        return frozenset((self.granted_scope or "").split())

    @property
    def disclosed_scopes(self) -> frozenset[str] | None:
        """The scopes that the response itself names; None if it has no `scope`."""
        value = self.answer.json_object().get("scope")
        return frozenset(value.split()) if isinstance(value, str) else None

    @property
    def claims(self) -> dict[str, object]:
        """The claims of the access token, unverified; empty if the token is not a JWT."""
        return claims_of(self.access_token)

    @property
    def claimed_scopes(self) -> frozenset[str] | None:
        """The scopes in the claims of the access token; None if it has none or is not a JWT."""
        return scopes_in(self.claims)
