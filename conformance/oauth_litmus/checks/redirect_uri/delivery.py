"""Encoding of the response: in a header, or in a page that posts itself (OAuth 2.1 section 7.12)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.browser.hypertext import parsed
from oauth_litmus.check import REGISTRATION, check
from oauth_litmus.checks.redirect_uri.probes import STRANGER, is_only_spelled_otherwise, web_client
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.browser.pages import Form
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.attempt import Attempt

MARKER = "x-litmus-injected"
"""The name of a header and a cookie that an answer has only if the request injected them."""
TRACES = ("Traceback (most recent call last)", "\n\tat ", "\n    at ")
OUTCOMES = frozenset({"code", "error"})
"""An authorization response has one of these fields."""


@check("REDIR-26", needs={REGISTRATION})
async def control_characters_split_no_headers(target: Target) -> None:
    """Put line breaks, a tab and spaces into redirect_uri, and line breaks into state."""
    client = await web_client(target)
    uri, split = client.redirect_uri, f"\r\n{MARKER}: 1\r\nSet-Cookie: {MARKER}=1"
    request = target.authorization.request(client)

    for variant in (f"{uri}{split}", f"{uri}\t", f" {uri}", f"{uri} ", f"{uri}\n"):
        attempt = await target.authorization.attempt(request.but(redirect_uri=variant))
        _nothing_is_injected(attempt)
        is_only_spelled_otherwise(attempt, variant, as_written=False)
    for state in (f"a{split}", f"a\n{MARKER}: 1"):
        _nothing_is_injected(await target.authorization.attempt(request.but(state=state, response_type="bogus")))


@check("REDIR-29", needs={REGISTRATION})
async def posted_answers_are_escaped(target: Target) -> None:
    """Request form_post with markup as state: for an error, for a code, and for a foreign redirect_uri."""
    client, element = await web_client(target), f"litmus-{secrets.token_hex(4)}"
    state = f"\"'><script>{element}</script><{element}>"
    request = target.authorization.request(client).but(response_mode="form_post", state=state)
    refused = await target.authorization.attempt(request.but(response_type="bogus"))
    offered = "form_post" in (target.server.listed("response_modes_supported") or ())
    if not offered and _posted(refused) is None:
        raise NotApplicable("the server does not use form_post, and response_modes_supported does not list it")

    attempts = [refused, await target.authorization.attempt(request)]

    forms = [_is_escaped(attempt, element, state) for attempt in attempts]
    for form, attempt in zip(forms, attempts, strict=True):
        if form is not None:
            got = f"action={form.action[:80]}"
            expect.that(form.action == client.redirect_uri, expected=client.redirect_uri, got=got, at=attempt.last)
    got = "no form_post response, though response_modes_supported lists form_post"
    expect.ideally(any(forms), expected="a page that posts the response", got=got, at=refused.answers)
    foreign = await target.authorization.attempt(request.but(redirect_uri=STRANGER))
    expect.nothing_sent_to(foreign, STRANGER, because="it is not registered, even with response_mode=form_post")


def _nothing_is_injected(attempt: Attempt) -> None:
    expected = "the values of the request in encoded form, or a refusal"
    for answer in attempt.answers:
        at = expect.conclusive(answer)
        split = MARKER in answer.headers or any(cookie.startswith(MARKER) for cookie in answer.set_cookies)
        expect.that(not split, expected=expected, got="a header that the request injected", at=at)
        raw = [name for name, value in answer.headers.items() if "\r" in value or "\n" in value]
        expect.that(not raw, expected=expected, got=f"unencoded line breaks in {', '.join(raw)}", at=at)
        traced = answer.status >= 500 and any(trace in answer.text for trace in TRACES)
        expect.that(not traced, expected="a refusal", got=f"{answer.status} with a stack trace", at=at)
        expect.ideally(answer.status < 500, expected="a refusal", got=expect.describe(answer), at=at)


def _posted(attempt: Attempt) -> Form | None:
    """The form with which the last page posts a response to the client; None if there is no such form."""
    forms = attempt.pages[-1].forms if attempt.pages and attempt.last.is_html else ()
    hidden = {form: {field.name for field in form.fields if field.type == "hidden"} for form in forms}
    return next((form for form, names in hidden.items() if OUTCOMES & names), None)


def _is_escaped(attempt: Attempt, element: str, state: str) -> Form | None:
    """Require that a page which posts the response escapes state, and return its form.

    Returns None for any other page and for a redirect, by which a server may refuse the characters of state.
    """
    if attempt.inconclusive is not None:
        expect.conclusive(attempt.inconclusive)
    form = _posted(attempt)
    if form is None:
        return None
    expected, injected = "state as the value of a form field", _injected(attempt.last, element)
    expect.that(not injected, expected=expected, got="state becomes markup in the page", at=attempt.last)
    values = [field.value for field in form.fields if field.name == "state"]
    got = f"state={' and '.join(values)}" if values else "no state"
    expect.that(values in ([state], []), expected=expected, got=got, at=attempt.last)
    expect.ideally(values == [state], expected=expected, got=got, at=attempt.last)
    return form


def _injected(answer: Answer, element: str) -> bool:
    soup = parsed(answer.text)
    scripts = [tag.get_text().strip() for tag in soup.find_all("script")]
    return soup.find(element) is not None or element in scripts
