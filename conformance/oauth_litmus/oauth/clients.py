"""The suite's OAuth clients: their metadata (RFC 7591), and how they authenticate at the token endpoint."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote_plus

AuthMethod = Literal["none", "client_secret_post", "client_secret_basic"]

REDIRECT_URI = "https://client.example.com/cb"
"""The redirect URI of the suite's clients. No server answers there: the suite reads the Location and never follows it."""


@dataclass(frozen=True)
class Client:
    """A client that the server knows."""

    client_id: str
    redirect_uris: tuple[str, ...]
    auth_method: AuthMethod = "none"
    client_secret: str | None = None
    scope: str | None = None
    name: str = ""

    @property
    def redirect_uri(self) -> str:
        """The first registered redirect URI."""
        return self.redirect_uris[0]

    @property
    def is_public(self) -> bool:
        """Whether the client has no credentials."""
        return self.auth_method == "none"

    def credentials(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return body parameters and headers that identify this client at the token endpoint (OAuth 2.1 section 2.4.1)."""
        if self.auth_method == "client_secret_basic":
            return {}, {"authorization": basic(self.client_id, self.client_secret or "")}
        if self.auth_method == "client_secret_post":
            return {"client_id": self.client_id, "client_secret": self.client_secret or ""}, {}
        return {"client_id": self.client_id}, {}


def basic(client_id: str, client_secret: str) -> str:
    """Return HTTP Basic credentials; both parts are form-encoded first (RFC 6749 section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def metadata(
    client_name: str, redirect_uris: tuple[str, ...], auth_method: AuthMethod, scope: str | None
) -> dict[str, object]:
    """Return client metadata that a conforming server accepts at registration (RFC 7591 section 2)."""
    document: dict[str, object] = {
        "client_name": client_name,
        "redirect_uris": list(redirect_uris),
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": auth_method,
    }
    if scope:
        document["scope"] = scope
    # Loopback redirect URIs belong to native applications; OpenID Connect servers refuse them for web clients.
    if all(uri.startswith(("http://127.0.0.1", "http://[::1]", "http://localhost")) for uri in redirect_uris):
        document["application_type"] = "native"
    return document
