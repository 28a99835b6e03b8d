"""Code shared by both grants: it creates the tokens of an answer and the record of them for the store."""

import time
from dataclasses import dataclass

from supabase_relay.access_tokens import NewAccessToken
from supabase_relay.errors import invalid_grant
from supabase_relay.opaque_tokens import OpaqueToken, hash_of, new_token, parse_token
from supabase_relay.relay import Relay
from supabase_relay.storage.grants import Issue
from supabase_relay.storage.records import AccessGrant, Family, IssuedTokens, UpstreamTokens


@dataclass(frozen=True)
class TokenAnswer:
    """A successful answer of the token endpoint (RFC 6749 section 5.1); `expires_in` is in seconds."""

    access_token: str
    expires_in: int
    refresh_token: str
    scope: str


@dataclass(frozen=True)
class Preparation:
    """New tokens, which become valid when a script of the store has recorded them."""

    issue: Issue
    tokens: IssuedTokens


def prepare(relay: Relay, family_id: str, family: Family, scope: str, upstream: UpstreamTokens) -> Preparation:
    """Create an access token for `scope`, and a refresh token for the whole grant (OAuth 2.1 section 4.3.3)."""
    now = time.time()
    access = relay.access_tokens.issue(family_id, family, scope, upstream)
    refuse_ended_access(access, now)
    refresh = new_token(family_id)
    refresh_expires_at = now + relay.settings.refresh_token_ttl
    issue = Issue(
        access_token_hash=hash_of("access", access.value),
        grant=AccessGrant(
            client_id=family.client_id,
            subject=family.subject,
            scope=scope,
            resource=family.resource,
            expires_at=access.expires_at,
        ),
        refresh_token=refresh,
        refresh_expires_at=refresh_expires_at,
        upstream=relay.sealer.seal(upstream),
        now=now,
        family_lifetime=family_lifetime(relay, max(access.expires_at, refresh_expires_at), now),
    )
    tokens = IssuedTokens(access_token=access.value, refresh_token=str(refresh), expires_at=access.expires_at)
    return Preparation(issue, tokens)


def family_lifetime(relay: Relay, last_expiry: float, now: float) -> float:
    """Return for how many seconds the store must keep a family: until no server can accept its last token."""
    return last_expiry - now + relay.settings.clock_leeway + relay.settings.revocation_skew


def refuse_ended_access(access: NewAccessToken, now: float) -> None:
    """Refuse an expired access token: Supabase's token may expire before the client redeems the code."""
    if expires_in(access.expires_at, now) < 1:
        raise invalid_grant("the login behind this grant has expired")


def answer(tokens: IssuedTokens, scope: str) -> TokenAnswer:
    """Build the answer for tokens that the store has recorded; `scope` is the one that the store returned."""
    lifetime = max(1, expires_in(tokens.expires_at, time.time()))
    return TokenAnswer(tokens.access_token, lifetime, tokens.refresh_token, scope)


def expires_in(expires_at: float, now: float) -> int:
    """Return the seconds until expiry, rounded down so that they never exceed the lifetime (RFC 6749 section 5.1)."""
    return int(expires_at - now)


def read_token(text: str, refusal: str) -> OpaqueToken:
    """Parse a presented code or refresh token; raises `invalid_grant` for any spelling that the relay does not issue."""
    token = parse_token(text)
    if token is None:
        raise invalid_grant(refusal)
    return token
