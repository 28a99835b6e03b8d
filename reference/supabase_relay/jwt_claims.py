"""JWT validation: the signature first, then one check per claim (RFC 7519, RFC 8725)."""

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
    """The expected claim values. If `issuer` is None, `iss` is not checked. `leeway` is in seconds."""

    audience: str
    issuer: str | None
    leeway: int


def unverified_header(token: str) -> Claims:
    """Read the token's header without verification; use only its key id and type. Raises `BadToken`."""
    if len(token) > MAX_LENGTH or not token.isascii():
        raise BadToken("malformed")
    try:
        return cast("Claims", jwt.get_unverified_header(token))
    except _LIBRARY_ERRORS:
        raise BadToken("malformed") from None


def verify_signature(token: str, key: VerificationKey) -> Claims:
    """Verify the signature and return the claims; the key decides the algorithm, not the header (RFC 8725 3.1)."""
    try:
        options = cast("Any", {"verify_signature": True, **_NO_CLAIM_CHECKS})
        return cast("Claims", jwt.decode(token, key.key, algorithms=[key.algorithm], options=options))
    except _LIBRARY_ERRORS:
        raise BadToken("signature") from None


def check_claims(claims: Claims, expected: Expected) -> None:
    """Raise `BadToken` unless issuer and audience match, the token is valid now, and it has a subject."""
    check_issuer(claims, expected.issuer)
    check_audience(claims, expected.audience)
    check_expiry(claims, time.time(), expected.leeway)
    check_not_before(claims, time.time(), expected.leeway)
    check_subject(claims)


def check_issuer(claims: Claims, issuer: str | None) -> None:
    """Compare `iss` as a string (RFC 7519 section 4.1.1)."""
    if issuer is not None and claims.get("iss") != issuer:
        raise BadToken("issuer")


def check_audience(claims: Claims, audience: str) -> None:
    """Require `audience` among the recipients in `aud` (RFC 7519 section 4.1.3)."""
    named = claims.get("aud")
    recipients = cast("list[object]", named) if isinstance(named, list) else [named]
    if audience not in recipients:
        raise BadToken("audience")


def check_expiry(claims: Claims, now: float, leeway: int) -> None:
    """Refuse a token without `exp`, and any token at or after `exp` plus the leeway (RFC 7519 section 4.1.4)."""
    expires_at = _instant(claims, "exp")
    if expires_at is None or now >= expires_at + leeway:
        raise BadToken("expired")


def check_not_before(claims: Claims, now: float, leeway: int) -> None:
    """Refuse a token before `nbf` minus the leeway; the claim is optional (RFC 7519 section 4.1.5)."""
    if "nbf" not in claims:
        return
    not_before = _instant(claims, "nbf")
    if not_before is None or now < not_before - leeway:
        raise BadToken("not_yet_valid")


def check_subject(claims: Claims) -> None:
    """Require a subject (RFC 9068 section 2.2)."""
    text_claim(claims, "sub")


def text_claim(claims: Claims, name: str) -> str:
    """Return a claim that must be a non-empty string; raises `BadToken`."""
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise BadToken(f"no_{name}")
    return value


def expiry_of(claims: Claims) -> float:
    """Return the `exp` of claims that were checked, in Unix seconds."""
    expires_at = _instant(claims, "exp")
    if expires_at is None:
        raise BadToken("expired")
    return expires_at


def _instant(claims: Claims, name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
