"""Finds the cookie on which the callback depends, by what happens without it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.browser.cookies import SetCookie, default_path, stem
from oauth_litmus.browser.model import Navigation
from oauth_litmus.client.shared import shared
from oauth_litmus.probes.delivered import delivered_elsewhere_first
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.authorization import Attempt


@dataclass(frozen=True)
class StateCookie:
    """The Set-Cookie that binds a login to the browser, and where it was seen."""

    set_cookie: SetCookie
    answer: Answer
    callback_url: str
    others: tuple[tuple[Answer, SetCookie], ...]

    @property
    def shown(self) -> str:
        """Its name, without the part that differs from login to login."""
        return f"the cookie {stem(self.set_cookie.name)}"

    @property
    def effective_path(self) -> str:
        """The Path that a browser gives it."""
        return self.set_cookie.path or default_path(urlsplit(self.answer.url).path)


def living_cookies(answer: Answer) -> list[SetCookie]:
    """Cookies that an answer sets, and does not delete."""
    cookies = [SetCookie.parse(raw) for raw in answer.set_cookies]
    return [cookie for cookie in cookies if cookie.value and not cookie.is_deletion(answer.received_at)]


@shared
async def state_cookie(target: Target) -> StateCookie:
    """The cookie without which the callback is refused; found once for all checks.

    Raises:
        Blocked: the callback is answered with a code whatever cookie is missing (LOGIN-01 judges that), or no cookie is set.
    """
    client = await target.clients.shared()
    elsewhere, delivered = await delivered_elsewhere_first(target)
    held = replace(delivered.held, browser=delivered.before)
    candidates = _candidates(target, held)
    if len(candidates) == 1 and elsewhere.code is None and not target.server.seen.cookie_withheld:
        # A browser without cookies is one without this cookie.
        return StateCookie(candidates[0][1], candidates[0][0], delivered.url, ())
    for answer, candidate in candidates:
        attempt = await target.callbacks.hold(target.authorization.request(client))
        browser = attempt.browser
        for name in {cookie.name for cookie in browser.jar() if stem(cookie.name) == stem(candidate.name)}:
            browser = browser.without(name)
        if (await target.callbacks.deliver(attempt, browser=browser)).code is None:
            others = tuple((at, other) for at, other in candidates if stem(other.name) != stem(candidate.name))
            return StateCookie(candidate, answer, delivered.url, others)
    raise Blocked("no cookie could be found on which the callback depends (see LOGIN-01)")


def _candidates(target: Target, held: Attempt) -> list[tuple[Answer, SetCookie]]:
    """Cookies that a browser brings to the callback, or that the preflight saw it withhold; the last setting of each counts."""
    navigation = Navigation(held.callback_url or "", initiator=held.callback_initiator)
    brought = {cookie.name for cookie in held.browser.cookies_for(navigation)}
    lost = {stem(name) for name in target.server.seen.cookie_withheld}
    last = {cookie.name: (answer, cookie) for answer, cookie in held.cookies if cookie.value}
    return [entry for name, entry in last.items() if name in brought or stem(name) in lost]
