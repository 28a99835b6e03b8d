"""The cookie that binds a login to the browser (rfc6265bis; MCP security best practices)."""

from __future__ import annotations

from itertools import takewhile
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.answer import Answer
from oauth_litmus.check import LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.cookies import path_matches
from oauth_litmus.login.state_cookie import state_cookie
from oauth_litmus.login.walk import stem

SAMPLES = 20
MIN_VARYING_CHARACTERS = 22
"""Base64url characters that hold 128 bits."""
SLACK = 60.0
"""Seconds by which a cookie may outlive the pending login."""


@check("COOKIE-01", needs={LOGIN, RELAY}, logins=0)
async def state_cookie_is_secure(target: Target) -> None:
    """Look at the Secure attribute of the cookie on which the callback depends."""
    cookie = await state_cookie(target)

    expected, got = f"{cookie.shown} with Secure", "no Secure"
    if urlsplit(target.server.issuer).scheme == "https":
        expect.that(cookie.set_cookie.secure, expected=expected, got=got, at=cookie.answer)
    else:
        expect.ideally(cookie.set_cookie.secure, expected=expected, got=got, at=cookie.answer)
    for answer, other in cookie.others:
        expect.ideally(other.secure, expected=f"{stem(other.name)} with Secure", got=got, at=answer)


@check("COOKIE-02", needs={LOGIN, RELAY}, logins=0)
async def state_cookie_is_http_only(target: Target) -> None:
    """Look at the HttpOnly attribute of the cookie on which the callback depends."""
    cookie = await state_cookie(target)

    expect.that(
        cookie.set_cookie.http_only, expected=f"{cookie.shown} with HttpOnly", got="no HttpOnly", at=cookie.answer
    )
    for answer, other in cookie.others:
        expect.ideally(other.http_only, expected=f"{stem(other.name)} with HttpOnly", got="no HttpOnly", at=answer)


@check("COOKIE-03", needs={LOGIN, RELAY}, logins=0)
async def same_site_fits_the_callback(target: Target) -> None:
    """Look at SameSite, and at what a browser does with it on the way back from the upstream's page."""
    cookie = await state_cookie(target)

    same_site = cookie.set_cookie.same_site
    breaks = stem(cookie.set_cookie.name) in {stem(name) for name in target.server.seen.cookie_withheld}
    expect.that(
        not (same_site == "Strict" and breaks),
        expected=f"{cookie.shown} with SameSite=Lax",
        got="SameSite=Strict: browsers withhold it at the callback, which another site began, and the login fails",
        at=cookie.answer,
    )
    expect.safe(
        same_site != "None" or cookie.set_cookie.secure,
        expected=f"{cookie.shown} with SameSite=Lax",
        got="SameSite=None without Secure: browsers drop it",
        at=cookie.answer,
    )
    expect.ideally(
        same_site in ("Lax", "Strict"),
        expected="an explicit SameSite=Lax",
        got=f"SameSite={same_site or 'absent'}",
        at=cookie.answer,
    )


@check("COOKIE-04", needs={LOGIN, RELAY}, logins=0)
async def path_covers_the_callback(target: Target) -> None:
    """Hold the cookie's Path, or the default path that it gets, against the path of the callback."""
    cookie = await state_cookie(target)

    callback = urlsplit(cookie.callback_url).path
    path = cookie.effective_path
    expect.that(
        path_matches(callback, path), expected=f"a Path that covers {callback}", got=f"Path {path}", at=cookie.answer
    )
    expect.ideally(
        cookie.set_cookie.path is not None,
        expected="an explicit Path",
        got=f"none; the default {path} happens to match",
        at=cookie.answer,
    )


@check("COOKIE-05", needs={LOGIN, RELAY}, logins=0)
async def cookie_lives_as_long_as_the_login(target: Target) -> None:
    """Hold Max-Age or Expires against the declared lifetime of a pending login."""
    cookie = await state_cookie(target)

    lifetime = cookie.set_cookie.lifetime(cookie.answer.received_at)
    declared = target.server.profile.lifetimes.pending_login
    expect.safe(
        lifetime is None or lifetime > 0,
        expected="a cookie that lives",
        got=f"a lifetime of {lifetime} s",
        at=cookie.answer,
    )
    if lifetime is None:
        return
    longest = 3600.0 if declared is None else declared + SLACK
    expect.ideally(lifetime <= longest, expected=f"at most {longest:g} s", got=f"{lifetime:.0f} s", at=cookie.answer)
    shortest = 0.0 if declared is None else declared / 2
    expect.ideally(lifetime >= shortest, expected=f"at least {shortest:g} s", got=f"{lifetime:.0f} s", at=cookie.answer)


