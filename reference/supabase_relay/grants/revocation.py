"""Revocation (RFC 7009): a refresh token revokes its family; an access token stays on a deny-list until it expires."""

import time

from supabase_relay.access_tokens import CheckedToken
from supabase_relay.errors import BadToken, UpstreamUnavailable, temporarily_unavailable
from supabase_relay.logs import event
from supabase_relay.opaque_tokens import OpaqueToken, fingerprint, hash_of, parse_token
from supabase_relay.relay import Relay
from supabase_relay.storage.records import Client, Family, UpstreamTokens


async def revoke(relay: Relay, client: Client, token: str) -> UpstreamTokens | None:
    """Revoke the token if it belongs to this client; otherwise do nothing (RFC 7009 section 2.1).

    `token_type_hint` is not needed, because the two kinds of token differ in shape. Returns Supabase's tokens if the
    revocation ended a login.
    """
    refresh_token = parse_token(token)
    if refresh_token is not None:
        return await revoke_refresh_token(relay, client, refresh_token)
    await revoke_access_token(relay, client, token)
    return None


async def revoke_refresh_token(relay: Relay, client: Client, token: OpaqueToken) -> UpstreamTokens | None:
    """Revoke the token's family; a rotated token works as well, because it is also the client's."""
    found = await relay.grants.find_refresh_token(token)
    if found is None or not owns_family(client, found[1]) or found[1].revoked:
        return None
    await relay.grants.revoke_family(token.family)
    event("family_revoked", family=fingerprint(token.family))
    return relay.sealer.open(found[1].upstream, UpstreamTokens)


async def revoke_access_token(relay: Relay, client: Client, token: str) -> None:
    """Put the token on the deny-list until it expires; do nothing if it is no access token of this client."""
    try:
        checked = await relay.access_tokens.check(token)
    except BadToken:
        return
    except UpstreamUnavailable:
        raise temporarily_unavailable("the token could not be verified; try again") from None
    token_hash = hash_of("access", token)
    state = await relay.grants.read_access(checked.family, token_hash)
    if state.grant is None or not owns_access_token(client, state.grant.client_id):
        return
    await relay.grants.deny_access(checked.family, token_hash, remaining_life(relay, checked))
    event("access_token_revoked", family=fingerprint(checked.family))


def owns_family(client: Client, family: Family) -> bool:
    """Whether the login belongs to this client (RFC 7009 section 2.1)."""
    return family.client_id == client.client_id


def owns_access_token(client: Client, client_id: str) -> bool:
    """Whether the access token was issued to this client (RFC 7009 section 2.1)."""
    return client_id == client.client_id


def remaining_life(relay: Relay, checked: CheckedToken) -> float:
    """Return for how many seconds a server could still accept the token."""
    skew = relay.settings.clock_leeway + relay.settings.revocation_skew
    return deny_list_lifetime(checked.expires_at, time.time(), skew)


def deny_list_lifetime(expires_at: float, now: float, skew: float) -> float:
    """Return the lifetime of a deny-list entry in seconds: the rest of the token's lifetime, plus the skew."""
    return expires_at - now + skew
