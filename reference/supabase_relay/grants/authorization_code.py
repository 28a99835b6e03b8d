"""The authorization code grant (OAuth 2.1 section 4.1.3): the steps in their order, and why it is this one.

Client, redirect URI and verifier come before the spending: a stranger can neither burn a code, nor have what was
issued for it revoked (section 7.5.2). Whoever passes them and finds the code spent has replayed it.
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

# One sentence for unknown, foreign, expired and used codes: an answer tells nothing about other clients' codes.
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
    """The code as it was issued, with its family."""
    found = await relay.grants.find_code(code)
    if found is None:
        raise invalid_grant(REFUSAL)
    return found


def require_same_client(record: Code, client: Client) -> None:
    """The code is bound to the client that asked for it (OAuth 2.1 section 4.1.3)."""
    if record.client_id != client.client_id:
        raise invalid_grant(REFUSAL)


def require_same_redirect_uri(record: Code, redirect_uri: str | None) -> None:
    """Enforced where it is sent, though 2.1 clients need not send it (OAuth 2.1 section 10.2)."""
    if redirect_uri is not None and redirect_uri != record.redirect_uri:
        raise invalid_grant("redirect_uri is not the one of the authorization request")


def require_verifier(record: Code, verifier: str) -> None:
    """The verifier must hash to the challenge of this code (OAuth 2.1 section 4.1.3)."""
    if not verifier_matches(verifier, record.code_challenge):
        raise invalid_grant("code_verifier does not match the code_challenge")


async def revoke_after_replay(relay: Relay, code: OpaqueToken) -> None:
    """Two parties hold the code: end what was issued for it, and refuse (OAuth 2.1 section 4.1.3)."""
    await relay.grants.revoke_family(code.family)
    event("authorization_code_replayed", family=fingerprint(code.family))
    raise invalid_grant(REFUSAL)


def refuse_expired_code(record: Code, now: float) -> None:
    """The code's own expiry decides, whatever the store still has (OAuth 2.1 section 4.1.2)."""
    if now >= record.expires_at:
        raise invalid_grant(REFUSAL)


async def spend(relay: Relay, code: OpaqueToken, family: Family) -> TokenAnswer:
    """Make the tokens, then spend the code and record them in one step; of several at once, one succeeds."""
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
