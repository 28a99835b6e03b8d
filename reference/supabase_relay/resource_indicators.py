"""Resource indicators (RFC 8707): this relay serves one resource, and issues tokens for no other."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from supabase_relay.errors import OAuthError


def require_served_resource(requested: Sequence[str], served: str) -> str:
    """The resource of an authorization request: the one that is served, whether asked for or not."""
    for resource in requested:
        if not names_resource(resource, served):
            raise OAuthError("invalid_target", "the requested resource is not served here")
    return served


def require_granted_resource(requested: Sequence[str], granted: str) -> None:
    """A token request may repeat the granted resource, and switch to no other (RFC 8707 section 2.2)."""
    for resource in requested:
        if not names_resource(resource, granted):
            raise OAuthError("invalid_target", "the requested resource is not the one that was granted")


def names_resource(requested: str, resource: str) -> bool:
    """Whether both name the same resource; letter case of the host and one trailing slash are forgiven."""
    canonical = _canonical(requested)
    return canonical is not None and canonical == _canonical(resource)


def _canonical(uri: str) -> str | None:
    """An absolute URI without fragment in one spelling, else None (RFC 8707 section 2)."""
    if not uri.isascii() or not uri.isprintable() or "#" in uri:
        return None
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not parts.scheme or not host or "@" in parts.netloc:
        return None
    default = {"http": 80, "https": 443}.get(parts.scheme)
    authority = host if port in (None, default) else f"{host}:{port}"
    return parts._replace(netloc=authority, path=parts.path.removesuffix("/")).geturl()
