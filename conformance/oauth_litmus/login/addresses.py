"""Whose an address on the way of a login is: the server's own, the client's, or nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.http.sites import host_of, scheme_of

if TYPE_CHECKING:
    from oauth_litmus.target.server import Server


def can_exist(url: str) -> bool:
    """Whether a login may lead there: names that are reserved (RFC 2606, RFC 6761) are nobody's."""
    reserved = (".example", ".example.com", ".invalid", ".test")
    return scheme_of(url) in ("http", "https") and not host_of(url).endswith(reserved)


def origin_of(url: str) -> str:
    """Scheme, host and port as they are written, in lower case; `url` itself if it is none."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}".lower()
    except ValueError:
        return url


def home_origins(server: Server) -> frozenset[str]:
    """The origins of the server under test."""
    urls = [server.issuer, server.endpoint("authorization"), server.endpoint("token")]
    return frozenset(origin_of(url) for url in urls if url and server.trusted_hosts.cover(url))


def is_of(target: str, registered: tuple[str, ...]) -> bool:
    """Whether an address is one of these, with an answer added or without."""
    return any(
        target == uri or (target.startswith(uri) and target[len(uri)] in ("&#" if "?" in uri else "?#"))
        for uri in registered
    )
