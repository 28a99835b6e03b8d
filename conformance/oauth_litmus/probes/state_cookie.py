"""Finds the cookie that the callback requires: without it, the server refuses the callback."""

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
    from oauth_litmus.oauth.attempt import Attempt


@dataclass(frozen=True)
class StateCookie:
    """The Set-Cookie that binds a login to the browser, and the answer that contains it."""

    set_cookie: SetCookie
    answer: Answer
    callback_url: str
    others: tuple[tuple[Answer, SetCookie], ...]

    @property
    def shown(self) -> str:
        """The cookie's name, without the part that differs between logins."""
        return f"the cookie {stem(self.set_cookie.name)}"

    @property
    def effective_path(self) -> str:
        """The Path that a browser uses for the cookie."""
        return self.set_cookie.path or default_path(urlsplit(self.answer.url).path)


def living_cookies(answer: Answer) -> list[SetCookie]:
    """The cookies that an answer sets and does not delete."""
    cookies = [SetCookie.parse(raw) for raw in answer.set_cookies]
    return [cookie for cookie in cookies if cookie.value and not cookie.is_deletion(answer.received_at)]


@shared
async def state_cookie(target: Target) -> StateCookie:
    """Return the cookie without which the server refuses the callback; found once for all checks.

    Raises:
        Blocked: the callback leads to a code whichever cookie is missing (LOGIN-01 judges that), or no cookie is set.
    """
    client = await target.clients.shared()
    elsewhere, delivered = await delivered_elsewhere_first(target)
    held = replace(delivered.held, browser=delivered.before)
    candidates = _candidates(target, held)
    if len(candidates) == 1 and elsewhere.code is None and not target.server.seen.cookie_withheld:
        # The callback in a browser without cookies was refused, and this is the only cookie that was missing.
        return StateCookie(candidates[0][1], candidates[0][0], delivered.url, ())
    for answer, candidate in candidates:
        attempt = await target.callbacks.hold(target.authorization.request(client))
        browser = attempt.browser
        for name in {cookie.name for cookie in browser.jar() if stem(cookie.name) == stem(candidate.name)}:
            browser = browser.without(name)
        if (await target.callbacks.deliver(attempt, browser=browser)).code is None:
            others = tuple((at, other) for at, other in candidates if stem(other.name) != stem(candidate.name))
            return StateCookie(candidate, answer, delivered.url, others)
    raise Blocked("found no cookie that the callback requires (see LOGIN-01)")


def _candidates(target: Target, held: Attempt) -> list[tuple[Answer, SetCookie]]:
    """Cookies that a browser sends with the callback, or withheld during preflight; the last Set-Cookie of each name counts."""
    navigation = Navigation(held.callback_url or "", initiator=held.callback_initiator)
    brought = {cookie.name for cookie in held.browser.cookies_for(navigation)}
    lost = {stem(name) for name in target.server.seen.cookie_withheld}
    last = {cookie.name: (answer, cookie) for answer, cookie in held.cookies if cookie.value}
    return [entry for name, entry in last.items() if name in brought or stem(name) in lost]
