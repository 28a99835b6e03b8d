"""Clients, codes and tokens as in Authlib's documentation, but in dictionaries and lists instead of a database.

Each method does the same as the method of this name in the library's SQLAlchemy mixins (`authlib.integrations.sqla_oauth2`).
"""

import secrets
import time
from copy import copy
from dataclasses import dataclass, field
from typing import TypeVar

from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin,
    ClientMixin,
    OAuth2Request,
    TokenMixin,
    list_to_scope,
    scope_to_list,
)

Row = TypeVar("Row")
CODE_TTL = 6
ACCESS_TOKEN_TTL = 8
REFRESH_TOKEN_TTL = 12
"""Lifetimes in seconds, so short that the suite can wait for their end."""
ROUND_TRIP = 0.02
"""Simulated seconds of a database query. Without them the interpreter lock would mostly hide race conditions."""


@dataclass
class User:
    """A user who logs in."""

    name: str

    def get_user_id(self) -> str:
        return self.name


@dataclass
class Client(ClientMixin):
    """A registered client and its metadata (RFC 7591)."""

    client_id: str
    client_secret: str
    client_metadata: dict

    @property
    def redirect_uris(self) -> list[str]:
        return self.client_metadata.get("redirect_uris", [])

    @property
    def name(self) -> str:
        return self.client_metadata.get("client_name") or self.client_id

    def get_client_id(self):
        return self.client_id

    def get_default_redirect_uri(self):
        return self.redirect_uris[0] if self.redirect_uris else None

    def get_allowed_scope(self, scope):
        if not scope:
            return ""
        allowed = set(self.client_metadata.get("scope", "").split())
        return list_to_scope([wanted for wanted in scope_to_list(scope) if wanted in allowed])

    def check_redirect_uri(self, redirect_uri):
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret):
        return secrets.compare_digest(self.client_secret, client_secret)

    def check_endpoint_auth_method(self, method, endpoint):
        if endpoint == "token":
            return self.client_metadata.get("token_endpoint_auth_method", "client_secret_basic") == method
        return True

    def check_response_type(self, response_type):
        return response_type in self.client_metadata.get("response_types", [])

    def check_grant_type(self, grant_type):
        return grant_type in self.client_metadata.get("grant_types", [])


@dataclass
class Code(AuthorizationCodeMixin):
    """An authorization code."""

    code: str
    client_id: str
    redirect_uri: str | None
    scope: str
    user: User
    code_challenge: str | None
    code_challenge_method: str | None
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def is_expired(self):
        return self.auth_time + CODE_TTL < time.time()

    def get_redirect_uri(self):
        return self.redirect_uri

    def get_scope(self):
        return self.scope


@dataclass
class Token(TokenMixin):
    """An access token and the refresh token issued with it: one row of the documentation's table."""

    client_id: str
    user: User
    token_type: str
    access_token: str
    expires_in: int
    refresh_token: str | None = None
    scope: str = ""
    issued_at: int = field(default_factory=lambda: int(time.time()))
    access_token_revoked_at: int = 0
    refresh_token_revoked_at: int = 0

    def check_client(self, client):
        return self.client_id == client.get_client_id()

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.expires_in

    def is_revoked(self):
        return self.access_token_revoked_at or self.refresh_token_revoked_at

    def is_expired(self):
        return self.issued_at + self.expires_in < time.time()

    def is_refresh_token_active(self):
        return not self.is_revoked() and self.issued_at + REFRESH_TOKEN_TTL >= time.time()

    def get_user(self):
        return self.user


class Store:
    """The tables of the documentation, in a database whose queries take time."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self.codes: dict[str, Code] = {}
        self.tokens: list[Token] = []

    def query_client(self, client_id: str) -> Client | None:
        return self.clients.get(client_id)

    def query_code(self, code: str) -> Code | None:
        return _answered(self.codes.get(code))

    def query_token(self, token: str, token_type_hint: str | None) -> Token | None:
        """Search only for the kind of token in the hint, as the documentation and `create_query_token_func` do."""
        if token_type_hint == "access_token":
            return _answered(self._row(access_token=token))
        if token_type_hint == "refresh_token":
            return _answered(self._row(refresh_token=token))
        return _answered(self._row(access_token=token) or self._row(refresh_token=token))

    def save_token(self, token: dict, request: OAuth2Request) -> None:
        self.tokens.append(Token(client_id=request.client.client_id, user=request.user, **token))

    def revoke(self, token: Token, *, access_token_alone: bool = False) -> None:
        row, now = self._row(access_token=token.access_token), int(time.time())
        row.access_token_revoked_at = now
        if not access_token_alone:
            row.refresh_token_revoked_at = now

    def _row(self, **wanted: str) -> Token | None:
        rows = (row for row in list(self.tokens) if all(getattr(row, name) == wanted[name] for name in wanted))
        return next(rows, None)


def _answered(row: Row) -> Row:
    """Return a copy of the row from before the query's delay."""
    read = copy(row)
    time.sleep(ROUND_TRIP)
    return read
