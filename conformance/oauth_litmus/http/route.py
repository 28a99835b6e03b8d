"""The way of a request to one of several instances behind one issuer."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit


@dataclass(frozen=True)
class Route:
    """The route of a request for the issuer to one replica."""

    origin: str
    """Scheme, host and port of the replica."""
    keeps_host: bool = True
    """Whether requests and TLS name the issuer's host, as behind a load balancer, instead of the replica's host."""

    def url(self, url: str) -> str:
        """Return the replica's URL for a URL of the issuer."""
        here = urlsplit(self.origin)
        return urlunsplit(urlsplit(url)._replace(scheme=here.scheme, netloc=here.netloc))


def origin_of(url: str | None) -> str:
    """Return scheme, host and port of a URL; empty if there is no host, or the URL cannot be parsed."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""
