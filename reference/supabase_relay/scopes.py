"""Scope: parsed, granted, and narrowed, never widened (RFC 6749 section 3.3; OAuth 2.1 section 4.3)."""

import re
from collections.abc import Sequence

from supabase_relay.errors import OAuthError

_SCOPE = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]+")


def parse_scope(text: str | None) -> tuple[str, ...]:
    """The names in a scope parameter, each once; empty where the parameter was left out."""
    if text is None:
        return ()
    if not _SCOPE.fullmatch(text):
        raise OAuthError("invalid_scope", "scope must be names separated by spaces")
    return tuple(dict.fromkeys(name for name in text.split(" ") if name))


def format_scope(names: Sequence[str]) -> str:
    """The value of a scope parameter or member: one string, single spaces."""
    return " ".join(names)


def granted_at_authorization(requested: Sequence[str], allowed: Sequence[str]) -> tuple[str, ...]:
    """What an authorization request gets: what it asks for, or by default all that the client may have."""
    return narrowed(requested, allowed) if requested else tuple(allowed)


def granted_at_refresh(requested: Sequence[str], original: Sequence[str]) -> tuple[str, ...]:
    """What a refresh gets: a part of the original grant, or by default all of it (OAuth 2.1 section 4.3.1)."""
    return narrowed(requested, original) if requested else tuple(original)


def narrowed(requested: Sequence[str], within: Sequence[str]) -> tuple[str, ...]:
    """The requested names in the order of `within`; raises `invalid_scope` if one of them is not in there."""
    excess = [name for name in requested if name not in within]
    if excess:
        raise OAuthError("invalid_scope", "the requested scope is unknown or exceeds what may be granted")
    return tuple(name for name in within if name in requested)
