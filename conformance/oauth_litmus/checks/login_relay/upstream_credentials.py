"""The upstream's tokens must not reach the browser (OAuth 2.1 section 7.1.3.7)."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.browser.cookies import SetCookie, stem
from oauth_litmus.check import LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.http.answer import Answer
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.probes.callback_url import parameter
from oauth_litmus.probes.disclosure import discloses


@check("LOGIN-15", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2)
async def upstream_tokens_never_reach_the_browser(target: Target) -> None:
    """Log in with upstream tokens that the suite knows, then with one that does not verify. Look for them in every answer."""
    known = await _known_tokens(target, target.user("known"))
    attempt = await _log_in(target, target.user("known"), known)
    _nothing_shown(target, attempt, known.values())
    target.authorization.code_of(attempt)

    known = await _known_tokens(target, target.user("forged"))
    known["access_token"] = await target.upstream.jwt(like=known["access_token"], key="stranger")
    attempt = await _log_in(target, target.user("forged"), known)
    _nothing_shown(target, attempt, known.values())


async def _known_tokens(target: Target, user: str) -> dict[str, str]:
    """Return tokens of an existing upstream session, and a token of the identity provider behind the upstream."""
    access_token, refresh_token = await target.upstream.session_tokens(user=user)
    return {
        "access_token": access_token,
        "refresh_token": refresh_token,
        "provider_token": f"ya29.{secrets.token_urlsafe(24)}",
    }


async def _log_in(target: Target, user: str, known: Mapping[str, str]) -> Attempt:
    for value in known.values():
        target.secret(value, "upstream token")
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()), user=user)
    await target.upstream.fault("token", "members", grant_type="pkce", user=user, members=dict(known))
    attempt = await target.callbacks.deliver(held)
    code = parameter(held.callback_url, "code") or ""
    for answer in target.authorization.own_answers(attempt):
        expect.ideally(
            not discloses(answer.headers.get("location", ""), code),
            expected="no upstream code in a redirect of the server",
            got="the upstream's code",
            at=answer,
        )
    return attempt


def _nothing_shown(target: Target, attempt: Attempt, known: Collection[str]) -> None:
    def shown_in(text: str) -> bool:
        return any(discloses(text, value) for value in known)

    for answer in target.authorization.own_answers(attempt):
        for place, text in (("a redirect", answer.headers.get("location", "")), ("a page", answer.text)):
            expect.that(
                not shown_in(text),
                expected=f"no token of the upstream in {place}",
                got="a token of the upstream",
                at=answer,
            )
        for raw in answer.set_cookies:
            cookie = SetCookie.parse(raw)
            if shown_in(cookie.value):
                _in_a_cookie(target, answer, cookie)


def _in_a_cookie(target: Target, answer: Answer, cookie: SetCookie) -> None:
    """Judge a readable token in a cookie: FAIL if an https server may send it in the clear, else WARN (OAuth 2.1 section 7.1.3.4).

    COOKIE-01 judges plain http.
    """
    in_the_clear = not cookie.secure and urlsplit(target.server.issuer).scheme == "https"
    (expect.that if in_the_clear else expect.ideally)(
        False,
        expected="no token of the upstream in a cookie",
        got=f"a readable token in {stem(cookie.name)}" + (", which is not Secure" if in_the_clear else ""),
        at=answer,
    )
