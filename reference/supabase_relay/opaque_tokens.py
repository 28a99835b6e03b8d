"""Codes and refresh tokens: `<family>.<secret>`, unguessable, and known to the store by their hashes alone."""

import hashlib
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Literal

Kind = Literal["code", "refresh", "state", "browser", "client_secret", "access"]

_SHAPE = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")
_RANDOM_BYTES = 32  # RFC 6749 section 10.10 asks for a guessing chance below 2^-160


@dataclass(frozen=True)
class OpaqueToken:
    """A code or refresh token; its family names the login to which it belongs."""

    family: str
    secret: str

    def __str__(self) -> str:
        return f"{self.family}.{self.secret}"


def new_secret() -> str:
    """A fresh secret of 256 random bits, as 43 URL-safe characters."""
    return secrets.token_urlsafe(_RANDOM_BYTES)


def new_token(family: str) -> OpaqueToken:
    """A fresh code or refresh token of `family`."""
    return OpaqueToken(family, new_secret())


def parse_token(text: str) -> OpaqueToken | None:
    """Read a presented code or refresh token exactly as issued: None for any other spelling."""
    match = _SHAPE.fullmatch(text)
    return OpaqueToken(match[1], match[2]) if match else None


def hash_of(kind: Kind, secret: object) -> str:
    """The hash by which the store knows a secret; the kind keeps codes, tokens and states apart."""
    return hashlib.sha256(f"{kind}:{secret}".encode()).hexdigest()


def family_of_session(session_id: str) -> str:
    """The family of a Supabase session: found again from the `session_id` of any of its tokens."""
    digest = hashlib.sha256(f"family:{session_id}".encode()).digest()[:16]
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_family(text: object) -> bool:
    """Whether `text` has the shape of a family, and so can stand in a key of the store."""
    return isinstance(text, str) and re.fullmatch(r"[A-Za-z0-9_-]{22}", text) is not None


def fingerprint(secret: object) -> str:
    """A short name for a secret, safe to log: enough to find two lines that belong together."""
    return hashlib.sha256(f"log:{secret}".encode()).hexdigest()[:12]
