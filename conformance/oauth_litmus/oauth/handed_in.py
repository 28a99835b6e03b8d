"""An access token that the operator got elsewhere and hands in, where the suite cannot log in."""

from __future__ import annotations

from dataclasses import dataclass, field

from oauth_litmus.oauth.jwts import claims_of


@dataclass(frozen=True)
class HandedIn:
    """As much of a token response as the checks of the protected resource look at."""

    access_token: str = field(repr=False)
    granted_scope: str | None = None
    """Nobody said what it is good for."""

    @property
    def claims(self) -> dict[str, object]:
        """The claims of the access token, unverified; empty if it is no JWT."""
        return claims_of(self.access_token)
