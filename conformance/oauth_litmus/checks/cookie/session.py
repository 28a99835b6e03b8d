"""A session of the server's own, and whose it is after a login (rfc6265bis section 8.4)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.browser.model import Browser
from oauth_litmus.check import BROWSER_LEG, LOGIN, check
from oauth_litmus.client import Target
from oauth_litmus.oauth.authorization import Attempt
from oauth_litmus.verdict import NotApplicable


@check("COOKIE-15", needs={LOGIN, BROWSER_LEG})
async def cookie_of_before_the_login_is_no_session(target: Target) -> None:
    """Log in with an attacker's cookies of before the login, then go on and begin anew with these, logging nobody in."""
    client = await target.clients.shared()
    begun = await target.authorization.attempt_without_login(target.authorization.request(client))
    if begun.code is not None:
        raise NotApplicable("the server logs a browser in that brings nothing: there is no login to be told apart")
    attacker, victim = begun.browser, begun.browser.copy()
    await target.authorization.login(client, browser=victim)
    if (
        await target.authorization.attempt_without_login(target.authorization.request(client), browser=victim)
    ).code is None:
        raise NotApplicable("the server keeps no session: it asks for a login each time")

    anew = await target.authorization.attempt_without_login(
        target.authorization.request(client), browser=attacker.copy()
    )
    _is_nobody(attacker, anew)
    if begun.last.method == "GET":
        resumed = await target.authorization.attempt_without_login(
            begun.request, browser=attacker.copy(), url=begun.last.url
        )
        _is_nobody(attacker, resumed)


def _is_nobody(attacker: Browser, attempt: Attempt) -> None:
    # Browsers let nobody plant a cookie with this prefix from another host (rfc6265bis section 4.1.3.2).
    prefixed = all(cookie.name.lower().startswith("__host-") for cookie in attacker.jar())
    (expect.ideally if prefixed else expect.safe)(
        attempt.code is None,
        expected="a login is asked for",
        got="whoever planted a cookie before the login has the session after it",
        at=attempt.answers,
    )
