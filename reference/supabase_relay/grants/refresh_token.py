"""The refresh token grant (OAuth 2.1 section 4.3), as a list of steps.

The order matters:

1. The client binding comes before reuse detection, so that a stranger cannot cause the revocation of a family.
2. Reuse detection comes before all other checks of the request, so that the relay detects a stolen token even if the
   request is otherwise invalid.
3. The other checks of the request come before the claim, so that an invalid request does not consume the token.
"""

import asyncio
import time
from dataclasses import dataclass

from supabase_relay.errors import UpstreamRefused, UpstreamUnavailable, invalid_grant, temporarily_unavailable
from supabase_relay.grants.issuing import TokenAnswer, answer, prepare, read_token
from supabase_relay.logs import event
from supabase_relay.opaque_tokens import OpaqueToken, fingerprint, new_secret
from supabase_relay.relay import Relay
from supabase_relay.resource_indicators import require_granted_resource
from supabase_relay.scopes import format_scope, granted_at_refresh, parse_scope
from supabase_relay.storage.records import Client, Family, IssuedTokens, RefreshToken, UpstreamTokens
from supabase_relay.upstream import UpstreamSession

REFUSAL = "the refresh token is unknown, expired, revoked, used, or another client's"

_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25


@dataclass(frozen=True)
class RefreshRequest:
    """The parameters of the grant; `resource` may repeat (RFC 8707)."""

    refresh_token: str
    scope: str | None
    resource: tuple[str, ...]


async def refresh(relay: Relay, client: Client, request: RefreshRequest) -> TokenAnswer:
    """Exchange a refresh token for a new refresh token and an access token; raises `OAuthError`."""
    token = read_token(request.refresh_token, REFUSAL)
    record, family = await find_refresh_token(relay, token)
    require_same_client(family, client)
    refuse_revoked(family)
    if record.rotated_at is not None:
        return await repeat_or_revoke(relay, token, record.rotated_at)
    refuse_expired(record, time.time())
    scope = granted_at_refresh(parse_scope(request.scope), family.scope.split())
    require_granted_resource(request.resource, family.resource)
    lease = await claim_or_wait(relay, token)
    if lease is None:
        return await answer_after_waiting(relay, token)
    return await rotate(relay, token, family, format_scope(scope), lease)


async def find_refresh_token(relay: Relay, token: OpaqueToken) -> tuple[RefreshToken, Family]:
    """Return the record of the token and its family; raises `invalid_grant` if the token is unknown."""
    found = await relay.grants.find_refresh_token(token)
    if found is None:
        raise invalid_grant(REFUSAL)
    return found


def require_same_client(family: Family, client: Client) -> None:
    """Require the client to which the token was issued (OAuth 2.1 section 4.3.1)."""
    if family.client_id != client.client_id:
        raise invalid_grant(REFUSAL)


def refuse_revoked(family: Family) -> None:
    """Refuse a token of a revoked family."""
    if family.revoked:
        raise invalid_grant(REFUSAL)


def refuse_expired(record: RefreshToken, now: float) -> None:
    """Refuse a token that was not used within its lifetime; every rotation starts a new one (OAuth 2.1 section 4.3.3)."""
    if now >= record.expires_at:
        raise invalid_grant(REFUSAL)


async def repeat_or_revoke(relay: Relay, token: OpaqueToken, rotated_at: float) -> TokenAnswer:
    """Handle a rotated token: repeat the answer within the leeway, revoke the family after it (section 4.3.1)."""
    if not within_leeway(rotated_at, time.time(), relay.settings.refresh_leeway):
        await revoke_after_reuse(relay, token)
    stored = await relay.grants.find_successor(token)
    issued = relay.sealer.open(stored.answer, IssuedTokens) if stored else None
    if stored is None or issued is None:
        raise invalid_grant(REFUSAL)
    return answer(issued, stored.scope)


