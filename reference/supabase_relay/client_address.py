"""Who is asking: the peer's address, unless a proxy that the operator trusts says for whom it asks."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import Request

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_UNKNOWN = "unknown"
_IPV6_SITE_BITS = 64  # one subscriber has a /64 at least, and may use any address in it


def rate_limit_key(request: Request, trusted: Sequence[Network]) -> str:
    """What a limit counts by: the client's address, an IPv6 one by its /64."""
    address = client_address(request, trusted)
    if address is None:
        return _UNKNOWN
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, _IPV6_SITE_BITS), strict=False))
    return str(address)


def client_address(request: Request, trusted: Sequence[Network]) -> Address | None:
    """The peer; behind trusted proxies the rightmost address of X-Forwarded-For that is not one of them."""
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
