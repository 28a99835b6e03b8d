"""Copy the cookies of the server under test between the suite's browser model and Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playwright.async_api import Error

from oauth_litmus.http.sites import domain_matches, host_of
from oauth_litmus.login.devtools import devtools_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.async_api import BrowserContext
    from playwright.async_api import Page as Window

    from oauth_litmus.browser.model import StoredCookie
    from oauth_litmus.login.leg import Leg


async def hand_in(leg: Leg, window: Window) -> None:
    """Give Chromium the cookies of the login so far; skip one that it refuses, since it would not have stored it either."""
    session = await devtools_of(window)
    for cookie in _own(leg):
        host = cookie.domain if ":" not in cookie.domain else f"[{cookie.domain}]"
        scheme = "https" if leg.step.url.startswith("https") else "http"
        told: dict[str, Any] = {"name": cookie.name, "value": cookie.value, "path": cookie.path}
        told |= {"url": f"{scheme}://{host}{cookie.path}", "secure": cookie.secure, "httpOnly": cookie.http_only}
        told |= {"sameSite": cookie.same_site} if cookie.same_site else {}
        told |= {} if cookie.host_only else {"domain": f".{cookie.domain}"}
        told |= {} if cookie.expires is None else {"expires": cookie.expires}
        try:
            await session.send("Network.setCookie", told)
        except Error:
            continue
    await session.detach()


async def take_back(leg: Leg, context: BrowserContext) -> None:
    """Copy the changes that a script of the server's page made to cookies: new ones, new values, and removals."""
    before = {(cookie.name, cookie.domain, cookie.path): cookie for cookie in _own(leg)}
    after = {
        (cookie.get("name", ""), cookie.get("domain", "").lstrip("."), cookie.get("path", "/")): cookie
        for cookie in await context.cookies()
        if _is_own(leg, cookie.get("domain", ""))
    }
    for identity, cookie in before.items():
        if identity not in after and not cookie.forced and cookie.domain == host_of(leg.step.url):
            leg.browser.forget(cookie)
    for identity, found in after.items():
        known = before.get(identity)
        if known is None or known.value != found.get("value"):
            domain, expires = found.get("domain", ""), found.get("expires", -1)
            leg.browser.set(
                identity[0],
                found.get("value", ""),
                leg.step.url,
                domain=domain if domain.startswith(".") else None,
                path=identity[2],
                secure=found.get("secure", False),
                http_only=found.get("httpOnly", False),
                same_site=found.get("sameSite"),
                max_age=None if expires < 0 else expires - leg.browser.now(),
            )


def _own(leg: Leg) -> Iterable[StoredCookie]:
    return [cookie for cookie in leg.browser.jar() if _is_own(leg, cookie.domain)]


def _is_own(leg: Leg, domain: str) -> bool:
    return any(domain_matches(host_of(origin), domain.lstrip(".")) for origin in leg.home)
