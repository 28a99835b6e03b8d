"""Helpers for all endpoints: the relay behind a request, and its rate limits."""

from starlette.requests import Request

from supabase_relay.client_address import rate_limit_key
from supabase_relay.ratelimit import Action
from supabase_relay.relay import Relay


def relay_of(request: Request) -> Relay:
    """Return the relay that serves this request."""
    return request.app.state.relay


def address_of(request: Request) -> str:
    """Return the key by which rate limits count the request."""
    return rate_limit_key(request, relay_of(request).settings.trusted_proxies)


async def limit(request: Request, action: Action) -> None:
    """Count the request; raises `RateLimited` if it exceeds the limit."""
    await relay_of(request).limiter.require(action, address_of(request))


def is_speculative(request: Request) -> bool:
    """Whether the request is a HEAD or a browser's prefetch, whose answer the user does not see."""
    purposes = (request.headers.get("sec-purpose", ""), request.headers.get("purpose", ""))
    return request.method == "HEAD" or any("prefetch" in purpose for purpose in purposes)
