"""Error handlers: each failure becomes JSON for programs, or a page for people."""

from collections.abc import Callable, Coroutine
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from supabase_relay.errors import OAuthError, PageError, RateLimited, temporarily_unavailable
from supabase_relay.logs import event
from supabase_relay.responses import error_page, oauth_error
from supabase_relay.routes.requests import relay_of
from supabase_relay.storage.connection import StoreUnavailable

Handler = Callable[[Request, Any], Coroutine[Any, Any, Response]]

_STORE_RETRY_AFTER = 5
_BUSY = "The service is not available at the moment. Please try again soon."


async def oauth_refusal(request: Request, error: OAuthError) -> Response:
    """Answer with an OAuth error, or with a page on routes that browsers navigate to."""
    return error_page("The request was not understood.", error.status) if is_for_people(request) else oauth_error(error)


async def page_refusal(request: Request, error: PageError) -> Response:
    """Answer with a page that gives the reason."""
    return error_page(error.message, error.status, error.headers)


async def rate_limited(request: Request, limited: RateLimited) -> Response:
    """Answer 429 with the time until the limit admits a request (RFC 6585 section 4)."""
    headers = retry_after_header(limited.retry_after)
    if is_for_people(request):
        return error_page("There were too many requests from your address. Please try again soon.", 429, headers)
    return oauth_error(OAuthError("slow_down", "too many requests", status=429, headers=headers))


def retry_after_header(seconds: int) -> dict[str, str]:
    """Return a `Retry-After` header in seconds (RFC 9110 section 10.2.3)."""
    return {"Retry-After": str(seconds)}


async def store_failed(request: Request, error: Exception) -> Response:
    """Answer 503: without the store the relay cannot decide, so it grants nothing."""
    event("store_unavailable", type=type(error).__name__)
    if is_for_people(request):
        return error_page(_BUSY, 503, retry_after_header(_STORE_RETRY_AFTER))
    return oauth_error(temporarily_unavailable("the store is not available", _STORE_RETRY_AFTER))


async def http_failure(request: Request, error: HTTPException) -> Response:
    """Answer a request for an unknown route or method."""
    words = {404: "not_found", 405: "method_not_allowed"}
    return JSONResponse({"error": words.get(error.status_code, "error")}, error.status_code, headers=error.headers)


def is_for_people(request: Request) -> bool:
    """Whether the route is one that browsers navigate to."""
    path: str = request.scope["path"].removeprefix(relay_of(request).settings.path)
    return path.startswith(("/authorize", "/auth/"))


HANDLERS: dict[Any, Handler] = {
    OAuthError: oauth_refusal,
    PageError: page_refusal,
    RateLimited: rate_limited,
    StoreUnavailable: store_failed,
    HTTPException: http_failure,
}
