"""What every endpoint needs of its request: the relay behind it, and the count of who asks."""

from starlette.requests import Request

from supabase_relay.client_address import rate_limit_key
from supabase_relay.ratelimit import Action
from supabase_relay.relay import Relay


def relay_of(request: Request) -> Relay:
    """The relay that serves this request."""
    return request.app.state.relay


def address_of(request: Request) -> str:
    """By what the limits count the request."""
    return rate_limit_key(request, relay_of(request).settings.trusted_proxies)


async def limit(request: Request, action: Action) -> None:
    """Count the request; raises `RateLimited` if it is one too many."""
    await relay_of(request).limiter.require(action, address_of(request))


def is_speculative(request: Request) -> bool:
    """Whether nobody looks at the answer yet: HEAD, and what browsers fetch ahead of the user."""
    purposes = (request.headers.get("sec-purpose", ""), request.headers.get("purpose", ""))
    return request.method == "HEAD" or any("prefetch" in purpose for purpose in purposes)