@check("COOKIE-06", needs={LOGIN, RELAY}, logins=0)
async def host_prefix_is_used_rightly(target: Target) -> None:
    """Look at the cookie's prefix, and at what the prefix demands."""
    cookie = (await state_cookie(target)).set_cookie
    answer = (await state_cookie(target)).answer

    name = cookie.name.lower()
    if name.startswith("__host-"):
        kept = cookie.secure and cookie.path == "/" and cookie.domain is None
        expect.safe(
            kept,
            expected="__Host- with Secure, Path=/ and no Domain",
            got=f"a cookie that browsers ignore (Path={cookie.path})",
            at=answer,
        )
    elif name.startswith("__secure-"):
        expect.safe(cookie.secure, expected="__Secure- with Secure", got="a cookie that browsers ignore", at=answer)
    else:
        plain_http = urlsplit(target.server.issuer).scheme == "http"
        expect.ideally(plain_http, expected="the __Host- prefix", got=f"the name {stem(cookie.name)}", at=answer)


@check("COOKIE-08", needs={LOGIN, RELAY})
async def callback_deletes_the_cookie(target: Target) -> None:
    """Finish a login, and look whether the browser still holds the cookie that bound it."""
    name = stem((await state_cookie(target)).set_cookie.name)
    held = await target.hold_callback(target.request(await target.client()))
    before = {cookie.name: cookie.value for cookie in held.browser.jar() if stem(cookie.name) == name}

    code = target.code_of(await target.deliver_callback(held))

    kept = [cookie for cookie in code.attempt.browser.jar() if before.get(cookie.name) == cookie.value]
    if not kept:
        expect.that(True, expected="the cookie is deleted", got="it is")
        return
    url = held.callback_url if target.run.upstream is None else await target.call_back(held)
    again = await target.deliver_callback(held, url=url, browser=code.attempt.browser)
    expect.that(
        again.code in (None, code.value),
        expected="a cookie that is deleted, or useless",
        got="it stays, and gives another code",
        at=again.answers,
    )
    expect.ideally(
        False,
        expected="a deletion with the cookie's own Path and Domain",
        got="the cookie stays in the browser",
        at=code.attempt.answers,
    )


@check("COOKIE-10", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2)
async def two_logins_in_one_browser_stay_apart(target: Target) -> None:
    """Begin logins for two clients in one browser, deliver the upstream's answers in order, and each to the other's place."""
    browser = target.browser()
    older = await target.hold_callback(target.request(await target.client("a")), browser=browser, user=target.user("a"))
    younger = await target.hold_callback(
        target.request(await target.client("b")), browser=browser, user=target.user("b")
    )

    first = await target.deliver_callback(older)
    second = await target.deliver_callback(younger)

    for attempt, own in ((first, older), (second, younger)):
        landed = attempt.response.location if attempt.response else attempt.left_for
        at_home = landed is None or landed.startswith(own.request.lands_at)
        expect.that(
            at_home, expected="each code goes to its own client", got="a code for the other client", at=attempt.answers
        )
        right_state = attempt.response is None or attempt.response.get("state") == own.request.get("state")
        expect.that(right_state, expected="the state of its own request", got="another state", at=attempt.answers)
    expect.ideally(
        first.code is not None,
        expected="both logins can be finished",
        got="the older tab cannot finish",
        at=first.answers,
    )
    expect.ideally(
        second.code is not None,
        expected="both logins can be finished",
        got="the younger tab cannot finish",
        at=second.answers,
    )


@check("COOKIE-11", needs={LOGIN, RELAY}, logins=SAMPLES)
async def cookie_value_is_unpredictable(target: Target) -> None:
    """Begin twenty logins in twenty browsers and compare the values of the cookie."""
    known = await state_cookie(target)
    name, client = stem(known.set_cookie.name), await target.client()
    values: list[str] = []
    seen: list[Answer] = []
    for _ in range(SAMPLES):
        held = await target.hold_upstream(target.request(client))
        seen.append(held.last)
        values += [cookie.value for _, cookie in held.cookies if stem(cookie.name) == name and cookie.value][-1:]
        state = held.request.get("state") or ""
        expect.that(state not in values[-1:], expected="a value of its own", got="the client's state", at=held.answers)

    expect.that(
        len(set(values)) == len(values) > 1, expected=f"{SAMPLES} different values", got=f"{len(set(values))}", at=seen
    )
    common = _common_beginning(values) + _common_beginning([value[::-1] for value in values])
    length = min(len(value) for value in values) - common
    in_order = values == sorted(values) or values == sorted(values, reverse=True)
    expect.that(
        length >= MIN_VARYING_CHARACTERS,
        expected=f"{MIN_VARYING_CHARACTERS} characters that vary (128 bits)",
        got=f"{length}",
        at=seen,
    )
    expect.ideally(not in_order, expected="values without an order", got="values that grow with time", at=seen)


def _common_beginning(values: list[str]) -> int:
    return sum(1 for _ in takewhile(lambda characters: len(set(characters)) == 1, zip(*values, strict=False)))
