"""The callback: bound to the browser and to its own login, and good once (RFC 9700 section 4.7.1)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.authorization import Attempt
from oauth_litmus.check import LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.checks.login_relay.refusals import no_code
from oauth_litmus.client import Target
from oauth_litmus.login.callback_url import binding_parameters, parameter, with_added, with_parameter
from oauth_litmus.verdict import NotApplicable

CONTRADICTIONS: dict[str, Callable[[str, str], str]] = {
    "a code with an error": lambda url, other: with_added(url, "error", "access_denied"),
    "two codes": lambda url, other: with_added(url, "code", parameter(other, "code") or ""),
    "an empty code": lambda url, other: with_parameter(url, "code", ""),
}


@check("LOGIN-01", needs={LOGIN, RELAY})
async def callback_needs_the_state_cookie(target: Target) -> None:
    """Deliver a valid callback in a browser without cookies, then in the browser that began the login."""
    held = await target.hold_callback(target.request(await target.client()))

    elsewhere = await target.deliver_callback(held, browser=target.browser())

    no_code(elsewhere, "the browser has no state cookie")
    at_home = await target.deliver_callback(held)
    expect.ideally(
        at_home.code is not None,
        expected="the login goes on in its own browser",
        got="it is used up",
        at=at_home.answers,
    )


@check("LOGIN-02", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2)
async def foreign_cookie_completes_no_login(target: Target) -> None:
    """Swap the callbacks of two browsers, then send a callback with a made-up cookie value."""
    victim = await target.hold_callback(target.request(await target.client("a")), user=target.user("victim"))
    attacker = await target.hold_callback(target.request(await target.client("b")), user=target.user("attacker"))

    no_code(
        await target.deliver_callback(victim, url=attacker.callback_url),
        "the callback belongs to another browser's login",
    )
    no_code(
        await target.deliver_callback(attacker, url=victim.callback_url),
        "the callback belongs to another browser's login",
    )

    third = await target.hold_callback(target.request(await target.client("a")))
    for cookie in third.browser.jar():
        third.browser.tamper(cookie.name, "A" * len(cookie.value))
    no_code(await target.deliver_callback(third), "the value of the state cookie is made up")


@check("LOGIN-03", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=4)
async def upstream_state_is_compared(target: Target) -> None:
    """Call back without the value that binds the login, with one character altered, and with that of another login."""
    client = await target.client()
    browser = target.browser()
    other = await target.hold_callback(target.request(client), browser=browser)
    binding = binding_parameters(other)
    if not binding:
        raise NotApplicable("nothing that binds the login travels through the upstream")

    changes: dict[str, Callable[[str, str], str | None]] = {
        "is missing": lambda name, value: None,
        "is altered in its middle": lambda name, value: _altered(value),
        "belongs to another login": lambda name, value: binding.get(name),
    }
    for what, change in changes.items():
        held = await target.hold_callback(target.request(client), browser=browser)
        url = held.callback_url or ""
        for name, value in binding_parameters(held).items():
            url = with_parameter(url, name, change(name, value))
        no_code(await target.deliver_callback(held, url=url), f"the state {what}")


@check("LOGIN-05", needs={LOGIN, RELAY})
async def callback_is_good_once(target: Target) -> None:
    """Finish a login, then deliver its callback again with the old cookie, with a fresh upstream code where there is one."""
    held = await target.hold_callback(target.request(await target.client()))
    before = held.browser.copy()
    first = target.code_of(await target.deliver_callback(held))

    urls = [held.callback_url]
    if target.run.upstream is not None:
        urls.append(await target.call_back(held))
    for url in urls:
        again = await target.deliver_callback(held, url=url, browser=before.copy())
        if again.code == first.value:
            expect.ideally(False, expected="no code", got="the same code once more", at=again.answers)
            continue
        no_code(again, "this login is finished")
    if held.start_url is not None:
        start = await target.get(held.start_url)
        goes_on = (
            start.location is not None and urlsplit(start.location).netloc == urlsplit(held.upstream_url or "").netloc
        )
        expect.ideally(not goes_on, expected="the start URL is dead", got="it still leads to the upstream", at=start)


@check("LOGIN-18", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=3)
async def contradictory_callback_ends_in_no_login(target: Target) -> None:
    """Call back with a code and an error, with two codes, and with an empty code."""
    for what, contradiction in CONTRADICTIONS.items():
        attempt = await _contradictory(target, contradiction)
        if attempt.last.status >= 500 and not attempt.last.is_inconclusive:
            await target.login()
            attempt = await _contradictory(target, contradiction)

        last = attempt.last if attempt.response else expect.conclusive(attempt.last)
        expect.safe(last.status < 500, expected=f"a refusal of {what}", got=expect.describe(last), at=last)
        expect.ideally(
            attempt.code is None, expected=f"no code for {what}", got="the login is finished", at=attempt.answers
        )


async def _contradictory(target: Target, contradiction: Callable[[str, str], str]) -> Attempt:
    """Deliver the callback of a fresh login, made contradictory with another upstream code of the same login."""
    held = await target.hold_callback(target.request(await target.client()))
    url = held.callback_url or ""
    return await target.deliver_callback(held, url=contradiction(url, await target.call_back(held)))


def _altered(value: str) -> str:
    middle = len(value) // 2
    return value[:middle] + ("A" if value[middle] != "A" else "B") + value[middle + 1 :]
