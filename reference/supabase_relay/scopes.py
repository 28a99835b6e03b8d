"""Scope: parse, grant and narrow it, but never widen it (RFC 6749 section 3.3; OAuth 2.1 section 4.3)."""

import re
from collections.abc import Sequence

from supabase_relay.errors import OAuthError

_SCOPE = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]+")


def parse_scope(text: str | None) -> tuple[str, ...]:
    """Return the names in a scope parameter without duplicates; empty if the parameter is missing."""
    if text is None:
        return ()
    if not _SCOPE.fullmatch(text):
        raise OAuthError("invalid_scope", "scope must be names separated by spaces")
    return tuple(dict.fromkeys(name for name in text.split(" ") if name))


def format_scope(names: Sequence[str]) -> str:
    """Join scope names with single spaces, as a scope parameter or JSON member has them."""
    return " ".join(names)


def granted_at_authorization(requested: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    """Return the scope of an authorization: the requested one, or by default the client's whole scope."""
    return narrowed(requested, allowed) if requested else tuple(allowed)


def granted_at_refresh(requested: Sequence[str], original: Sequence[str]) -> tuple[str, ...]:
    """Return the scope of a refresh: part of the original grant, or by default all of it (OAuth 2.1 section 4.3.1)."""
    return narrowed(requested, original) if requested else tuple(original)


def narrowed(requested: Sequence[str], within: Sequence[str]) -> tuple[str, ...]:
    """Return the requested names in the order of `within`; raises `invalid_scope` if it lacks one of them."""
    excess = [name for name in requested if name not in within]
    if excess:
        raise OAuthError("invalid_scope", "the requested scope is unknown or exceeds what may be granted")
    return tuple(name for name in within if name in requested)
