"""Client metadata (RFC 7591 section 2): which values the relay registers, and which ones it replaces."""

import secrets
import time
import unicodedata
from collections.abc import Sequence
from typing import Annotated, Any, cast

from pydantic import BaseModel, ConfigDict, Field, StrictStr, ValidationError

from supabase_relay.client_authentication import METHODS
from supabase_relay.errors import OAuthError
from supabase_relay.opaque_tokens import hash_of, new_secret
from supabase_relay.redirect_uris import MAX_LENGTH, may_be_registered
from supabase_relay.settings import Settings
from supabase_relay.storage.records import Client

GRANT_TYPES = ("authorization_code", "refresh_token")
RESPONSE_TYPES = ("code",)

_MAX_REDIRECT_URIS = 20
_DEFAULT_METHOD = "client_secret_basic"  # RFC 7591 section 2

_Text = Annotated[StrictStr, Field(max_length=255)]
_Url = Annotated[StrictStr, Field(max_length=MAX_LENGTH, pattern=r"^https?://[^\s\"'<>\\]+$")]


class Registration(BaseModel):
    """A registration request; the relay ignores members that are not listed here (RFC 7591 section 2)."""

    model_config = ConfigDict(extra="ignore")

    redirect_uris: Annotated[list[StrictStr], Field(min_length=1, max_length=_MAX_REDIRECT_URIS)]
    client_name: _Text | None = None
    client_uri: _Url | None = None
    logo_uri: _Url | None = None
    policy_uri: _Url | None = None
    tos_uri: _Url | None = None
    contacts: Annotated[list[_Text], Field(max_length=10)] | None = None
    software_id: _Text | None = None
    software_version: _Text | None = None
    grant_types: list[_Text] | None = None
    response_types: list[_Text] | None = None
    scope: Annotated[StrictStr, Field(max_length=4096)] | None = None
    token_endpoint_auth_method: _Text | None = None


def parse_registration(document: object, settings: Settings) -> Registration:
    """Parse and check a registration request; raises `OAuthError` (RFC 7591 section 3.2.2)."""
    if not isinstance(document, dict):
        raise invalid_metadata("the body must be a JSON object")
    try:
        registration = Registration.model_validate(cast("dict[str, Any]", document))
    except ValidationError as error:
        raise _refusal_of(error) from None
    check_redirect_uris(registration.redirect_uris, settings.private_use_schemes)
    check_grants(registration)
    check_method(registration.token_endpoint_auth_method)
    check_name(registration.client_name)
    return registration


def check_redirect_uris(redirect_uris: Sequence[str], private_use_schemes: Sequence[str]) -> None:
    """Refuse the registration if one of the redirect URIs may not be registered."""
    for uri in redirect_uris:
        if not may_be_registered(uri, private_use_schemes):
            raise OAuthError(
                "invalid_redirect_uri",
                "redirect_uris must use https, http on loopback, or a private-use scheme with a period; "
                "they must not have a fragment, user name, wildcard or response parameter",
            )


def check_grants(registration: Registration) -> None:
    """Require the authorization code grant if grant types or response types are listed."""
    grant_types, response_types = registration.grant_types, registration.response_types
    if grant_types is not None and "authorization_code" not in grant_types:
        raise invalid_metadata("grant_types must include authorization_code")
    if response_types is not None and "code" not in response_types:
        raise invalid_metadata("response_types must include code")


def check_method(method: str | None) -> None:
    """Require a method of client authentication that the relay's metadata lists."""
    if method is not None and method not in METHODS:
        raise invalid_metadata(f"token_endpoint_auth_method must be one of {', '.join(METHODS)}")


def check_name(name: str | None) -> None:
    """Refuse control and direction characters: with them, one client name can look like another on the consent page."""
    if name is not None and any(unicodedata.category(character).startswith("C") for character in name):
        raise invalid_metadata("client_name must not have control characters")


def registered_scope(scope: str | None, supported: Sequence[str]) -> tuple[str, ...]:
    """Return the supported part of the requested scope, or the whole supported scope if that part is empty.

    The registration answer states the result (RFC 7591 section 3.2.1).
    """
    asked = (scope or "").split()
    return tuple(name for name in supported if name in asked) or tuple(supported)


def new_client(registration: Registration, settings: Settings) -> tuple[Client, str | None]:
    """Create a client from a registration; also return its secret if it is confidential."""
    now = int(time.time())
    method = registration.token_endpoint_auth_method or _DEFAULT_METHOD
    secret = None if method == "none" else new_secret()
    client = Client(
        client_id=secrets.token_urlsafe(16),
        client_name=registration.client_name,
        redirect_uris=tuple(dict.fromkeys(registration.redirect_uris)),
        scope=registered_scope(registration.scope, settings.scopes),
        token_endpoint_auth_method=method,
        secret_hash=hash_of("client_secret", secret) if secret else None,
        issued_at=now,
        expires_at=now + settings.client_ttl,
    )
    return client, secret


def information_response(registration: Registration, client: Client, secret: str | None) -> dict[str, object]:
    """Build the client information response (RFC 7591 section 3.2.1): all registered values, replaced ones included."""
    echoed = registration.model_dump(exclude_none=True, exclude={"grant_types", "response_types", "scope"})
    body: dict[str, object] = {
        **echoed,
        "client_id": client.client_id,
        "client_id_issued_at": int(client.issued_at),
        "redirect_uris": list(client.redirect_uris),
        "grant_types": list(GRANT_TYPES),
        "response_types": list(RESPONSE_TYPES),
        "scope": " ".join(client.scope),
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
    }
    if secret is not None:
        body |= {"client_secret": secret, "client_secret_expires_at": int(client.expires_at)}
    return body


def invalid_metadata(description: str) -> OAuthError:
    """Build an `invalid_client_metadata` error (RFC 7591 section 3.2.2)."""
    return OAuthError("invalid_client_metadata", description)


def _refusal_of(error: ValidationError) -> OAuthError:
    names = [str(item["loc"][0]) for item in error.errors() if item["loc"]]
    if "redirect_uris" in names:
        return OAuthError("invalid_redirect_uri", "redirect_uris must be an array of one to twenty URIs")
    return invalid_metadata(f"{names[0]} is malformed" if names else "the metadata is malformed")
