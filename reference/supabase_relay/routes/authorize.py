"""GET /authorize (OAuth 2.1 section 4.1.1).

The relay checks client and redirect URI first. Only then may it send errors to the client by redirect (section 4.1.2.1).
"""

import time

from starlette.requests import Request
from starlette.responses import Response

from supabase_relay.client_authentication import find_client
from supabase_relay.errors import OAuthError, PageError, invalid_request
from supabase_relay.opaque_tokens import new_secret
from supabase_relay.parameters import Parameters, read_query
from supabase_relay.pkce import new_pair, require_challenge
from supabase_relay.redirect_uris import error_redirect, find_registered
from supabase_relay.relay import Relay
from supabase_relay.resource_indicators import require_served_resource
from supabase_relay.responses import redirect
from supabase_relay.routes.requests import limit, relay_of
from supabase_relay.scopes import format_scope, granted_at_authorization, parse_scope
from supabase_relay.settings import Settings
from supabase_relay.storage.records import Client, PendingLogin


async def authorize(request: Request) -> Response:
    """Store the request as a pending login, and redirect the browser to the start of the login."""
    relay = relay_of(request)
    await limit(request, "authorize")
    query = read_query(request)
    client = await require_client(relay, query)
    redirect_uri = require_redirect_uri(query, client)
    try:
        login = accept(query, client, redirect_uri, relay.settings)
    except OAuthError as error:
        return refuse(query, redirect_uri, error, relay.settings)
    state = new_secret()
    await relay.pending_logins.save(state, login)
    return redirect(f"{relay.settings.issuer}/auth/start/{state}")


async def require_client(relay: Relay, query: Parameters) -> Client:
    """Return the client; raises `PageError` if it is unknown, missing or named twice."""
    client_id = query.get("client_id")
    if client_id is None or "client_id" in query.repeated:
        raise PageError("The link that brought you here does not name exactly one application.")
    client = await find_client(relay.clients, client_id)
    if client is None:
        raise PageError("The application that sent you here is not registered, or its registration has expired.")
    return client


def require_redirect_uri(query: Parameters, client: Client) -> str:
    """Return the redirect URI; raises `PageError` if it is not registered or named twice (OAuth 2.1 section 4.1.2.1)."""
    redirect_uri = find_registered(query.get("redirect_uri"), client.redirect_uris)
    if redirect_uri is None or "redirect_uri" in query.repeated:
        raise PageError("The application did not name one of its registered addresses for the answer.")
    return redirect_uri


def accept(query: Parameters, client: Client, redirect_uri: str, settings: Settings) -> PendingLogin:
    """Check all other parameters; raises the `OAuthError` that is sent to the client."""
    query.refuse_repeated()
    query.refuse_oversized()
    refuse_request_objects(query)
    require_response_type(query.get("response_type"))
    require_response_mode(query.get("response_mode"))
    challenge = require_challenge(query.get("code_challenge"), query.get("code_challenge_method"))
    scope = granted_at_authorization(parse_scope(query.get("scope")), client.scope)
    resource = require_served_resource(query.get_all("resource"), settings.resource)
    upstream = new_pair()
    return PendingLogin(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        scope=format_scope(scope),
        resource=resource,
        client_state=query.get("state"),
        code_challenge=challenge,
        upstream_verifier=upstream.verifier,
        upstream_challenge=upstream.challenge,
        expires_at=time.time() + settings.pending_login_ttl,
    )


def refuse_request_objects(query: Parameters) -> None:
    """Refuse request objects, which the relay does not support (RFC 9101 section 7)."""
    if query.get("request") is not None:
        raise OAuthError("request_not_supported", "request objects are not supported")
    if query.get("request_uri") is not None:
        raise OAuthError("request_uri_not_supported", "request objects are not supported")


def require_response_type(response_type: str | None) -> None:
    """Require `code` (OAuth 2.1 section 4.1.1)."""
    if response_type is None:
        raise invalid_request("response_type is required")
    if response_type != "code":
        raise OAuthError("unsupported_response_type", "response_type must be code")


def require_response_mode(response_mode: str | None) -> None:
    """Require `query`, the only mode in the metadata, if a mode is named."""
    if response_mode not in (None, "query"):
        raise invalid_request("response_mode must be query")


def refuse(query: Parameters, redirect_uri: str, error: OAuthError, settings: Settings) -> Response:
    """Redirect an error to the client's checked redirect URI, with its state unless that was sent twice."""
    state = None if "state" in query.repeated else query.get("state")
    url = error_redirect(
        redirect_uri, error=error.error, description=error.description, state=state, issuer=settings.issuer
    )
    return redirect(url)
