"""A pending login: the server checks its identifier, and only its own navigation uses it up."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from oauth_litmus import expect
from oauth_litmus.browser.cookies import stem
from oauth_litmus.browser.pages import Submission
from oauth_litmus.check import LOGIN, RELAY, check
from oauth_litmus.client import Target
from oauth_litmus.probes.callback_url import binding_parameters, with_parameter
from oauth_litmus.probes.error_page import error_page
from oauth_litmus.probes.login_refusals import no_code, still_pending
from oauth_litmus.probes.peeking import peek
from oauth_litmus.probes.state_cookie import living_cookies, state_cookie
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oauth_litmus.browser.model import Browser
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.attempt import Attempt

SHORTEST_IDENTIFIER = 16
SPECULATIVE = {"sec-purpose": "prefetch", "purpose": "prefetch"}


@check("LOGIN-04", needs={LOGIN, RELAY})
async def start_of_no_login_is_refused(target: Target) -> None:
    """Open the start URL with identifiers of no login."""
    held = await target.logins.held()
    probes = _at_the_start(target, held)
    if not probes:
        raise NotApplicable("the start URL holds no identifier of a login")
    await _all_refused(target, held, probes)


@check("LOGIN-04a", needs={LOGIN, RELAY})
async def callback_of_no_login_is_refused(target: Target) -> None:
    """Open the callback with identifiers of no login, in the URL or in its cookies."""
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()))

    await _all_refused(target, held, _at_the_callback(held))


async def _all_refused(target: Target, held: Attempt, probes: Sequence[_Probe]) -> None:
    for probe in probes:
        answer = await target.settled(
            lambda probe=probe: peek(target, probe.browser.copy(), probe.url),
            lambda: target.authorization.hold_upstream(target.authorization.request(held.request.client)),
        )
        await _refused_cleanly(target, held, probe, answer)


@check("LOGIN-16a", needs={LOGIN, RELAY}, logins=2)
async def prefetch_uses_up_no_login(target: Target) -> None:
    """Send HEAD and a prefetch request to the start URL and to the callback, each before the navigation itself."""
    client = await target.clients.shared()
    begun = await target.authorization.first_answer(target.authorization.request(client))
    start_url = begun.last.location
    if start_url is not None and target.authorization.is_home(start_url):
        await _prefetch(target, begun.browser, start_url)
        resumed = await target.authorization.resume(begun, start_url)
        still_pending(target, begun)
        expect.ideally(
            resumed.upstream_url is not None,
            expected="a login at the start URL after HEAD and prefetch",
            got="no login: HEAD or prefetch used the start URL up",
            at=resumed.answers,
        )

    held = await target.callbacks.hold(target.authorization.request(client))
    await _prefetch(target, held.browser, held.callback_url or "")
    attempt = await target.callbacks.deliver(held)
    still_pending(target, held)
    expect.ideally(
        attempt.code is not None,
        expected="a code from the callback after HEAD and prefetch",
        got="no code: HEAD or prefetch used the callback up",
        at=attempt.answers,
    )


@check("LOGIN-16b", needs={LOGIN, RELAY})
async def posted_callback_needs_the_cookie_too(target: Target) -> None:
    """Post a valid callback from a browser without cookies, then open it in the browser that began the login."""
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()))
    url = held.callback_url or ""
    form = Submission(url, "POST", parse_qsl(urlsplit(url).query, keep_blank_values=True))

    posted = await target.authorization.submit(held, form, browser=target.new_browser())

    expect.safe(
        posted.code is None,
        obtained=True,
        expected="no code for a POST without cookie",
        got="a code",
        at=posted.answers,
    )
    no_code(posted, "the browser has no state cookie")
    expect.ideally(posted.last.status >= 400, expected="a 4xx", got=expect.describe(posted.last), at=posted.last)
    at_home = await target.callbacks.deliver(held)
    still_pending(target, held)
    expect.ideally(
        at_home.code is not None,
        expected="a code in the browser that began the login",
        got="no code: the POST used the login up",
        at=at_home.answers,
    )


@dataclass(frozen=True)
class _Probe:
    """A URL with an identifier of no login. `of_a_client`: its cookie or its parameter is still valid, and may identify the client."""

    what: str
    browser: Browser
    url: str
    of_a_client: bool = False


def _at_the_start(target: Target, held: Attempt) -> list[_Probe]:
    return [
        _Probe(f"the start URL with {what}", target.new_browser(), (held.start_url or "").replace(known, value))
        for known in _identifiers(held)
        for what, value in _of_no_login(known).items()
    ]


def _at_the_callback(held: Attempt) -> list[_Probe]:
    genuine = held.callback_url or ""
    probes: list[_Probe] = []
    for what in ("an unknown identifier", "an identifier of 10 kB", "a wildcard"):
        value = _of_no_login("A" * 43)[what]
        url, browser = genuine, held.browser.copy()
        for name in binding_parameters(held):
            url = with_parameter(url, name, value)
        for cookie in browser.jar():
            browser.tamper(cookie.name, value)
        probes.append(_Probe(f"the callback with {what} in its cookie", browser, genuine, of_a_client=True))
        if url != genuine:
            probes.append(_Probe(f"the callback with {what}", held.browser, url, of_a_client=True))
    return probes


def _of_no_login(known: str) -> dict[str, str]:
    """Identifiers of no login, encoded for a URL."""
    unknown = secrets.token_urlsafe(len(known))[: len(known)]
    return {
        "an unknown identifier": unknown,
        "an identifier of 10 kB": "A" * 10_240,
        "a path to a parent folder": f"..%2F{unknown}",
        "a NUL": "%00",
        "bytes that are no UTF-8": "%FF%FE",
        "a wildcard": "*",
    }


def _identifiers(held: Attempt) -> list[str]:
    """The identifier of the login in the start URL: the last long part that does not come from the client's request."""
    if held.start_url is None or held.start_url == held.callback_url:
        return []
    parts = urlsplit(held.start_url)
    pieces = [*parts.path.split("/"), *(pair.partition("=")[2] for pair in parts.query.split("&"))]
    of_the_client = {value for _, value in held.request.parameters if len(value) >= SHORTEST_IDENTIFIER}
    own = [piece for piece in pieces if len(piece) >= SHORTEST_IDENTIFIER]
    return [piece for piece in own if not any(value in unquote(piece) for value in of_the_client)][-1:]


