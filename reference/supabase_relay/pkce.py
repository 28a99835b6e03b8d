"""Proof Key for Code Exchange (RFC 7636; OAuth 2.1 section 4.1.1), with S256 only."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass

from supabase_relay.errors import OAuthError, invalid_request
from supabase_relay.opaque_tokens import new_secret

METHOD = "S256"

_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # challenge and verifier, RFC 7636 sections 4.1 and 4.2


@dataclass(frozen=True)
class PkcePair:
    """A verifier and its challenge, for the relay's own requests to Supabase."""

    verifier: str
    challenge: str


def new_pair() -> PkcePair:
    """Create a pair with 256 random bits and an S256 challenge."""
    verifier = new_secret()
    return PkcePair(verifier, challenge_of(verifier))


def challenge_of(verifier: str) -> str:
    """Return BASE64URL(SHA256(verifier)), without padding (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def require_challenge(challenge: str | None, method: str | None) -> str:
    """Return the challenge of an authorization request, which must name S256.

    Without a method the default would be `plain` (RFC 7636 section 4.3).
    """
    if challenge is None:
        raise invalid_request("code_challenge is required")
    if method != METHOD:
        raise invalid_request("code_challenge_method must be S256")
    if not _UNRESERVED.fullmatch(challenge):
        raise invalid_request("code_challenge must be 43 to 128 unreserved characters")
    return challenge


def require_verifier_shape(verifier: str | None) -> str:
    """Return the verifier of a token request; refuse one that RFC 7636 section 4.1 does not allow."""
    if verifier is None:
        raise invalid_request("code_verifier is required")
    if not _UNRESERVED.fullmatch(verifier):
        raise OAuthError("invalid_grant", "code_verifier must be 43 to 128 unreserved characters")
    return verifier


def verifier_matches(verifier: str, challenge: str) -> bool:
    """Whether the verifier hashes to the challenge of the authorization request (RFC 7636 section 4.6)."""
    return hmac.compare_digest(challenge_of(verifier), challenge)
