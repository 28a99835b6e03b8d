"""An access token that the operator provides because the suite cannot log in."""

from __future__ import annotations

from dataclasses import dataclass, field

from oauth_litmus.oauth.jwts import claims_of


@dataclass(frozen=True)
class HandedIn:
    """The part of a token response that the checks of the protected resource use."""

    access_token: str = field(repr=False)
    granted_scope: str | None = None
    """Always None: the scope of the provided token is unknown."""

    @property
    def claims(self) -> dict[str, object]:
        """The claims of the access token, unverified; empty if the token is not a JWT."""
        return claims_of(self.access_token)
