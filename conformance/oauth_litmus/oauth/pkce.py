"""PKCE (RFC 7636): code verifiers and their challenges."""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def new_verifier(length: int = 64) -> str:
    """Return a fresh `code_verifier` (RFC 7636 section 4.1)."""
    return secrets.token_urlsafe(length)[:length]


def s256(code_verifier: str) -> str:
    """Return the S256 `code_challenge` of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()
