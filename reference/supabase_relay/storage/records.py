"""What the store holds, as types: parsed once when it is read, then trusted."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A hash of the store; members that are None are not written."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_hash(self) -> dict[str, str]:
        """The fields as the store keeps them."""
        members = self.model_dump(exclude_none=True)
        return {name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in members.items()}

    @classmethod
    def from_hash(cls, fields: Mapping[str, str]) -> Self | None:
        """The record that was written, or None where there is none."""
        return cls.model_validate(fields) if fields else None


class Client(BaseModel):
    """A registered client (RFC 7591). Times are Unix seconds; the secret is known by its hash alone."""

    model_config = ConfigDict(frozen=True)

    client_id: str
    client_name: str | None = None
    redirect_uris: tuple[str, ...]
    scope: tuple[str, ...]
    token_endpoint_auth_method: str
    secret_hash: str | None = None
    issued_at: float
    expires_at: float

    @property
    def is_public(self) -> bool:
        """Whether the client has no credentials (OAuth 2.1 section 2.1)."""
        return self.token_endpoint_auth_method == "none"


class PendingLogin(Record):
    """An authorization request whose user is on the way to Supabase and back."""

    client_id: str
    redirect_uri: str
    scope: str
    resource: str
    client_state: str | None = None
    code_challenge: str
    upstream_verifier: str
    upstream_challenge: str
    expires_at: float
    browser: str | None = None
    approved: bool = False


class Code(Record):
    """An authorization code; `spent_for` names the redemption that spent it."""

    secret_hash: str
    client_id: str
    redirect_uri: str
    code_challenge: str
    expires_at: float
    spent_for: str | None = None

    @property
    def is_spent(self) -> bool:
        """Whether the code was redeemed already."""
        return self.spent_for is not None


class Family(Record):
    """One login and everything issued from it; `upstream` holds Supabase's tokens, sealed."""

    client_id: str
    subject: str
    scope: str
    resource: str
    session_id: str
    upstream: str
    revoked: bool = False


class RefreshToken(Record):
    """One generation of a family's refresh token; rotated ones stay, so that their reuse is seen."""

    expires_at: float
    rotated_at: float | None = None
    lease: str | None = None
    leased_until: float | None = None


class AccessGrant(Record):
    """What an access token was issued for; times are Unix seconds."""

    client_id: str
    subject: str
    scope: str
    resource: str
    expires_at: float


class UpstreamTokens(BaseModel):
    """Supabase's tokens of one session; sealed before they are stored."""

    access_token: str
    refresh_token: str
    expires_at: float


class IssuedTokens(BaseModel):
    """The tokens of an answer of the token endpoint; `expires_at` is the access token's, in Unix seconds."""

    access_token: str
    refresh_token: str
    expires_at: float
