"""What browsers are told: CORS, framing, and what pages repeat (OAuth 2.1 sections 3.1, 7.11 and 7.12)."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from bs4 import BeautifulSoup

from oauth_litmus import expect
from oauth_litmus.check import REGISTRATION, check
from oauth_litmus.client import REDIRECT_URI, Client
from oauth_litmus.login.pages import read_page
from oauth_litmus.rates import Kind
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.answer import Answer
    from oauth_litmus.client import Target

FOREIGN_ORIGIN = "https://app.example"
MARKUP = "\"' onfocus=litmus(1) x=\"'></script><script>litmus(1)</script>"
SCRIPT_URL = "javascript:litmus(1)"
_FRAME_BUSTING = re.compile(r"\b(?:top|parent|self)\s*[!=]==?\s*(?:window\.)?(?:self|top|window|parent)\b")
_INTERNALS = re.compile(
    r"Traceback \(most recent call last\)|File \"[^\"]+\", line \d+|^\s+at [\w$.<>]+ ?\([^)]*:\d+|SQLSTATE|WRONGTYPE"
    r"|\b(?:redis|psycopg2?|asyncpg|sqlalchemy|pymongo)\.[a-z.]*exceptions?\b",
    re.MULTILINE,
)
_CREDENTIALS = re.compile(r"\b(?:rediss?|valkey|postgres(?:ql)?|mysql|mongodb|amqps?)(?:\+\w+)?://[^\s/@]*:[^\s/@]+@")


@check("CORS-01", needs={REGISTRATION})
async def browser_legs_offer_no_cors(target: Target) -> None:
    """Navigate with a foreign Origin, and ask every leg of the login by a preflight what scripts may do."""
    request = target.request(await target.client())
    attempt = await target.attempt_upstream(request, headers={"origin": FOREIGN_ORIGIN})

    answers = target.own_answers(attempt)
    urls = [answer.url for answer in answers]
    if target.server.seen.callback_url is not None:
        urls.append(target.server.seen.callback_url.partition("?")[0])
    headers = {"origin": FOREIGN_ORIGIN, "access-control-request-method": "GET"}
    for url in urls:
        answers.append(await target.send("OPTIONS", url, kind=Kind.AUTHORIZE, headers=headers))

    endpoint = target.endpoint("authorization").partition("?")[0]
    for answer in answers:
        allowed = answer.headers.get("access-control-allow-origin")
        got = f"Access-Control-Allow-Origin: {allowed} at {urlsplit(answer.url).path}"
        foreign = allowed in ("*", FOREIGN_ORIGIN)
        with_cookies = answer.headers.get("access-control-allow-credentials", "").lower() == "true"
        open_to_all = foreign and (with_cookies or answer.url.startswith(endpoint))
        expect.that(not open_to_all, expected="no Access-Control-Allow-Origin", got=got, at=answer)
        expect.ideally(allowed is None, expected="no Access-Control-Allow-Origin", got=got, at=answer)


@check("HEADERS-01", needs={REGISTRATION})
async def pages_cannot_be_framed(target: Target) -> None:
    """Go through a login, and provoke an error page; look at how each page of the server forbids framing."""
    nobody = Client(f"unknown-{secrets.token_hex(8)}", (REDIRECT_URI,))
    attempts = [
        await target.attempt(target.request(await target.client())),
        await target.attempt_upstream(target.request(nobody)),
    ]

    pages = [answer for attempt in attempts for answer in target.own_answers(attempt) if answer.is_html]
    if not pages:
        raise NotApplicable("the server shows no pages of its own")
    for answer in pages:
        interactive = bool(read_page(answer.url, answer.text).forms) or "<button" in answer.text.lower()
        only_by_script = bool(_FRAME_BUSTING.search(answer.text))
        got = "only a script against framing" if only_by_script else "neither"
        expected = f"frame-ancestors or X-Frame-Options on {urlsplit(answer.url).path}"
        judge = expect.that if interactive and not only_by_script else expect.ideally
        judge(_forbids_framing(answer), expected=expected, got=got, at=answer)


@check("ERR-01", needs={REGISTRATION})
async def pages_escape_the_request(target: Target) -> None:
    """Put markup into every parameter of the authorization request and the callback, and into paths."""
    request = target.request(await target.client())

    answers: list[Answer] = []
    for name in ("client_id", "redirect_uri", "state", "scope", "response_type"):
        for value in (MARKUP, SCRIPT_URL):
            attempt = await target.attempt_upstream(request.but(**{name: value}))
            answers += target.own_answers(attempt)
    for url in _places_that_may_repeat(target, [answer.url for answer in answers]):
        answers.append(await target.get(url, kind=Kind.AUTHORIZE))

    for answer in answers:
        expect.conclusive(answer)
        injected = _injected(answer.text) if answer.is_html else None
        got = f"{injected} on the page at {urlsplit(answer.url).path[:60]}"
        expect.that(injected is None, expected="what the request brought, escaped", got=got, at=answer)
        shown = _CREDENTIALS.search(answer.text) is not None
        expect.that(not shown, expected="no internals", got="the URL of a store, with its password", at=answer)
        leak = _INTERNALS.search(answer.text)
        got = f"internal details: {leak[0].strip() if leak else ''}"
        expect.ideally(leak is None, expected="no internals", got=got, at=answer)


def _places_that_may_repeat(target: Target, seen: list[str]) -> list[str]:
    """The callback with an error, the pages of the login under another name, and a path that does not exist."""
    places = {f"{target.server.issuer}/{quote(MARKUP, safe='')}"}
    callback = target.server.seen.callback_url
    if callback is not None:
        query = {"error": MARKUP, "error_description": MARKUP, "state": MARKUP}
        places.add(f"{callback.partition('?')[0]}?{urlencode(query)}")
    # A login's own address ends in its state: another ending is a login that the server does not know.
    legs = {url.partition("?")[0].rpartition("/")[0] for url in seen}
    places |= {f"{leg}/{quote(MARKUP, safe='')}" for leg in legs if leg.startswith(target.server.issuer)}
    return sorted(places)


def _injected(html: str) -> str | None:
    """What of the suite's markup became part of the page; None if it is text."""
    soup = BeautifulSoup(html, "html.parser")
    if any(tag.get_text().strip() == "litmus(1)" for tag in soup.find_all("script")):
        return "a script element"
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            text = str(value).strip().lower()
            if name.lower() == "onfocus" and "litmus" in text:
                return f"an attribute of <{tag.name}>"
            if name.lower() in ("href", "src", "action", "formaction") and text.startswith(SCRIPT_URL):
                return f"a script URL in <{tag.name} {name}>"
    return None


def _forbids_framing(answer: Answer) -> bool:
    policies = ";".join(answer.headers.get_list("content-security-policy"))
    ancestors = re.findall(r"(?:^|[;,])\s*frame-ancestors([^;,]*)", policies, re.IGNORECASE)
    if any(not {"*", "http:", "https:"} & set(sources.split()) for sources in ancestors):
        return True
    return answer.headers.get("x-frame-options", "").strip().lower() in ("deny", "sameorigin")
