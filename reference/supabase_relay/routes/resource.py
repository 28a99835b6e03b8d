"""The protected resource (RFC 6750; OAuth 2.1 section 5): it answers with subject, client and scopes.

GET and POST need the first supported scope. PUT, as an operation that needs more rights, needs the second one too.
"""

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from supabase_relay.errors import BadToken, UpstreamUnavailable
from supabase_relay.logs import event
from supabase_relay.parameters import media_type, parse, read_body
from supabase_relay.relay import Relay
from supabase_relay.responses import no_store
from supabase_relay.routes.requests import relay_of
from supabase_relay.verifier import Access

METHODS = ("GET", "POST", "PUT", "DELETE")


async def resource(request: Request) -> Response:
    """Answer with the caller's access; refuse a missing or invalid token, or insufficient scope, with a challenge."""
    relay = relay_of(request)
    token = bearer_token(request)
    if token is None:
        return refused(relay, 401, {})
    if not token or await is_sent_twice(request):
        return refused(relay, 401, {"error": "invalid_token", "error_description": "one token, in one header"})
    try:
        access = await relay.verifier.verify(token)
    except BadToken as bad:
        event("access_token_refused", reason=bad.reason)
        return refused(relay, 401, {"error": "invalid_token", "error_description": "the access token is not valid"})
    except UpstreamUnavailable:
        return unavailable()
    missing = missing_scope(access, required_scope(request.method, relay.settings.scopes))
    if missing is not None:
        return refused(relay, 403, {"error": "insufficient_scope"}, scope=missing)
    if request.method == "DELETE":
        raise HTTPException(405, headers={"Allow": "GET, POST, PUT"})
    return JSONResponse(shown(access), headers=no_store())


def bearer_token(request: Request) -> str | None:
    """Read the token from the Authorization header only (OAuth 2.1 section 5.1); None without a Bearer header.

    Two Authorization headers are ambiguous, so they count as an invalid token (the empty string).
    """
    headers = request.headers.getlist("authorization")
    if not headers:
        return None
    scheme, _, token = headers[0].partition(" ")
    if scheme.lower() != "bearer":
        return None
    return token.strip(" ") if len(headers) == 1 else ""


async def is_sent_twice(request: Request) -> bool:
    """Whether the body is a form with another token beside the header (RFC 6750 section 2)."""
    if media_type(request) != "application/x-www-form-urlencoded":
        return False
    return parse(await read_body(request)).get("access_token") is not None


def required_scope(method: str, scopes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scopes that a method needs."""
    return scopes[:2] if method == "PUT" else scopes[:1]


def missing_scope(access: Access, required: tuple[str, ...]) -> str | None:
    """Return the whole required scope if the access lacks part of it, else None."""
    return None if set(required) <= set(access.scopes) else " ".join(required)


def shown(access: Access) -> dict[str, object]:
    """Build the body of a successful answer."""
    return {"subject": access.subject, "client_id": access.client_id, "scopes": list(access.scopes)}


def refused(relay: Relay, status: int, error: Mapping[str, str], *, scope: str | None = None) -> Response:
    """Build a refusal with a challenge (RFC 6750 section 3); `error` is empty if the request has no token."""
    body = {"error": "unauthorized"} | dict(error)
    return JSONResponse(body, status, headers={**no_store(), "WWW-Authenticate": challenge(relay, error, scope)})


def challenge(relay: Relay, error: Mapping[str, str], scope: str | None) -> str:
    """Build the Bearer challenge with the URL of the resource's metadata (RFC 9728 section 5.1)."""
    wanted = scope or relay.settings.scopes[0]
    parameters = {"resource_metadata": metadata_url(relay), "scope": wanted, **error}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())


def metadata_url(relay: Relay) -> str:
    """Build the metadata URL: the well-known path goes between host and path (RFC 9728 section 3.1)."""
    settings = relay.settings
    origin = settings.issuer.removesuffix(settings.path)
    return f"{origin}/.well-known/oauth-protected-resource{settings.resource_path}"


def unavailable() -> Response:
    """Answer 503: without the keys the relay cannot verify the token."""
    return JSONResponse({"error": "temporarily_unavailable"}, 503, headers={**no_store(), "Retry-After": "5"})
