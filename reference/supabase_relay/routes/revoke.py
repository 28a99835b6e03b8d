"""POST /revoke (RFC 7009): the answer is 200 even if the token does not exist."""

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from supabase_relay.client_authentication import authenticate
from supabase_relay.errors import OAuthError
from supabase_relay.grants.revocation import revoke as revoke_token
from supabase_relay.parameters import read_form
from supabase_relay.responses import no_store
from supabase_relay.routes.requests import address_of, relay_of
from supabase_relay.routes.token import count_failure


async def revoke(request: Request) -> Response:
    """Revoke a token of the authenticated client; if this ends a login, end it at Supabase too."""
    relay, address = relay_of(request), address_of(request)
    await relay.limiter.require_unspent("token_failures", address)
    try:
        form = await read_form(request)
        client = await authenticate(request, form, relay.clients)
    except OAuthError as error:
        await count_failure(relay, address, error)
        raise
    ended = await revoke_token(relay, client, form.require("token"))
    farewell = BackgroundTask(relay.supabase.sign_out, ended.access_token) if ended else None
    return Response(status_code=200, headers=no_store(), background=farewell)
