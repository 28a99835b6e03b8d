"""Replicas: single instances behind the one issuer, each at an address of its own, and the way to reach one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauth_litmus.target.server import Server


@dataclass(frozen=True)
class Route:
    """The way of a request for the issuer to one replica."""

    origin: str
    """Scheme, host and port of the replica."""
    keeps_host: bool = True
    """Whether requests (and TLS) name the issuer's host, as they do behind a balancer, and not the replica's own."""

    def url(self, url: str) -> str:
        """Where to connect for a URL of the issuer."""
        here = urlsplit(self.origin)
        return urlunsplit(urlsplit(url)._replace(scheme=here.scheme, netloc=here.netloc))


def replica_origin(written: str) -> str:
    """The origin that an operator wrote for a replica.

    Raises:
        ValueError: it is no http(s) URL, or has more than an origin.
    """
    try:
        parts = urlsplit(written.strip())
        _ = parts.port  # raises ValueError for an impossible one
    except ValueError as error:
        raise ValueError(f"{written!r} is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"{written!r} is no address of a replica: write the URL of one instance, as in http://10.0.0.7:8080"
        )
    if parts.username is not None:
        raise ValueError(
            "the URL of a replica must hold no credentials: give them in the profile, as [http] secret_headers"
        )
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(
            f"{written!r} is more than the origin of a replica: write {parts.scheme}://{parts.netloc}, and requests keep "
            "the path that they have at the issuer"
        )
    return f"{parts.scheme}://{parts.netloc}".lower()


def need_two(origins: Iterable[str]) -> None:
    """See that there is something to compare.

    Raises:
        ValueError: there are not two different replicas.
    """
    different = set(origins)
    if len(different) < 2:
        raise ValueError(
            f"{', '.join(different)} alone can be compared with nothing: give --replica for each instance, twice or more"
        )


def origin_of(url: str | None) -> str:
    """Scheme, host and port of a URL; empty where there is none."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""


def elsewhere(server: Server) -> tuple[str, ...]:
    """The endpoints that are not at the issuer's origin, where its replicas would answer for it."""
    asked = ("authorization", "token", "registration", "revocation")
    home = origin_of(server.issuer)
    return tuple(name for name in asked if server.endpoint(name) and origin_of(server.endpoint(name)) != home)
