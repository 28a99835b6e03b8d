"""Codes and refresh tokens: `<family>.<secret>`, with a random secret; the store keeps only their hashes."""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Literal

Kind = Literal["code", "refresh", "state", "browser", "client_secret", "access"]

_SHAPE = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")
_RANDOM_BYTES = 32  # RFC 6749 section 10.10 recommends a guessing probability of at most 2^-160


@dataclass(frozen=True)
class OpaqueToken:
    """A code or refresh token; `family` identifies the login to which it belongs."""

    family: str
    secret: str

    def __str__(self) -> str:
        return f"{self.family}.{self.secret}"


def new_secret() -> str:
    """Create a secret of 256 random bits, as 43 URL-safe characters."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def new_token(family: str) -> OpaqueToken:
    """Create a code or refresh token of `family`."""
    return OpaqueToken(family, new_secret())


def parse_token(text: str) -> OpaqueToken | None:
    """Parse a code or refresh token; None if it is not spelled exactly as the relay issues them."""
    match = _SHAPE.fullmatch(text)
    return OpaqueToken(match[1], match[2]) if match else None


def hash_of(kind: Kind, secret: object) -> str:
    """Return the hash under which the store keeps a secret; hashes of different kinds never match."""
    return hashlib.sha256(f"{kind}:{secret}".encode()).hexdigest()


def family_of_session(session_id: str) -> str:
    """Derive the family from the `session_id` of a Supabase session, which all its tokens contain."""
    digest = hashlib.sha256(f"family:{session_id}".encode()).digest()[:16]
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_family(text: object) -> bool:
    """Whether `text` has the format of a family, so that it is safe in a key of the store."""
    return isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]{22}", text) is not None


def fingerprint(secret: object) -> str:
    """Return a short hash of a secret that is safe to log, so that related lines can be found."""
    return hashlib.sha256(f"log:{secret}".encode()).hexdigest()[:12]
