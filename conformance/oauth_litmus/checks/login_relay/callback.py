"""The callback: bound to the browser and to its login, and valid once (RFC 9700 section 4.7.1)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.browser.model import Browser
from oauth_litmus.check import LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.http.urls import with_query
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.probes.callback_url import binding_parameters, parameter, with_parameter
from oauth_litmus.probes.delivered import delivered_elsewhere_first, finished
from oauth_litmus.probes.login_refusals import no_code
from oauth_litmus.probes.peeking import peek
from oauth_litmus.verdict import NotApplicable

CONTRADICTIONS: dict[str, Callable[[str, str], str]] = {
    "a code with an error": lambda url, other: with_query(url, {"error": "access_denied"}),
    "two codes": lambda url, other: with_query(url, {"code": parameter(other, "code") or ""}),
    "an empty code": lambda url, other: with_parameter(url, "code", ""),
}


@check("LOGIN-01", needs={LOGIN, RELAY})
async def callback_needs_the_state_cookie(target: Target) -> None:
    """Deliver a valid callback in a browser without cookies, then in the browser that began the login."""
    elsewhere, delivered = await delivered_elsewhere_first(target)

    no_code(elsewhere, "the browser has no state cookie")
    at_home = delivered.at_home
    expect.ideally(
        at_home.code is not None,
        expected="a code in the browser that began the login",
        got="no code: the first delivery used the login up",
        at=at_home.answers,
    )


@check("LOGIN-21", needs={LOGIN, RELAY})
async def opening_the_start_url_takes_over_no_login(target: Target) -> None:
    """Open the start URL of a login in an empty browser and deliver the callback there, then in the browser that began the login."""

    async def taken_over(held: Attempt) -> list[Attempt]:
        visitor = target.new_browser()
        if held.start_url is not None:
            expect.conclusive(await peek(target, visitor, held.start_url))
        return [await target.callbacks.deliver(held, browser=visitor)]

    if (await target.logins.held()).start_url is None:
        raise NotApplicable("a login has no start URL of its own between the request and the upstream")
    ((attempt,),) = await target.probing.try_callback(taken_over)

    no_code(attempt, "the browser only opened the start URL of another browser's login")


@check("LOGIN-02", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2)
async def foreign_cookie_completes_no_login(target: Target) -> None:
    """Swap the callbacks of two browsers, then deliver a callback with made-up cookie values, and with empty ones."""

    async def swapped(victim: Attempt) -> list[Attempt]:
        attacker = await target.callbacks.hold(
            target.authorization.request(await target.clients.shared("b")), user=target.user("attacker")
        )
        return [
            await target.callbacks.deliver(victim, url=attacker.callback_url, browser=victim.browser.copy()),
            await target.callbacks.deliver(attacker, url=victim.callback_url),
        ]

    async def with_made_up_cookies(victim: Attempt) -> list[Attempt]:
        browser = victim.browser.copy()
        for cookie in browser.jar():
            browser.tamper(cookie.name, "A" * len(cookie.value))
        return [await target.callbacks.deliver(victim, browser=browser)]

    async def with_empty_cookies(victim: Attempt) -> list[Attempt]:
        browser = victim.browser.copy()
        for cookie in browser.jar():
            browser.tamper(cookie.name, "")
        return [await target.callbacks.deliver(victim, browser=browser)]

    others, made_up, empty = await target.probing.try_callback(swapped, with_made_up_cookies, with_empty_cookies)

    for attempt in others:
        no_code(attempt, "the callback belongs to another browser's login")
    for attempt in made_up:
        no_code(attempt, "the value of the state cookie is made up")
    for attempt in empty:
        no_code(attempt, "the value of the state cookie is empty")


@check("LOGIN-03", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=4)
async def upstream_state_is_compared(target: Target) -> None:
    """Deliver a callback without the value that binds the login, with one character altered, and with another login's value."""

    async def without(held: Attempt) -> list[Attempt]:
        return [await _with_binding(target, held, held.browser.copy(), lambda name, value: None)]

    async def altered(held: Attempt) -> list[Attempt]:
        return [await _with_binding(target, held, held.browser.copy(), lambda name, value: _altered(value))]

    async def of_another(held: Attempt) -> list[Attempt]:
        browser = held.browser.copy()
        other = await target.callbacks.hold(target.authorization.request(held.request.client), browser=browser)
        binding = binding_parameters(other)
        return [await _with_binding(target, held, browser, lambda name, value: binding.get(name))]

    seen = await target.probing.try_callback(without, altered, of_another)

    for what, attempts in zip(
        ("is missing", "is altered in its middle", "belongs to another login"), seen, strict=True
    ):
        for attempt in attempts:
            no_code(attempt, f"the state {what}")


@check("LOGIN-05", needs={LOGIN, RELAY})
async def callback_is_valid_once(target: Target) -> None:
    """Finish a login and deliver its callback again with the old cookie. With upstream control, also use a fresh upstream code."""
    delivered = await finished(target)
    held, first = delivered.held, target.authorization.code_of(delivered.at_home)

    urls = [delivered.url]
    if target.controls_upstream:
        urls.append(await target.callbacks.obtain(held))
    for url in urls:
        again = await target.callbacks.deliver(held, url=url, browser=delivered.before.copy())
        if again.code == first.value:
            expect.ideally(False, expected="no code", got="the same code again", at=again.answers)
            continue
        no_code(again, "this login is finished")
    if held.start_url is not None:
        start = await target.get(held.start_url)
        goes_on = (
            start.location is not None and urlsplit(start.location).netloc == urlsplit(held.upstream_url or "").netloc
        )
        expect.ideally(
            not goes_on,
            expected="no redirect from the start URL of a finished login",
            got="a redirect to the upstream",
            at=start,
        )


@check("LOGIN-18", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=3)
async def contradictory_callback_gives_no_code(target: Target) -> None:
    """Deliver a callback with a code and an error, one with two codes, and one with an empty code."""
    for what, contradiction in CONTRADICTIONS.items():
        attempt = await _contradictory(target, contradiction)
        if attempt.last.status >= 500 and not attempt.last.is_inconclusive:
            await target.authorization.login()
            attempt = await _contradictory(target, contradiction)

        last = attempt.last if attempt.response else expect.conclusive(attempt.last)
        expect.safe(last.status < 500, expected=f"a refusal of {what}", got=expect.describe(last), at=last)
        expect.ideally(attempt.code is None, expected=f"no code for {what}", got="a code", at=attempt.answers)


async def _contradictory(target: Target, contradiction: Callable[[str, str], str]) -> Attempt:
    """Deliver the callback of a new login after making it contradictory; two codes are both upstream codes of that login."""
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()))
    url = held.callback_url or ""
    return await target.callbacks.deliver(held, url=contradiction(url, await target.callbacks.obtain(held)))


async def _with_binding(
    target: Target, held: Attempt, browser: Browser, change: Callable[[str, str], str | None]
) -> Attempt:
    """Deliver a callback whose binding parameters have other values, or are left out."""
    binding = binding_parameters(held)
    if not binding:
        raise NotApplicable("no value that binds the login passes through the upstream")
    # Use a new upstream code each time: the upstream may accept a code only once.
    url = await target.callbacks.obtain(held)
    for name, value in binding.items():
        url = with_parameter(url, name, change(name, value))
    return await target.callbacks.deliver(held, url=url, browser=browser)


def _altered(value: str) -> str:
    middle = len(value) // 2
    return value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]
