"""An authorization request (OAuth 2.1 section 4.1.1)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from oauth_litmus.oauth.pkce import new_verifier, s256

if TYPE_CHECKING:
    from oauth_litmus.oauth.clients import Client


@dataclass(frozen=True)
class AuthorizationRequest:
    """One authorization request. `lands_at` are the URIs to which the server may send the response."""

    client: Client
    parameters: tuple[tuple[str, str], ...]
    code_verifier: str
    lands_at: tuple[str, ...]

    @classmethod
    def of(
        cls,
        client: Client,
        *,
        scope: str | None,
        resource: str | None,
        code_verifier: str | None = None,
        redirect_uri: str | None = None,
    ) -> AuthorizationRequest:
        """Make a correct request (OAuth 2.1 section 4.1.1) with a fresh PKCE pair and state."""
        verifier = code_verifier or new_verifier()
        parameters = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": redirect_uri or client.redirect_uri,
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
            "state": secrets.token_urlsafe(24),
        }
        if scope:
            parameters["scope"] = scope
        if resource:
            parameters["resource"] = resource
        return cls(client, tuple(parameters.items()), verifier, client.redirect_uris)

    def get(self, name: str) -> str | None:
        """Return the first value of a parameter; None if it is absent."""
        return next((value for key, value in self.parameters if key == name), None)

    def but(self, **changes: str | None) -> AuthorizationRequest:
        """Return a copy with these parameters changed, added, or left out (None)."""
        kept = [(key, changes.get(key, value)) for key, value in self.parameters]
        added = [(key, value) for key, value in changes.items() if self.get(key) is None]
        return replace(self, parameters=tuple((key, value) for key, value in [*kept, *added] if value is not None))

    def adding(self, *pairs: tuple[str, str]) -> AuthorizationRequest:
        """Return a copy with further parameters, which may repeat existing ones."""
        return replace(self, parameters=(*self.parameters, *pairs))

    def landing_at(self, *uris: str) -> AuthorizationRequest:
        """Return a copy whose response may also be sent to these URIs."""
        return replace(self, lands_at=(*self.lands_at, *uris))

    def url(self, endpoint: str) -> str:
        """Return the URL that the browser opens first."""
        separator = "&" if urlsplit(endpoint).query else "?"
        return f"{endpoint}{separator}{urlencode(self.parameters)}"
