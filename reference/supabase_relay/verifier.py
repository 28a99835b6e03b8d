"""Token verification at the resource: first signature and claims, then deny-list and grant in one round trip."""

from collections.abc import Sequence
from dataclasses import dataclass

from supabase_relay.access_tokens import AccessTokens, CheckedToken
from supabase_relay.errors import BadToken
from supabase_relay.opaque_tokens import hash_of
from supabase_relay.storage.grants import AccessState, Grants


@dataclass(frozen=True)
class Access:
    """The subject, client and scopes of a verified token; a foreign Supabase token has no client."""

    subject: str
    client_id: str | None
    scopes: tuple[str, ...]


class Verifier:
    """Decide whether an access token is valid for the protected resource."""

    def __init__(
        self, access_tokens: AccessTokens, grants: Grants, *, foreign_scopes: Sequence[str] | None, resource: str
    ) -> None:
        self._access_tokens = access_tokens
        self._grants = grants
        self._foreign_scopes = foreign_scopes
        self._resource = resource

    async def verify(self, token: str) -> Access:
        """Return the access that a token gives; raises `BadToken`, or `UpstreamUnavailable` if the keys are unavailable."""
        checked = await self._access_tokens.check(token)
        state = await self._grants.read_access(checked.family, hash_of("access", token))
        self.refuse_denied(state)
        self.refuse_revoked(state)
        return self.access_of(checked, state)

    def refuse_denied(self, state: AccessState) -> None:
        """Refuse an access token that a client revoked on its own (RFC 7009)."""
        if state.denied:
            raise BadToken("denied")

    def refuse_revoked(self, state: AccessState) -> None:
        """Refuse a token whose family was revoked."""
        if state.family is not None and state.family.revoked:
            raise BadToken("revoked")

    def access_of(self, checked: CheckedToken, state: AccessState) -> Access:
        """Return the access that the token was issued for; a token without a grant is foreign."""
        if state.grant is None:
            return self.admit_foreign(checked)
        if state.family is None or state.grant.resource != self._resource:
            raise BadToken("unknown")
        return Access(checked.subject, state.grant.client_id, tuple(state.grant.scope.split()))

    def admit_foreign(self, checked: CheckedToken) -> Access:
        """Accept a Supabase token that this relay did not issue, but only if the operator has enabled it."""
        if self._foreign_scopes is None:
            raise BadToken("foreign")
        return Access(checked.subject, None, tuple(self._foreign_scopes))
