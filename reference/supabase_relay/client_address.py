"""The client's address: the peer, or the address that a trusted proxy reports in X-Forwarded-For."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_UNKNOWN = "unknown"
_IPV6_SITE_BITS = 64  # a subscriber has at least a /64 and can use every address in it


def rate_limit_key(request: Request, trusted: Sequence[Network]) -> str:
    """Return the key of a rate limit: the client's IPv4 address, or the /64 network of its IPv6 address."""
    address = client_address(request, trusted)
    if address is None:
        return _UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_SITE_BITS), strict=False))
    return str(address)


def client_address(request: Request, trusted: Sequence[Network]) -> Address | None:
    """Return the peer's address; if the peer is a trusted proxy, the rightmost untrusted address of X-Forwarded-For.

    If all addresses are trusted, or one cannot be parsed, return the last address that was read.
    """
    address = _parse(request.client.host if request.client else "")
    if address is None or not _is_trusted(address, trusted):
        return address
    for hop in reversed(_forwarded_for(request)):
        forwarded = _parse(hop)
        if forwarded is None:
            break
        address = forwarded
        if not _is_trusted(address, trusted):
            break
    return address


def _forwarded_for(request: Request) -> list[str]:
    lines = request.headers.getlist("x-forwarded-for")
    return [hop.strip() for line in lines for hop in line.split(",")]


def _is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address in network for network in trusted)


def _parse(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]").split("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
