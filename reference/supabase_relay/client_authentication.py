"""Client authentication (OAuth 2.1 section 2.4): a client must use its registered method."""

import binascii
import hmac
import re
import time
from base64 import b64decode
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote_plus

from starlette.requests import Request

from supabase_relay.errors import OAuthError, invalid_request
from supabase_relay.opaque_tokens import hash_of
from supabase_relay.parameters import Parameters
from supabase_relay.storage.clients import Clients
from supabase_relay.storage.records import Client

Method = Literal["none", "client_secret_post", "client_secret_basic"]

METHODS: tuple[Method, ...] = ("none", "client_secret_post", "client_secret_basic")

_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Credentials:
    """The client credentials in a request."""

    client_id: str
    secret: str | None
    method: Method


async def authenticate(request: Request, form: Parameters, clients: Clients) -> Client:
    """Return the client that sent the request; raises `invalid_client`."""
    credentials = presented_credentials(request, form)
    client = await find_client(clients, credentials.client_id)
    if client is None or not is_authentic(client, credentials):
        raise invalid_client(with_basic=credentials.method == "client_secret_basic")
    return client


async def find_client(clients: Clients, client_id: str) -> Client | None:
    """Return the client with that id; None if it is unknown or its registration has expired."""
    if not _CLIENT_ID.fullmatch(client_id):
        return None
    client = await clients.find(client_id)
    return client if client is not None and is_registered(client, time.time()) else None


def is_registered(client: Client, now: float) -> bool:
    """Whether the registration, and with it the secret, is still valid (RFC 7591 section 3.2.1)."""
    return now < client.expires_at


def is_authentic(client: Client, credentials: Credentials) -> bool:
    """Whether the client used its registered method with the right secret."""
    if credentials.method != client.token_endpoint_auth_method:
        return False
    return client.is_public or secret_matches(client, credentials.secret or "")


def secret_matches(client: Client, secret: str) -> bool:
    """Compare the hashes of both secrets in constant time."""
    return hmac.compare_digest(hash_of("client_secret", secret), client.secret_hash or "")


def presented_credentials(request: Request, form: Parameters) -> Credentials:
    """Read the credentials from the header or the body; refuse a request that uses both (OAuth 2.1 section 2.4)."""
    header = request.headers.get("authorization")
    client_id, secret = form.get("client_id"), form.get("client_secret")
    if header is not None:
        basic = parse_basic(header)
        if secret is not None or client_id not in (None, basic.client_id):
            raise invalid_request("use one method of client authentication")
        return basic
    if client_id is None:
        raise invalid_client(with_basic=False)
    return Credentials(client_id, secret, "none" if secret is None else "client_secret_post")


def parse_basic(header: str) -> Credentials:
    """Parse HTTP Basic credentials, of which each part is form-encoded (OAuth 2.1 section 2.4.1)."""
    scheme, _, encoded = header.partition(" ")
    try:
        decoded = b64decode(encoded.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        decoded = ""
    client_id, colon, secret = decoded.partition(":")
    if not colon:
        raise invalid_client(with_basic=True)
    return Credentials(unquote_plus(client_id), unquote_plus(secret), "client_secret_basic")


def invalid_client(*, with_basic: bool) -> OAuthError:
    """Build a 401 `invalid_client`, with a Basic challenge if the client used Basic (RFC 6749 section 5.2)."""
    headers = {"WWW-Authenticate": 'Basic realm="relay", charset="UTF-8"'} if with_basic else {}
    return OAuthError("invalid_client", "client authentication failed", status=401, headers=headers)
