"""POST /register: open dynamic client registration (RFC 7591), with a rate limit per address."""

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from supabase_relay.client_metadata import information_response, invalid_metadata, new_client, parse_registration
from supabase_relay.logs import event
from supabase_relay.parameters import media_type, read_body
from supabase_relay.responses import no_store
from supabase_relay.routes.requests import limit, relay_of


async def register(request: Request) -> Response:
    """Register a client and answer with the registered values."""
    relay = relay_of(request)
    await limit(request, "register")
    registration = parse_registration(await read_json(request), relay.settings)
    client, secret = new_client(registration, relay.settings)
    await relay.clients.save(client)
    event("client_registered", client_id=client.client_id, method=client.token_endpoint_auth_method)
    return JSONResponse(information_response(registration, client, secret), 201, headers=no_store())


async def read_json(request: Request) -> object:
    """Read the body as JSON; raises `invalid_client_metadata`."""
    if media_type(request) != "application/json":
        raise invalid_metadata("the body must be application/json")
    try:
        return json.loads(await read_body(request))
    except (ValueError, RecursionError):
        raise invalid_metadata("the body is not well-formed JSON") from None
