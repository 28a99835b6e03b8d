"""Caching, and the media types of answers to programs (OAuth 2.1 section 3.2.3, RFC 8414 section 3.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.browser.pages import read_page
from oauth_litmus.check import LOGIN, check
from oauth_litmus.probes.markup import injected
from oauth_litmus.probes.observed import called, path_of
from oauth_litmus.verdict import NotApplicable, Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer

A_DAY = 86_400
PERMANENT = (301, 308)
_WITH_CODE = re.compile(r"[?&#]code=")


@check("HEADERS-03", needs={LOGIN})
async def nothing_of_a_login_is_stored(target: Target) -> None:
    """Log in. Read Cache-Control and the status of every answer with a cookie, a form or a redirect."""
    login = await target.logins.finished()
    for answer in filter(_carries_secrets, target.authorization.own_answers(login)):
        directives = _directives(answer)
        where = f"Cache-Control: no-store at {path_of(answer)}"
        got = f"Cache-Control: {answer.headers.get('cache-control', 'none')}"
        expect.safe(not _may_be_stored(directives), expected=where, got=got, at=answer)
        with_code = _WITH_CODE.search(answer.location or "") is not None
        lasting = answer.status in PERMANENT and with_code and not directives.keys() & {"no-store", "no-cache"}
        expect.safe(not lasting, expected="302 or 303 for a redirect with a code", got=f"{answer.status}", at=answer)
        expect.ideally("no-store" in directives, expected=where, got=got, at=answer)
    if login.unfinished:
        raise Skipped("the suite does not see the end of the login: give --login redirects")
    target.authorization.code_of(login)  # Blocked if the login broke off: the missing answers cannot be judged


@check("HEADERS-04a")
async def answers_to_programs_are_typed(target: Target) -> None:
    """Read Content-Type and X-Content-Type-Options of the metadata, and of an error of each endpoint that programs call."""
    for name, call in (await called(target)).items():
        answer = expect.conclusive(call.answer)
        if name == "resource" or not answer.body:
            continue
        json_typed = answer.media_type == "application/json" or answer.media_type.endswith("+json")
        got = f"{answer.media_type or 'no type'} from the {name} endpoint ({answer.status})"
        expect.ideally(json_typed, expected="application/json", got=got, at=answer)
        sniffed = answer.headers.get("x-content-type-options", "").strip().lower() != "nosniff"
        got = f"none from the {name} endpoint"
        expect.ideally(not sniffed, expected="X-Content-Type-Options: nosniff", got=got, at=answer)


@check("HEADERS-04b")
async def metadata_is_cached_briefly_and_sets_no_cookie(target: Target) -> None:
    """Read Cache-Control and Set-Cookie of the metadata."""
    answer = expect.conclusive((await called(target))["metadata"].answer)

    seconds = _seconds(_directives(answer))
    got = f"Cache-Control: {answer.headers.get('cache-control')}"
    expect.ideally(seconds <= A_DAY, expected="metadata cached for a day at most", got=got, at=answer)
    expect.ideally(not answer.set_cookies, expected="metadata without Set-Cookie", got="a cookie", at=answer)


@check("HEADERS-04c")
async def https_issuer_sends_hsts(target: Target) -> None:
    """Read Strict-Transport-Security of the metadata, if the issuer is https."""
    if urlsplit(target.server.issuer).scheme != "https":
        raise NotApplicable("the issuer is plain http, where browsers ignore the header")

    answer = expect.conclusive((await called(target))["metadata"].answer)

    header = answer.headers.get("strict-transport-security", "")
    kept = re.search(r"max-age\s*=\s*\"?0*[1-9]", header, re.IGNORECASE) is not None
    expect.ideally(kept, expected="Strict-Transport-Security", got=header or "none", at=answer)


@check("HEADERS-04d")
async def errors_for_programs_are_no_pages(target: Target) -> None:
    """Send markup in requests that the server must refuse, and see whether it comes back as HTML."""
    for name, call in (await called(target)).items():
        answer = expect.conclusive(call.answer)
        found = injected(answer.text) if _shown_as_page(answer) else None
        got = f"{found} in an error of the {name} endpoint"
        expect.that(found is None, expected="JSON, or escaped markup", got=got, at=answer)


def _shown_as_page(answer: Answer) -> bool:
    """Whether a browser would show the answer as HTML: by its media type, or by sniffing if it has none."""
    return answer.is_html or not answer.media_type


def _directives(answer: Answer) -> dict[str, str]:
    pairs = [part.strip().lower().partition("=") for part in answer.headers.get("cache-control", "").split(",")]
    return {name.strip(): value.strip(' "') for name, _, value in pairs if name.strip()}


def _carries_secrets(answer: Answer) -> bool:
    """Whether the answer belongs to one login; a page without form fields may be the same for all users."""
    fields = [field for form in read_page(answer.url, answer.text).forms for field in form.fields]
    return bool(answer.set_cookies or answer.location or (answer.is_html and fields))


def _may_be_stored(directives: dict[str, str]) -> bool:
    """Whether these directives let a cache store the answer and reuse it (RFC 9111 section 4.2.1)."""
    if directives.keys() & {"no-store", "no-cache"}:
        return False
    return _seconds(directives) > 0 or ("public" in directives and "max-age" not in directives)


def _seconds(directives: dict[str, str]) -> int:
    given = [directives.get(name, "") for name in ("max-age", "s-maxage")]
    return max((int(value) for value in given if value.isascii() and value.isdigit()), default=0)
