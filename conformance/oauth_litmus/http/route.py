"""The way of a request to one of several instances behind one issuer."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit


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


def origin_of(url: str | None) -> str:
    """Scheme, host and port of a URL; empty where there is none."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""
