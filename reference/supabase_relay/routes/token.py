"""POST /token (OAuth 2.1 section 3.2): authenticate the client, run the grant, build the answer."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from supabase_relay.client_authentication import authenticate
from supabase_relay.errors import OAuthError
from supabase_relay.grants.authorization_code import CodeRequest, redeem
from supabase_relay.grants.issuing import TokenAnswer
from supabase_relay.grants.refresh_token import RefreshRequest, refresh
from supabase_relay.parameters import Parameters, read_form
from supabase_relay.relay import Relay
from supabase_relay.responses import no_store
from supabase_relay.routes.requests import address_of, relay_of
from supabase_relay.storage.records import Client

_FAILURES = frozenset({"invalid_client", "invalid_grant"})


async def token(request: Request) -> Response:
    """Answer with tokens; raises `OAuthError` if the request is refused."""
    relay, address = relay_of(request), address_of(request)
    await relay.limiter.require_unspent("token_failures", address)
    try:
        form = await read_form(request)
        client = await authenticate(request, form, relay.clients)
        answer = await answer_grant(relay, client, form)
    except OAuthError as error:
        await count_failure(relay, address, error)
        raise
    return JSONResponse(token_response(answer), headers=token_headers())


async def answer_grant(relay: Relay, client: Client, form: Parameters) -> TokenAnswer:
    """Pass the request to the grant in `grant_type` (OAuth 2.1 section 3.2.2)."""
    grant_type = form.require("grant_type")
    if grant_type == "authorization_code":
        return await redeem(relay, client, code_request(form))
    if grant_type == "refresh_token":
        return await refresh(relay, client, refresh_request(form))
    raise OAuthError("unsupported_grant_type", "grant_type must be authorization_code or refresh_token")


def code_request(form: Parameters) -> CodeRequest:
    """Read the parameters of OAuth 2.1 section 4.1.3; all other parameters are ignored."""
    return CodeRequest(
        code=form.require("code"),
        code_verifier=form.get("code_verifier"),
        redirect_uri=form.get("redirect_uri"),
        resource=form.get_all("resource"),
    )


def refresh_request(form: Parameters) -> RefreshRequest:
    """Read the parameters of OAuth 2.1 section 4.3.1."""
    return RefreshRequest(
        refresh_token=form.require("refresh_token"), scope=form.get("scope"), resource=form.get_all("resource")
    )


async def count_failure(relay: Relay, address: str, error: OAuthError) -> None:
    """Count a failed guess; beyond the limit raise `RateLimited`, whose 429 does not tell whether a guess is right."""
    if error.error in _FAILURES:
        await relay.limiter.require("token_failures", address)


def token_response(answer: TokenAnswer) -> dict[str, object]:
    """Build the body of RFC 6749 section 5.1, which always includes the scope."""
    return {
        "access_token": answer.access_token,
        "token_type": "Bearer",
        "expires_in": answer.expires_in,
        "refresh_token": answer.refresh_token,
        "scope": answer.scope,
    }


def token_headers() -> dict[str, str]:
    """Return headers that forbid caches to store the tokens (OAuth 2.1 section 3.2.3)."""
    return no_store()