async def _refused_cleanly(target: Target, held: Attempt, probe: _Probe, answer: Answer) -> None:
    expect.no_server_error(answer)
    expect.that("Traceback" not in answer.text, expected="no internals", got="a stack trace", at=answer)
    location = answer.location or ""
    expect.that(
        not target.authorization.is_upstream(location),
        expected=f"a refusal of {probe.what}",
        got="a redirect to the upstream",
        at=answer,
    )
    of_the_client = location.startswith(held.request.lands_at)
    refused_to_client = of_the_client and probe.of_a_client and "code=" not in location
    expect.that(
        not of_the_client or refused_to_client,
        expected=f"a refusal of {probe.what}",
        got="a redirect to a client",
        at=answer,
    )
    name = stem((await state_cookie(target)).set_cookie.name)
    of_every_page = name in {stem(cookie.name) for cookie in living_cookies(await error_page(target))}
    expect.that(
        of_every_page or name not in {stem(cookie.name) for cookie in living_cookies(answer)},
        expected=f"no cookie {name} for {probe.what}",
        got="the cookie that binds a login",
        at=answer,
    )
    expect.ideally(
        refused_to_client or 400 <= answer.status < 500,
        expected=f"a 4xx for {probe.what}",
        got=expect.describe(answer),
        at=answer,
    )


async def _prefetch(target: Target, browser: Browser, url: str) -> None:
    expect.conclusive(await peek(target, browser, url, method="HEAD"))
    expect.conclusive(await peek(target, browser, url, headers=SPECULATIVE))
