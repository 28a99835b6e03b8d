"""The server's own session, and session fixation (rfc6265bis section 8.4)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.browser.model import Browser
from oauth_litmus.check import BROWSER_LEG, LOGIN, check
from oauth_litmus.client import Target
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.verdict import NotApplicable


@check("COOKIE-15", needs={LOGIN, BROWSER_LEG})
async def cookie_from_before_the_login_is_no_session(target: Target) -> None:
    """Log a victim in with cookies that an attacker already holds. Then request a code with these cookies, without a login."""
    client = await target.clients.shared()
    begun = await target.authorization.attempt_without_login(target.authorization.request(client))
    if begun.code is not None:
        raise NotApplicable(
            "the server issues a code to a browser without cookies or a login: there is no session to compare"
        )
    attacker, victim = begun.browser, begun.browser.copy()
    await target.authorization.login(client, browser=victim)
    if (
        await target.authorization.attempt_without_login(target.authorization.request(client), browser=victim)
    ).code is None:
        raise NotApplicable("the server keeps no session: it asks for a login every time")

    anew = await target.authorization.attempt_without_login(
        target.authorization.request(client), browser=attacker.copy()
    )
    _is_logged_out(attacker, anew)
    if begun.last.method == "GET":
        resumed = await target.authorization.attempt_without_login(
            begun.request, browser=attacker.copy(), url=begun.last.url
        )
        _is_logged_out(attacker, resumed)


def _is_logged_out(attacker: Browser, attempt: Attempt) -> None:
    # Browsers do not let another host set a cookie with this prefix (rfc6265bis section 4.1.3.2).
    prefixed = all(cookie.name.lower().startswith("__host-") for cookie in attacker.jar())
    (expect.ideally if prefixed else expect.safe)(
        attempt.code is None,
        expected="the server asks for a login",
        got="a cookie planted before the login opens the session after it",
        at=attempt.answers,
    )
