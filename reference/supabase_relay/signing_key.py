"""The key with which the relay signs its own access tokens: ES256 or RS256, published as a JWK set."""

import hashlib
import json
from base64 import urlsafe_b64encode
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from supabase_relay.jwks import VerificationKey, parse_keys

TOKEN_TYPE = "at+jwt"  # RFC 9068 section 2.1

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class SigningKey:
    """The relay's private key, from a PEM or a private JWK; a new key if `text` is empty.

    Raises `ValueError` if the text is neither, or if the key is neither P-256 nor RSA.
    """

    def __init__(self, text: str | None) -> None:
        self._private = _load(text) if text else ec.generate_private_key(ec.SECP256R1())
        self.algorithm = _algorithm_of(self._private)
        members = _public_members(self._private)
        self.public_jwk: dict[str, object] = {
            **members,
            "kid": _thumbprint(members),
            "alg": self.algorithm,
            "use": "sig",
        }
        self.verification: VerificationKey = parse_keys([self.public_jwk])[0]

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign a JWT of type `at+jwt` with these claims."""
        headers = {"typ": TOKEN_TYPE, "kid": self.verification.kid}
        return jwt.encode(claims, self._private, algorithm=self.algorithm, headers=headers)


def _load(text: str) -> PrivateKey:
    try:
        if text.lstrip().startswith("{"):
            fields: dict[str, Any] = json.loads(text)
            kind = RSAAlgorithm if fields.get("kty") == "RSA" else ECAlgorithm
            key: object = kind.from_jwk(fields)
        else:
            key = load_pem_private_key(text.encode(), password=None)
    except (jwt.PyJWTError, ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("SIGNING_KEY is neither a private key in PEM nor a private JWK") from None
    if isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        return key
    raise ValueError("SIGNING_KEY must be a private key on P-256, or an RSA one")


def _algorithm_of(key: PrivateKey) -> str:
    if isinstance(key, rsa.RSAPrivateKey):
        return "RS256"
    if not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("SIGNING_KEY must be a private key on P-256, or an RSA one")
    return "ES256"


def _public_members(key: PrivateKey) -> dict[str, object]:
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        jwk: dict[str, Any] = RSAAlgorithm.to_jwk(public, as_dict=True)
        return {name: jwk[name] for name in ("e", "kty", "n")}
    jwk = ECAlgorithm.to_jwk(public, as_dict=True)
    return {name: jwk[name] for name in ("crv", "kty", "x", "y")}


def _thumbprint(members: dict[str, object]) -> str:
    """Hash the required members in lexicographic order (RFC 7638)."""
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
