"""A provider for the `mcp` SDK, which its users must write: it stores all data in memory and approves every login.

The provider is correct wherever the SDK's hooks allow it, so that every finding of the suite is about the SDK itself.
"""

import secrets
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mcp.server.auth.provider import (
    AccessToken,
    AuthorizationCode,
    AuthorizationParams,
    AuthorizeError,
    OAuthAuthorizationServerProvider,
    RefreshToken,
    RegistrationError,
    TokenError,
    construct_redirect_uri,
)
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

CODE_TTL = 6
ACCESS_TOKEN_TTL = 8
REFRESH_TOKEN_TTL = 10
"""Lifetimes in seconds, so short that the suite can wait for their end."""
_LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})


@dataclass
class Family:
    """All tokens of one login; they are revoked together (OAuth 2.1 sections 4.1.3 and 4.3.1)."""

    client_id: str
    scopes: list[str]
    resource: str | None
    revoked: bool = False
    refresh_token: str | None = None
    """The only valid refresh token."""


class Code(AuthorizationCode):
    """An authorization code; `used_for` is None until it is redeemed."""

    used_for: Family | None = None


@dataclass
class MemoryProvider(OAuthAuthorizationServerProvider[Code, RefreshToken, AccessToken]):
    """Clients, codes and tokens in dictionaries. Each method is atomic, because none of them awaits."""

    resource: str
    scopes: list[str]
    clients: dict[str, OAuthClientInformationFull] = field(default_factory=dict[str, OAuthClientInformationFull])
    codes: dict[str, Code] = field(default_factory=dict[str, Code])
    access_tokens: dict[str, AccessToken] = field(default_factory=dict[str, AccessToken])
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict[str, RefreshToken])
    families: dict[str, Family] = field(default_factory=dict[str, Family])
    """The family of each token, by the token."""

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        """Return the client with this id."""
        return self.clients.get(client_id)

    async def register_client(self, client_info: OAuthClientInformationFull) -> None:
        """Store a client; refuse redirect URIs to which it is not safe to send a code (OAuth 2.1 section 2.3)."""
        for uri in client_info.redirect_uris or []:
            if not _is_safe(str(uri)):
                raise RegistrationError("invalid_redirect_uri", "https, http on loopback, or a private-use scheme")
        self.clients[client_info.client_id] = client_info

    async def authorize(self, client: OAuthClientInformationFull, params: AuthorizationParams) -> str:
        """Approve the request and return the redirect to the client, with a code."""
        if params.resource is not None and params.resource.rstrip("/") != self.resource:
            raise AuthorizeError("invalid_target", "unknown resource")
        value = secrets.token_urlsafe(32)
        self.codes[value] = Code(
            code=value,
            scopes=params.scopes if params.scopes is not None else self._scopes_of(client),
            expires_at=time.time() + CODE_TTL,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource or self.resource,
        )
        return construct_redirect_uri(str(params.redirect_uri), code=value, state=params.state)

    async def load_authorization_code(self, client: OAuthClientInformationFull, authorization_code: str) -> Code | None:
        """Return the code, even if it is used: after the SDK's checks, `exchange_authorization_code` detects the replay."""
        return self.codes.get(authorization_code)

    async def exchange_authorization_code(
        self, client: OAuthClientInformationFull, authorization_code: Code
    ) -> OAuthToken:
        """Issue tokens of a new family; a replay revokes the family of the code (OAuth 2.1 section 4.1.3)."""
        if authorization_code.used_for is not None:
            authorization_code.used_for.revoked = True
            raise TokenError("invalid_grant", "the authorization code was used")
        family = Family(client.client_id, authorization_code.scopes, authorization_code.resource)
        authorization_code.used_for = family
        return self._issue(family, family.scopes)

    async def load_refresh_token(self, client: OAuthClientInformationFull, refresh_token: str) -> RefreshToken | None:
        """Return the token, even if it is rotated, so that `exchange_refresh_token` detects its reuse."""
        return self.refresh_tokens.get(refresh_token)

    async def exchange_refresh_token(
        self,
        client: OAuthClientInformationFull,
        refresh_token: RefreshToken,
        scopes: list[str],
    ) -> OAuthToken:
        """Rotate the token; reuse of a rotated token revokes its family (OAuth 2.1 section 4.3.1)."""
        family = self.families[refresh_token.token]
        if family.revoked or family.refresh_token != refresh_token.token:
            family.revoked = True
            raise TokenError("invalid_grant", "the refresh token was rotated or revoked")
        return self._issue(family, scopes)

    async def load_access_token(self, token: str) -> AccessToken | None:
        """Return the access token unless its family is revoked; the SDK checks the expiry."""
        found = self.access_tokens.get(token)
        return None if found is None or self.families[token].revoked else found

    async def revoke_token(self, token: AccessToken | RefreshToken) -> None:
        """Revoke the family, as the SDK recommends."""
        self.families[token.token].revoked = True

    def _scopes_of(self, client: OAuthClientInformationFull) -> list[str]:
        return client.scope.split() if client.scope else self.scopes

    def _issue(self, family: Family, scopes: list[str]) -> OAuthToken:
        access_token, refresh_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        now = int(time.time())
        self.access_tokens[access_token] = AccessToken(
            token=access_token,
            client_id=family.client_id,
            scopes=scopes,
            expires_at=now + ACCESS_TOKEN_TTL,
            resource=family.resource,
            subject="alice",
        )
        # The new refresh token keeps the whole grant, even if the refresh was narrowed (OAuth 2.1 section 4.3.3).
        self.refresh_tokens[refresh_token] = RefreshToken(
            token=refresh_token,
            client_id=family.client_id,
            scopes=family.scopes,
            expires_at=now + REFRESH_TOKEN_TTL,
            resource=family.resource,
            subject="alice",
        )
        self.families[access_token] = self.families[refresh_token] = family
        family.refresh_token = refresh_token
        return OAuthToken(
            access_token=access_token,
            expires_in=ACCESS_TOKEN_TTL,
            scope=" ".join(scopes),
            refresh_token=refresh_token,
        )


def _is_safe(uri: str) -> bool:
    parts = urlsplit(uri)
    if "#" in uri or "*" in uri or "@" in parts.netloc:
        return False
    if parts.scheme == "http":
        return parts.netloc.rpartition(":")[0] in _LOOPBACK or parts.netloc in _LOOPBACK
    return parts.scheme == "https" or "." in parts.scheme
