"""The authorization server and the bearer middleware of the `mcp` SDK as one application, put together as the SDK does."""

from mcp.server.auth.middleware.bearer_auth import BearerAuthBackend, RequireAuthMiddleware
from mcp.server.auth.provider import ProviderTokenVerifier
from mcp.server.auth.routes import build_resource_metadata_url, create_auth_routes, create_protected_resource_routes
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp_sdk_provider import MemoryProvider
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

READ, WRITE = "notes:read", "notes:write"


def create_app(origin: str) -> Starlette:
    """The server whose issuer is this origin, with a protected resource at `/mcp` that wants the scope `notes:read`."""
    settings = AuthSettings(
        issuer_url=origin,  # pyright: ignore[reportArgumentType] - as a string it keeps its exact form
        resource_server_url=f"{origin}/mcp",  # pyright: ignore[reportArgumentType]
        validate_token_resource=True,
        required_scopes=[READ],
        client_registration_options=ClientRegistrationOptions(
            enabled=True, valid_scopes=[READ, WRITE], default_scopes=[READ, WRITE]
        ),
        revocation_options=RevocationOptions(enabled=True),
    )
    assert settings.resource_server_url is not None
    provider = MemoryProvider(resource=f"{origin}/mcp", scopes=[READ, WRITE])
    guarded = RequireAuthMiddleware(_whoami, [READ], build_resource_metadata_url(settings.resource_server_url))
    return Starlette(
        routes=[
            *create_auth_routes(
                provider,
                settings.issuer_url,
                client_registration_options=settings.client_registration_options,
                revocation_options=settings.revocation_options,
            ),
            *create_protected_resource_routes(
                settings.resource_server_url, [settings.issuer_url], scopes_supported=[READ, WRITE]
            ),
            Route("/mcp", guarded),
        ],
        middleware=[
            Middleware(
                AuthenticationMiddleware,
                backend=BearerAuthBackend(
                    ProviderTokenVerifier(provider), resource_server_url=settings.resource_server_url
                ),
            )
        ],
    )


async def _whoami(scope: Scope, receive: Receive, send: Send) -> None:
    token = Request(scope).user.access_token
    answer = JSONResponse({"subject": token.subject, "client_id": token.client_id, "scopes": token.scopes})
    await answer(scope, receive, send)
