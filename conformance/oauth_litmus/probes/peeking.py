"""One request of a browser to a URL of a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.browser.model import Navigation
from oauth_litmus.limits.rates import Kind
from oauth_litmus.target.rate_kind import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.browser.model import Browser
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer


async def peek(
    target: Target, browser: Browser, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None
) -> Answer:
    """Send one request with the browser's cookies. No redirect is followed; the browser keeps the cookies of the answer."""
    cookies = browser.cookie_header(Navigation(url, method))
    answer = await target.send(
        method,
        url,
        kind=kind_of(target.server, url, Kind.LOGIN),
        headers={
            "accept": "text/html,*/*;q=0.8",
            **({"cookie": cookies} if cookies else {}),
            **(headers or {}),
        },
    )
    browser.receive(url, answer.set_cookies)
    return answer
