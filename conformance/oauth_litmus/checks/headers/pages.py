"""Pages of the login: framing, other sites, and escaped values of the request (OAuth 2.1 sections 7.11 and 7.12)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urljoin

from oauth_litmus import expect
from oauth_litmus.browser.hypertext import parsed
from oauth_litmus.browser.pages import read_page
from oauth_litmus.check import REGISTRATION, check
from oauth_litmus.http.sites import same_site
from oauth_litmus.limits.rates import Kind
from oauth_litmus.probes.error_page import refused_login
from oauth_litmus.probes.markup import MARKUP, SCRIPT_URL, injected, internals
from oauth_litmus.probes.observed import path_of, whole_login
from oauth_litmus.target.rate_kind import kind_of
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer

TELLING = ("unsafe-url", "no-referrer-when-downgrade")
"""Referrer policies that send the whole URL to other sites."""
POLICIES = (
    *TELLING,
    "no-referrer",
    "same-origin",
    "origin",
    "strict-origin",
    "origin-when-cross-origin",
    "strict-origin-when-cross-origin",
)
_LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "audio": "src", "video": "src"}
_LINKED_AND_LOADED = {
    "stylesheet",
    "icon",
    "preload",
    "modulepreload",
    "prefetch",
    "manifest",
    "apple-touch-icon",
    "import",
}
_FRAME_BUSTING = re.compile(r"\b(?:top|parent|self)\s*[!=]==?\s*(?:window\.)?(?:self|top|window|parent)\b")
_CREDENTIALS = re.compile(
    r"\b(?:rediss?|valkey|postgres(?:ql)?|mysql|mongodb|amqps?)(?:\+\w{1,40})?://[^\s/@:]{0,200}:[^\s/@]{1,200}@"
)
_SECRET = re.compile(r"[?&](?:state|code|session_state|code_challenge)=|/[A-Za-z0-9_-]{20,}(?:[/?]|$)")
"""A URL with a state, a code, or another value that starts or finishes a login."""


@check("HEADERS-01", needs={REGISTRATION})
async def pages_cannot_be_framed(target: Target) -> None:
    """Log in, and provoke an error page. See how each page of the server forbids framing."""
    for answer in await _own_pages(target):
        interactive = bool(read_page(answer.url, answer.text).forms) or "<button" in answer.text.lower()
        only_by_script = bool(_FRAME_BUSTING.search(answer.text))
        got = "only a script against framing" if only_by_script else "neither"
        expected = f"frame-ancestors or X-Frame-Options on {path_of(answer)}"
        judge = expect.that if interactive and not only_by_script else expect.ideally
        judge(_forbids_framing(answer), expected=expected, got=got, at=answer)


@check("HEADERS-02a", needs={REGISTRATION})
async def pages_tell_other_sites_no_url(target: Target) -> None:
    """Read the Referrer-Policy of the pages and redirects of a login, and of an error page."""
    attempts = [await whole_login(target), await refused_login(target)]
    answers = [answer for attempt in attempts for answer in target.authorization.own_answers(attempt)]

    for answer in answers:
        policy = _referrer_policy(answer)
        where = f"a Referrer-Policy without the URL on {path_of(answer)}"
        telling = policy in TELLING
        if answer.is_shown:
            judge = expect.safe if _SECRET.search(answer.url) else expect.that
            judge(not telling, expected=where, got=f"Referrer-Policy: {policy}", at=answer)
            expect.ideally(bool(policy), expected=where, got="no Referrer-Policy", at=answer)
        else:
            expect.ideally(not telling, expected=where, got=f"Referrer-Policy: {policy}", at=answer)


@check("HEADERS-02b", needs={REGISTRATION})
async def pages_load_nothing_from_other_sites(target: Target) -> None:
    """List the scripts, images, frames and styles that the pages of a login and an error page load."""
    for answer in await _own_pages(target):
        foreign = next((url for url in _loaded(answer) if not same_site(url, answer.url)), None)
        got = f"{path_of(answer)} loads {expect.place(foreign)}"
        expect.that(foreign is None, expected="nothing from other sites", got=got, at=answer)


_SHOWN = ("ui_locales", "nonce", "acr_values", "x_litmus")
"""Parameters whose value a page may show or keep."""


@check("ERR-01", needs={REGISTRATION})
async def pages_escape_the_request(target: Target) -> None:
    """Put markup into every parameter of the authorization request and the callback, and into paths."""
    request = target.authorization.request(await target.clients.shared())

    answers: list[Answer] = []
    names = ("redirect_uri", "client_id", "state", "scope", "response_type")
    changes = [{name: value} for value in (MARKUP, SCRIPT_URL) for name in names]
    # If the server refuses one parameter, it does not show the others: send the one that pages most likely show alone.
    shown = [dict.fromkeys(names, value) for value in (MARKUP, SCRIPT_URL) for names in (("login_hint",), _SHOWN)]
    for change in target.limit_probes([changes[0], shown[0], *changes[1:], *shown[1:]], most=2):
        attempt = await target.authorization.attempt_upstream(request.but(**change))
        answers += target.authorization.own_answers(attempt)
    for url in _urls_that_may_repeat(target, [answer.url for answer in answers]):
        answers.append(await target.get(url, kind=kind_of(target.server, url, Kind.AUTHORIZE)))

    for answer in answers:
        expect.conclusive(answer)
        found = injected(answer.text, images=True) if answer.is_html else None
        got = f"{found} on the page at {path_of(answer)}"
        expect.that(found is None, expected="escaped values of the request", got=got, at=answer)
        shown = _CREDENTIALS.search(answer.text) is not None
        expect.that(not shown, expected="no internals", got="the URL of a store, with its password", at=answer)
        leak = internals(answer.text)
        expect.ideally(leak is None, expected="no internals", got=f"internal details: {leak}", at=answer)


async def _own_pages(target: Target) -> list[Answer]:
    attempts = [await whole_login(target), await refused_login(target)]
    pages = [answer for attempt in attempts for answer in target.authorization.own_answers(attempt) if answer.is_shown]
    if not pages:
        for attempt in attempts:
            if attempt.answers:
                expect.conclusive(attempt.last)
        raise NotApplicable("the server shows no pages of its own")
    return pages


def _urls_that_may_repeat(target: Target, seen: list[str]) -> list[str]:
    """URLs with markup: the callback with an error, login pages with another identifier, and a path that does not exist."""
    urls = {f"{target.server.issuer}/{quote(MARKUP, safe='')}"}
    callback = target.server.seen.callback_url
    if callback is not None:
        query = {"error": MARKUP, "error_description": MARKUP, "state": MARKUP}
        urls.add(f"{callback.partition('?')[0]}?{urlencode(query)}")
    # The URL of a login page may end in the login's identifier: another ending is an unknown login.
    legs = {url.partition("?")[0].rpartition("/")[0] for url in seen}
    urls |= {f"{leg}/{quote(MARKUP, safe='')}" for leg in legs if leg.startswith(target.server.issuer)}
    return sorted(urls)


def _forbids_framing(answer: Answer) -> bool:
    policies = ";".join(answer.headers.get_list("content-security-policy"))
    ancestors = re.findall(r"(?:^|[;,])\s*frame-ancestors([^;,]*)", policies, re.IGNORECASE)
    if any(not {"*", "http:", "https:"} & set(sources.split()) for sources in ancestors):
        return True
    said = {value.strip().lower() for value in answer.headers.get("x-frame-options", "").split(",")}
    return said in ({"deny"}, {"sameorigin"})  # a repeated value is valid


def _referrer_policy(answer: Answer) -> str:
    """The policy in force: the last known one of the header and the page's meta elements (Referrer Policy section 8.1)."""
    named = answer.headers.get("referrer-policy", "").lower().split(",")
    if answer.is_html:
        for tag in parsed(answer.text).find_all("meta", attrs={"name": re.compile("^referrer$", re.IGNORECASE)}):
            named.append(str(tag.get("content", "")).lower())
    known = [policy.strip() for policy in named if policy.strip() in POLICIES]
    return known[-1] if known else ""


def _loaded(answer: Answer) -> list[str]:
    """The absolute URLs that a browser loads for a page."""
    found: list[str] = []
    for tag in parsed(answer.text).find_all(list(_LOADED)):
        raw = tag.get(_LOADED[tag.name])
        loaded = tag.name != "link" or bool(set(str(tag.get("rel", "")).lower().split()) & _LINKED_AND_LOADED)
        if isinstance(raw, str) and raw.strip() and loaded:
            url = urljoin(answer.url, raw.strip())
            if url.startswith(("http://", "https://")):
                found.append(url)
    return found
