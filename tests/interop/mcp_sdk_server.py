"""The `mcp` SDK's own application, with its authorization server and MCP endpoint."""

from mcp.server.auth.provider import ProviderTokenVerifier
from mcp.server.auth.settings import AuthSettings, ClientRegistrationOptions, RevocationOptions
from mcp.server.lowlevel import Server
from mcp_sdk_provider import MemoryProvider
from starlette.applications import Starlette

READ, WRITE = "notes:read", "notes:write"


def create_app(origin: str) -> Starlette:
    """Build the server whose issuer is this origin; its stateless MCP endpoint at `/mcp` requires `notes:read`."""
    resource = f"{origin}/mcp"
    # Pass URLs as strings: AnyHttpUrl would append a slash, which the issuer must not have.
    settings = AuthSettings.model_validate(
        {
            "issuer_url": origin,
            "resource_server_url": resource,
            "validate_token_resource": True,
            "required_scopes": [READ],
            "client_registration_options": ClientRegistrationOptions(
                enabled=True, valid_scopes=[READ, WRITE], default_scopes=[READ, WRITE]
            ),
            "revocation_options": RevocationOptions(enabled=True),
        }
    )
    provider = MemoryProvider(resource=resource, scopes=[READ, WRITE])
    return Server("notes").streamable_http_app(
        auth=settings,
        auth_server_provider=provider,
        token_verifier=ProviderTokenVerifier(provider),
        stateless_http=True,
        json_response=True,
    )
