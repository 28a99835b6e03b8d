"""Stored grants: codes, refresh tokens, access tokens, and the family to which they belong."""

from dataclasses import dataclass
from typing import Literal, cast

from supabase_relay.opaque_tokens import OpaqueToken, hash_of
from supabase_relay.storage import keys
from supabase_relay.storage.connection import BROOM, Connection, Value, milliseconds
from supabase_relay.storage.records import AccessGrant, Code, Family, RefreshToken

Spending = Literal["spent", "replayed", "missing", "revoked", "denied"]
Claim = Literal["claimed", "busy", "rotated", "revoked", "missing"]
Commit = Literal["rotated", "lost", "revoked", "denied"]


@dataclass(frozen=True)
class Issue:
    """The tokens that one answer of the token endpoint issues, as the store records them; times are Unix seconds."""

    access_token_hash: str
    grant: AccessGrant
    refresh_token: OpaqueToken
    refresh_expires_at: float
    upstream: str
    now: float
    family_lifetime: float
    """How long the store keeps the family, in seconds: until its last token cannot be accepted any more."""


@dataclass(frozen=True)
class StoredAnswer:
    """The encrypted answer to a rotation, and its scope."""

    answer: str
    scope: str


@dataclass(frozen=True)
class AccessState:
    """The stored state of an access token, read in one round trip."""

    grant: AccessGrant | None
    denied: bool
    family: Family | None


class Grants:
    """Operations on grants; each operation that changes data is one script on one slot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def issue_code(self, code: OpaqueToken, record: Code, family: Family, lifetime: float) -> bool:
        """Create a family and its code; False if Supabase's session already has a family."""
        start, record_fields = _flat(family.to_hash()), _flat(record.to_hash())
        answer = await self._connection.run(
            "issue_code",
            [keys.family(code.family), keys.code(code.family)],
            [milliseconds(lifetime + BROOM), len(start), *start, *record_fields],
        )
        return answer == ["issued"]

    async def find_code(self, code: OpaqueToken) -> tuple[Code, Family] | None:
        """Return the code and its family, even if the code is spent or expired: the caller checks that."""
        found = await self._connection.read_hashes(keys.code(code.family), keys.family(code.family))
        record, family = Code.from_hash(found[0]), Family.from_hash(found[1])
        if record is None or family is None or record.secret_hash != hash_of("code", code):
            return None
        return record, family

    async def spend_code(self, code: OpaqueToken, issue: Issue) -> tuple[Spending, str]:
        """Spend the code and record the issued tokens in one atomic step.

        Returns the outcome and the scope that the access token has in the store.
        """
        family = code.family
        refresh_hash = hash_of("refresh", issue.refresh_token)
        answer = await self._connection.run(
            "spend_code",
            [
                keys.code(family),
                keys.family(family),
                keys.refresh_token(family, refresh_hash),
                keys.access_grant(family, issue.access_token_hash),
                keys.denied(family, issue.access_token_hash),
            ],
            [hash_of("code", code), refresh_hash, *_issue_arguments(issue)],
        )
        return cast("Spending", answer[0]), answer[-1]

    async def find_refresh_token(self, token: OpaqueToken) -> tuple[RefreshToken, Family] | None:
        """Return the refresh token and its family, even if the token is rotated or expired: the caller checks that."""
        found = await self._connection.read_hashes(_refresh_key(token), keys.family(token.family))
        record, family = RefreshToken.from_hash(found[0]), Family.from_hash(found[1])
        return None if record is None or family is None else (record, family)

    async def claim_refresh(self, token: OpaqueToken, lease: str, now: float, seconds: float) -> Claim:
        """Claim the token for one caller for the given seconds, the length of the lease."""
        answer = await self._connection.run(
            "claim_refresh", [keys.family(token.family), _refresh_key(token)], [lease, now, now + seconds]
        )
        return cast("Claim", answer[0])

    async def release_refresh(self, token: OpaqueToken, lease: str) -> None:
        """Release a claim, so that the next caller need not wait until the lease expires."""
        await self._connection.run("release_refresh", [_refresh_key(token)], [lease])

    async def commit_rotation(
        self, token: OpaqueToken, lease: str, issue: Issue, *, sealed_answer: str, leeway: float
    ) -> tuple[Commit, str]:
        """Store the successor and mark the token as rotated in one atomic step.

        Returns the outcome and the scope that the access token has in the store.
        """
        family = token.family
        answer = await self._connection.run(
            "commit_rotation",
            [
                _refresh_key(token),
                keys.family(family),
                _refresh_key(issue.refresh_token),
                keys.successor(family, hash_of("refresh", token)),
                keys.access_grant(family, issue.access_token_hash),
                keys.denied(family, issue.access_token_hash),
            ],
            [lease, issue.now, *_issue_arguments(issue), sealed_answer, milliseconds(leeway + BROOM) if leeway else 0],
        )
        return cast("Commit", answer[0]), answer[-1]

    async def find_successor(self, token: OpaqueToken) -> StoredAnswer | None:
        """Return the answer to the rotation of the token, while the store keeps it."""
        fields = await self._connection.read_hash(keys.successor(token.family, hash_of("refresh", token)))
        return StoredAnswer(**fields) if fields else None

    async def read_access(self, family: str, token_hash: str) -> AccessState:
        """Return grant, deny-list entry and family of an access token in one round trip."""
        grant, denied, owner = await self._connection.read_access(
            keys.access_grant(family, token_hash), keys.denied(family, token_hash), keys.family(family)
        )
        return AccessState(AccessGrant.from_hash(grant), denied, Family.from_hash(owner))

    async def deny_access(self, family: str, token_hash: str, lifetime: float) -> None:
        """Put an access token on the deny-list for `lifetime` seconds."""
        await self._connection.run("deny_access", [keys.denied(family, token_hash)], [milliseconds(lifetime)])

    async def revoke_family(self, family: str) -> None:
        """Revoke all tokens that were issued from one login."""
        await self._connection.run("revoke_family", [keys.family(family)])


def _refresh_key(token: OpaqueToken) -> str:
    return keys.refresh_token(token.family, hash_of("refresh", token))


def _flat(fields: dict[str, str]) -> list[Value]:
    return [item for pair in fields.items() for item in pair]


def _issue_arguments(issue: Issue) -> list[Value]:
    grant = issue.grant
    return [
        milliseconds(issue.family_lifetime + BROOM),
        issue.refresh_expires_at,
        issue.upstream,
        grant.scope,
        grant.client_id,
        grant.subject,
        grant.resource,
        grant.expires_at,
        milliseconds(grant.expires_at - issue.now + BROOM),
    ]
