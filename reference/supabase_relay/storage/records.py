"""Types of the stored records, validated once when they are read."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A record kept as a hash; members that are None are not written."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def to_hash(self) -> dict[str, str]:
        """Return the fields as strings, as the store keeps them."""
        members = self.model_dump(exclude_none=True)
        return {name: str(int(value)) if isinstance(value, bool) else str(value) for name, value in members.items()}

    @classmethod
    def from_hash(cls, fields: Mapping[str, str]) -> Self | None:
        """Read a record from its fields; None if there are none."""
        return cls.model_validate(fields) if fields else None


class Client(BaseModel):
    """A registered client (RFC 7591). Times are Unix seconds; only the hash of the secret is stored."""

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
    """An accepted authorization request whose user has not finished the login at Supabase."""

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
    """An authorization code; `spent_for` is the hash of the refresh token that it was exchanged for."""

    secret_hash: str
    client_id: str
    redirect_uri: str
    code_challenge: str
    expires_at: float
    spent_for: str | None = None

    @property
    def is_spent(self) -> bool:
        """Whether the code was redeemed."""
        return self.spent_for is not None


class Family(Record):
    """One login, to which all tokens issued from it belong; `upstream` has Supabase's tokens, encrypted."""

    client_id: str
    subject: str
    scope: str
    resource: str
    session_id: str
    upstream: str
    revoked: bool = False


class RefreshToken(Record):
    """One generation of a family's refresh token; rotated ones stay stored, so that the relay detects their reuse."""

    expires_at: float
    rotated_at: float | None = None
    lease: str | None = None
    leased_until: float | None = None


class AccessGrant(Record):
    """The grant behind an access token; times are Unix seconds."""

    client_id: str
    subject: str
    scope: str
    resource: str
    expires_at: float


class UpstreamTokens(BaseModel):
    """Supabase's tokens of one session; encrypted before they are stored."""

    access_token: str
    refresh_token: str
    expires_at: float


class IssuedTokens(BaseModel):
    """The tokens in an answer of the token endpoint; `expires_at` is the access token's, in Unix seconds."""

    access_token: str
    refresh_token: str
    expires_at: float
