"""Resource indicators (RFC 8707): the relay serves one resource and issues tokens for it alone."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from supabase_relay.errors import OAuthError


def require_served_resource(requested: Sequence[str], served: str) -> str:
    """Return the served resource, or raise `invalid_target` if the authorization request names another one."""
    for resource in requested:
        if not names_resource(resource, served):
            raise OAuthError("invalid_target", "the requested resource is not served here")
    return served


def require_granted_resource(requested: Sequence[str], granted: str) -> None:
    """Raise `invalid_target` if the token request names a resource that was not granted (RFC 8707 section 2.2)."""
    for resource in requested:
        if not names_resource(resource, granted):
            raise OAuthError("invalid_target", "the requested resource is not the one that was granted")


def names_resource(requested: str, resource: str) -> bool:
    """Whether both URIs name the same resource, ignoring the letter case of the host and one trailing slash."""
    canonical = _canonical(requested)
    return canonical is not None and canonical == _canonical(resource)


def _canonical(uri: str) -> str | None:
    """Normalize an absolute URI; None if it is not a plain absolute URI without fragment (RFC 8707 section 2)."""
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
