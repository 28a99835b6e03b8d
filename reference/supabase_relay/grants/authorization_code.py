"""The authorization code grant (OAuth 2.1 section 4.1.3), as a list of steps.

The order matters. The relay checks client, redirect URI and verifier before it checks whether the code is spent, and
before it spends the code. So a stranger can neither spend a code, nor cause the revocation of its tokens (section
7.5.2). A request that passes these checks and presents a spent code is a replay.
"""

import time
from dataclasses import dataclass

from supabase_relay.errors import invalid_grant, temporarily_unavailable
from supabase_relay.grants.issuing import TokenAnswer, answer, prepare, read_token
from supabase_relay.logs import event
from supabase_relay.opaque_tokens import OpaqueToken, fingerprint
from supabase_relay.pkce import require_verifier_shape, verifier_matches
from supabase_relay.relay import Relay
from supabase_relay.resource_indicators import require_granted_resource
from supabase_relay.storage.records import Client, Code, Family, UpstreamTokens

# The same text for unknown, foreign, expired and used codes, so that it reveals nothing about other clients' codes.
REFUSAL = "the authorization code is unknown, expired, used, or another client's"


@dataclass(frozen=True)
class CodeRequest:
    """The parameters of the grant; `resource` may repeat (RFC 8707)."""

    code: str
    code_verifier: str | None
    redirect_uri: str | None
    resource: tuple[str, ...]


async def redeem(relay: Relay, client: Client, request: CodeRequest) -> TokenAnswer:
    """Exchange a code for tokens; raises `OAuthError`."""
    verifier = require_verifier_shape(request.code_verifier)
    code = read_token(request.code, REFUSAL)
    record, family = await find_code(relay, code)
    require_same_client(record, client)
    require_same_redirect_uri(record, request.redirect_uri)
    require_verifier(record, verifier)
    if record.is_spent:
        await revoke_after_replay(relay, code)
    refuse_expired_code(record, time.time())
    require_granted_resource(request.resource, family.resource)
    return await spend(relay, code, family)


async def find_code(relay: Relay, code: OpaqueToken) -> tuple[Code, Family]:
    """Return the record of the code and its family; raises `invalid_grant` if the code is unknown."""
    found = await relay.grants.find_code(code)
    if found is None:
        raise invalid_grant(REFUSAL)
    return found


def require_same_client(record: Code, client: Client) -> None:
    """Require the client that requested the code (OAuth 2.1 section 4.1.3)."""
    if record.client_id != client.client_id:
        raise invalid_grant(REFUSAL)


def require_same_redirect_uri(record: Code, redirect_uri: str | None) -> None:
    """Require the original redirect URI if one is sent; OAuth 2.1 clients may omit it (section 10.2)."""
    if redirect_uri is not None and redirect_uri != record.redirect_uri:
        raise invalid_grant("redirect_uri is not the one of the authorization request")


def require_verifier(record: Code, verifier: str) -> None:
    """Require a verifier that hashes to the code's challenge (OAuth 2.1 section 4.1.3)."""
    if not verifier_matches(verifier, record.code_challenge):
        raise invalid_grant("code_verifier does not match the code_challenge")


async def revoke_after_replay(relay: Relay, code: OpaqueToken) -> None:
    """Revoke all tokens issued for the code, because two parties hold it, and refuse (OAuth 2.1 section 4.1.3)."""
    await relay.grants.revoke_family(code.family)
    event("authorization_code_replayed", family=fingerprint(code.family))
    raise invalid_grant(REFUSAL)


def refuse_expired_code(record: Code, now: float) -> None:
    """Refuse an expired code, even if the store still has its record (OAuth 2.1 section 4.1.2)."""
    if now >= record.expires_at:
        raise invalid_grant(REFUSAL)


async def spend(relay: Relay, code: OpaqueToken, family: Family) -> TokenAnswer:
    """Create the tokens, then spend the code and store them in one atomic step: of concurrent requests, one succeeds."""
    upstream = relay.sealer.open(family.upstream, UpstreamTokens)
    if upstream is None:
        raise invalid_grant("the login behind this grant can no longer be read")
    prepared = prepare(relay, code.family, family, family.scope, upstream)
    outcome, scope = await relay.grants.spend_code(code, prepared.issue)
    if outcome == "replayed":
        await revoke_after_replay(relay, code)
    if outcome == "denied":
        raise temporarily_unavailable("Supabase repeated an access token that was revoked; try again")
    if outcome != "spent":
        raise invalid_grant(REFUSAL)
    return answer(prepared.tokens, scope)