def within_leeway(rotated_at: float, now: float, leeway: float) -> bool:
    """Whether the rotation is recent enough to repeat its answer; always False if the leeway is 0."""
    return now < rotated_at + leeway


async def revoke_after_reuse(relay: Relay, token: OpaqueToken) -> None:
    """Revoke the family, because two parties hold the token, and refuse (OAuth 2.1 section 4.3.1)."""
    await relay.grants.revoke_family(token.family)
    event("refresh_token_reused", family=fingerprint(token.family))
    raise invalid_grant(REFUSAL)


async def claim_or_wait(relay: Relay, token: OpaqueToken) -> str | None:
    """Claim the token and return the lease; None if another request rotated the token meanwhile.

    While another request holds the lease, wait for at most the length of a lease, by the event loop's clock. Then
    raise a 503, which leaves the token as it is.
    """
    lease, seconds = new_secret(), relay.settings.refresh_lease
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + seconds, _FIRST_PAUSE
    while True:
        outcome = await relay.grants.claim_refresh(token, lease, time.time(), seconds)
        if outcome == "claimed":
            return lease
        if outcome == "rotated":
            return None
        if outcome != "busy":
            raise invalid_grant(REFUSAL)
        if loop.time() + pause > deadline:
            raise temporarily_unavailable("the refresh token is in use; try again")
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


async def answer_after_waiting(relay: Relay, token: OpaqueToken) -> TokenAnswer:
    """Answer a request that waited while another one rotated the token: treat it like any use of a rotated token."""
    record, family = await find_refresh_token(relay, token)
    refuse_revoked(family)
    return await repeat_or_revoke(relay, token, record.rotated_at or 0)


async def rotate(relay: Relay, token: OpaqueToken, family: Family, scope: str, lease: str) -> TokenAnswer:
    """Renew Supabase's session, then store the successor; if a step fails before that, the token stays usable."""
    try:
        session = await renew(relay, token, family)
        return await commit(relay, token, family, scope, lease, session)
    except BaseException:  # also on cancellation: the next caller need not wait until the lease expires
        await asyncio.shield(relay.grants.release_refresh(token, lease))
        raise


async def renew(relay: Relay, token: OpaqueToken, family: Family) -> UpstreamSession:
    """Renew Supabase's session.

    If the relay crashed after an earlier renewal, its refresh token is the parent of the active one. GoTrue answers
    the immediate parent with the active token.
    """
    upstream = relay.sealer.open(family.upstream, UpstreamTokens)
    if upstream is None:
        raise invalid_grant("the login behind this grant can no longer be read")
    try:
        return await relay.supabase.renew(upstream.refresh_token, subject=family.subject, session_id=family.session_id)
    except UpstreamRefused as refusal:
        await relay.grants.revoke_family(token.family)
        event("upstream_session_ended", family=fingerprint(token.family), reason=refusal.reason)
        raise invalid_grant("Supabase has ended the session behind this grant") from None
    except UpstreamUnavailable as failure:
        event("upstream_unavailable", action="refresh", reason=failure.reason)
        raise temporarily_unavailable("Supabase did not renew the session; try again") from None


async def commit(
    relay: Relay, token: OpaqueToken, family: Family, scope: str, lease: str, session: UpstreamSession
) -> TokenAnswer:
    """Store the successor and mark the token as rotated in one atomic step, then return the answer."""
    prepared = prepare(relay, token.family, family, scope, session.tokens)
    outcome, effective = await relay.grants.commit_rotation(
        token,
        lease,
        prepared.issue,
        sealed_answer=relay.sealer.seal(prepared.tokens),
        leeway=relay.settings.refresh_leeway,
    )
    if outcome == "revoked":
        raise invalid_grant(REFUSAL)
    if outcome != "rotated":  # another request took the lease, or Supabase repeated a revoked access token
        raise temporarily_unavailable("the refresh token is in use; try again")
    return answer(prepared.tokens, effective)
