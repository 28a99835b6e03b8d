"""Discovery: authorization server metadata (RFC 8414), protected resource metadata (RFC 9728), and keys."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from supabase_relay.client_authentication import METHODS
from supabase_relay.client_metadata import GRANT_TYPES, RESPONSE_TYPES
from supabase_relay.pkce import METHOD
from supabase_relay.relay import Relay
from supabase_relay.routes.requests import relay_of

_CACHEABLE = {"Cache-Control": "public, max-age=300"}


async def authorization_server(request: Request) -> Response:
    """Answer with the authorization server metadata (RFC 8414 section 3)."""
    return JSONResponse(authorization_server_metadata(relay_of(request)), headers=_CACHEABLE)


async def protected_resource(request: Request) -> Response:
    """Answer with the protected resource metadata (RFC 9728 section 3)."""
    return JSONResponse(protected_resource_metadata(relay_of(request)), headers=_CACHEABLE)


async def key_set(request: Request) -> Response:
    """Answer with the keys of the relay's own access tokens (RFC 7517)."""
    return JSONResponse(relay_of(request).access_tokens.key_set(), headers=_CACHEABLE)


def authorization_server_metadata(relay: Relay) -> dict[str, object]:
    """Build the metadata; every URL comes from the settings, never from the request."""
    settings = relay.settings
    document: dict[str, object] = {
        "issuer": settings.issuer,
        "authorization_endpoint": f"{settings.issuer}/authorize",
        "token_endpoint": f"{settings.issuer}/token",
        "registration_endpoint": f"{settings.issuer}/register",
        "revocation_endpoint": f"{settings.issuer}/revoke",
        "response_types_supported": list(RESPONSE_TYPES),
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": list(METHODS),
        "revocation_endpoint_auth_methods_supported": list(METHODS),
        "code_challenge_methods_supported": [METHOD],
        "scopes_supported": list(settings.scopes),
        "authorization_response_iss_parameter_supported": True,
        "protected_resources": [settings.resource],
    }
    if relay.access_tokens.key_set() is not None:
        document["jwks_uri"] = f"{settings.issuer}/jwks.json"
    return document


def protected_resource_metadata(relay: Relay) -> dict[str, object]:
    """Build the metadata of the resource, with its authorization server (RFC 9728 section 2)."""
    settings = relay.settings
    return {
        "resource": settings.resource,
        "authorization_servers": [settings.issuer],
        "scopes_supported": list(settings.scopes),
        "bearer_methods_supported": ["header"],
        "resource_name": "The protected resource of the reference relay",
    }
