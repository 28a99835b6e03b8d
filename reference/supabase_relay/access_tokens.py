"""Access tokens: clients get either Supabase's own JWT, or a JWT signed by the relay (RFC 9068)."""

import secrets
import time
from dataclasses import dataclass
from typing import Protocol, cast

from supabase_relay.errors import BadToken
from supabase_relay.jwks import JwksCache
from supabase_relay.jwt_claims import (
    Claims,
    Expected,
    check_claims,
    expiry_of,
    text_claim,
    unverified_header,
    verify_signature,
)
from supabase_relay.opaque_tokens import family_of_session, is_family
from supabase_relay.signing_key import TOKEN_TYPE, SigningKey
from supabase_relay.storage.records import Family, UpstreamTokens


@dataclass(frozen=True)
class NewAccessToken:
    """A new access token; `expires_at` is in Unix seconds."""

    value: str
    expires_at: float


@dataclass(frozen=True)
class CheckedToken:
    """The verified claims of a token, before the store is consulted; `expires_at` is in Unix seconds."""

    family: str
    subject: str
    expires_at: float


class AccessTokens(Protocol):
    """A kind of access token: how to issue it and how to check it."""

    def issue(self, family_id: str, family: Family, scope: str, upstream: UpstreamTokens) -> NewAccessToken:
        """Create an access token for a family and scope; `upstream` are the family's current tokens of Supabase."""
        ...

    async def check(self, token: str) -> CheckedToken:
        """Verify signature and claims; raises `BadToken`, or `UpstreamUnavailable` if the keys are unavailable."""
        ...

    def key_set(self) -> dict[str, object] | None:
        """Return the public keys to publish; None if the relay does not sign these tokens."""
        ...


class SupabaseJwts:
    """Check JWTs of Supabase Auth: at the callback, at a refresh, and when clients present them."""

    def __init__(self, jwks: JwksCache, expected: Expected) -> None:
        self._jwks = jwks
        self._expected = expected

    async def check(self, token: str) -> Claims:
        """Return the claims of a token that Supabase signed and that is valid now; raises `BadToken`."""
        kid = unverified_header(token).get("kid")
        key = await self._jwks.find(kid if isinstance(kid, str) else None)
        if key is None:
            raise BadToken("unknown_key")
        claims = verify_signature(token, key)
        check_claims(claims, self._expected)
        text_claim(claims, "session_id")
        return claims


class SupabaseAccessTokens:
    """Supabase's JWT as the access token; the store records its client, scope and resource."""

    def __init__(self, jwts: SupabaseJwts) -> None:
        self._jwts = jwts

    def issue(self, family_id: str, family: Family, scope: str, upstream: UpstreamTokens) -> NewAccessToken:
        """Return Supabase's token unchanged; it expires when Supabase says."""
        return NewAccessToken(upstream.access_token, upstream.expires_at)

    async def check(self, token: str) -> CheckedToken:
        """Verify Supabase's signature and claims; the session id determines the family."""
        claims = await self._jwts.check(token)
        family = family_of_session(text_claim(claims, "session_id"))
        return CheckedToken(family, text_claim(claims, "sub"), expiry_of(claims))

    def key_set(self) -> None:
        """Return None: Supabase publishes the keys."""


class RelayAccessTokens:
    """A JWT signed by the relay, with audience, client and scope in the token (RFC 9068)."""

    def __init__(self, key: SigningKey, *, issuer: str, ttl: int, expected: Expected) -> None:
        self._key = key
        self._issuer = issuer
        self._ttl = ttl
        self._expected = expected

    def issue(self, family_id: str, family: Family, scope: str, upstream: UpstreamTokens) -> NewAccessToken:
        """Sign a JWT with the claims of RFC 9068 section 2.2."""
        now = int(time.time())
        expires_at = now + self._ttl
        claims = {
            "iss": self._issuer,
            "aud": family.resource,
            "sub": family.subject,
            "client_id": family.client_id,
            "scope": scope,
            "iat": now,
            "exp": expires_at,
            "jti": secrets.token_urlsafe(16),
            "sid": family_id,
        }
        return NewAccessToken(self._key.sign(claims), expires_at)

    async def check(self, token: str) -> CheckedToken:
        """Verify the relay's signature, the type (RFC 9068 section 4) and the claims."""
        if unverified_header(token).get("typ") != TOKEN_TYPE:
            raise BadToken("type")
        claims = verify_signature(token, self._key.verification)
        check_claims(claims, self._expected)
        family = claims.get("sid")
        if not is_family(family):
            raise BadToken("no_sid")
        return CheckedToken(cast("str", family), text_claim(claims, "sub"), expiry_of(claims))

    def key_set(self) -> dict[str, object]:
        """Return the public key as a JWK set (RFC 7517)."""
        return {"keys": [self._key.public_jwk]}
