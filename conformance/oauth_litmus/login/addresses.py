"""Classify the URLs of a login: the server's own, the client's, or one on a reserved host that cannot exist."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.http.sites import host_of, scheme_of

if TYPE_CHECKING:
    from oauth_litmus.target.server import Server


def can_exist(url: str) -> bool:
    """Whether a login may lead to this URL: not if its host name is reserved (RFC 2606, RFC 6761)."""
    reserved = (".example", ".example.com", ".invalid", ".test")
    return scheme_of(url) in ("http", "https") and not host_of(url).endswith(reserved)


def origin_of(url: str) -> str:
    """Return scheme, host and port as written, in lower case; return `url` itself if it cannot be parsed."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        return url


def home_origins(server: Server) -> frozenset[str]:
    """Return the origins of the server under test: of its issuer, authorization endpoint and token endpoint."""
    urls = [server.issuer, server.endpoint("authorization"), server.endpoint("token")]
    return frozenset(origin_of(url) for url in urls if url and server.trusted_hosts.cover(url))


def is_of(target: str, registered: tuple[str, ...]) -> bool:
    """Whether a URL is one of these redirect URIs, with or without an authorization response appended."""
    return any(
        target == uri or (target.startswith(uri) and target[len(uri)] in ("&#" if "?" in uri else "?#"))
        for uri in registered
    )
