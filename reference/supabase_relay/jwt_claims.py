"""What makes a JWT acceptable: its signature first, then one small check per claim (RFC 7519, RFC 8725)."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import jwt

from supabase_relay.errors import BadToken
from supabase_relay.jwks import VerificationKey

Claims = Mapping[str, object]

MAX_LENGTH = 16_384
_NO_CLAIM_CHECKS = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")}
_LIBRARY_ERRORS = (jwt.PyJWTError, ValueError, TypeError, RecursionError)


@dataclass(frozen=True)
class Expected:
    """What the claims must say; an issuer of None means that tokens carry none. `leeway` is in seconds."""

    audience: str
    issuer: str | None
    leeway: int


def unverified_header(token: str) -> Claims:
    """The header of a token, for the key id and the type alone; raises `BadToken`."""
    if len(token) > MAX_LENGTH or not token.isascii():
        raise BadToken("malformed")
    try:
        return cast("Claims", jwt.get_unverified_header(token))
    except _LIBRARY_ERRORS:
        raise BadToken("malformed") from None


def verify_signature(token: str, key: VerificationKey) -> Claims:
    """The claims of a token signed by `key`, under the key's algorithm whatever the header says (RFC 8725 3.1)."""
    try:
        options = cast("Any", {"verify_signature": True, **_NO_CLAIM_CHECKS})
        return cast("Claims", jwt.decode(token, key.key, algorithms=[key.algorithm], options=options))
    except _LIBRARY_ERRORS:
        raise BadToken("signature") from None


def check_claims(claims: Claims, expected: Expected) -> None:
    """Raise `BadToken` unless the token is for us, from whom we expect, and valid now."""
    check_issuer(claims, expected.issuer)
    check_audience(claims, expected.audience)
    check_expiry(claims, time.time(), expected.leeway)
    check_not_before(claims, time.time(), expected.leeway)
    check_subject(claims)


def check_issuer(claims: Claims, issuer: str | None) -> None:
    """RFC 7519 section 4.1.1, compared as a string."""
    if issuer is not None and claims.get("iss") != issuer:
        raise BadToken("issuer")


def check_audience(claims: Claims, audience: str) -> None:
    """RFC 7519 section 4.1.3: we must be among the recipients."""
    named = claims.get("aud")
    recipients = cast("list[object]", named) if isinstance(named, list) else [named]
    if audience not in recipients:
        raise BadToken("audience")


def check_expiry(claims: Claims, now: float, leeway: int) -> None:
    """RFC 7519 section 4.1.4: refused on or after `exp`, which must be there."""
    expires_at = _instant(claims, "exp")
    if expires_at is None or now >= expires_at + leeway:
        raise BadToken("expired")


def check_not_before(claims: Claims, now: float, leeway: int) -> None:
    """RFC 7519 section 4.1.5; the claim may be left out."""
    if "nbf" not in claims:
        return
    not_before = _instant(claims, "nbf")
    if not_before is None or now < not_before - leeway:
        raise BadToken("not_yet_valid")


def check_subject(claims: Claims) -> None:
    """A token without a subject is nobody's (RFC 9068 section 2.2)."""
    text_claim(claims, "sub")


def text_claim(claims: Claims, name: str) -> str:
    """A claim that must be a non-empty string; raises `BadToken`."""
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise BadToken(f"no_{name}")
    return value


def expiry_of(claims: Claims) -> float:
    """The `exp` of claims that were checked, in Unix seconds."""
    expires_at = _instant(claims, "exp")
    if expires_at is None:
        raise BadToken("expired")
    return expires_at


def _instant(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
