"""Repeated, unknown, odd and empty parameters of the authorization request (OAuth 2.1 section 3.1)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import REGISTRATION, check
from oauth_litmus.oauth.pkce import new_verifier, s256
from oauth_litmus.oauth.refusals import is_refused
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.authorization_request import AuthorizationRequest

NO_URLS = ("https://client.example.com:99999/cb", "https://client.example.com:port/cb", "https://[::1/cb")
UNKNOWN_SCOPE = "no-such-scope"
ODD = "litmus\"\\'\u00e9\0"
TELLING = frozenset({"client_id", "scope", "response_type"})
"""Parameters for which the end of a login shows whether the server checked one value and used another."""
OPENID = {"nonce": "n-0S6_WzA2Mj", "prompt": "consent", "login_hint": "x", "ui_locales": "en"}
"""Parameters of OpenID Connect, which are unknown to a server without it."""


@check("AUTHZ-04", needs={REGISTRATION})
async def repeated_parameters_are_refused(target: Target) -> None:
    """Repeat parameters with equal values, then each one with another value. If the login continues, see which value it uses."""
    request = target.authorization.request(await target.clients.shared())
    await target.authorization.control(request)
    another = {
        "client_id": f"unknown-{secrets.token_hex(8)}",
        "state": "another-state",
        "scope": UNKNOWN_SCOPE,
        "code_challenge": s256(new_verifier()),
        "response_type": "token",
    }
    asked = {name: value for name in another if (value := request.get(name))}

    for repeated in (asked, *({name: another[name]} for name in asked)):
        doubled = request.adding(*repeated.items())
        answer = await _answer(target, doubled, request)
        expected, got = f"invalid_request, since the request repeats {', '.join(repeated)}", "the login continues"
        expect.ideally(is_refused(answer), expected=expected, got=got, at=answer)
        if not is_refused(answer) and repeated.keys() <= TELLING:
            await _uses_the_checked_value(target, doubled, request, *repeated)

    # A server may ignore an empty value beside another one. It must then use the other one.
    emptied = request.adding(("code_challenge", ""))
    if not is_refused(await _answer(target, emptied, request)):
        await _uses_the_checked_value(target, emptied, request, "code_challenge")


@check("AUTHZ-05", needs={REGISTRATION})
async def unknown_parameters_are_ignored(target: Target) -> None:
    """Send an ordinary request that the server accepts. Add an unknown parameter, then parameters of OpenID Connect."""
    request = target.authorization.request(await target.clients.shared())
    await target.authorization.control(request)

    answer = expect.conclusive((await target.authorization.outcome(request.adding(("foo", "bar")))).last)
    expected, got = "the login, as without foo=bar", expect.describe(answer)
    expect.that(not is_refused(answer), expected=expected, got=f"a refusal: {got}", at=answer)

    answer = expect.conclusive((await target.authorization.outcome(request.adding(*OPENID.items()))).last)
    expected, got = f"the login, as without {', '.join(OPENID)}", expect.describe(answer)
    expect.ideally(not is_refused(answer), expected=expected, got=f"a refusal: {got}", at=answer)


@check("AUTHZ-11", needs={REGISTRATION})
async def odd_values_are_refused(target: Target) -> None:
    """Send quotation marks, a backslash, a non-ASCII letter and a NUL in one parameter after the other."""
    request = target.authorization.request(await target.clients.shared())
    await target.authorization.control(request)

    for name in ("response_type", "client_id", "scope", "state", "code_challenge", "code_challenge_method"):
        answer = await _lasting(target, request.but(**{name: ODD}), request)
        got = f"{expect.describe(answer)} for an odd {name}, twice"
        expect.that(answer.status < 500, expected="a refusal, or the login", got=got, at=answer)


@check("AUTHZ-09", needs={REGISTRATION})
async def empty_parameters_count_as_left_out(target: Target) -> None:
    """Send scope, state and redirect_uri empty, and leave them out. If the outcomes differ, compare them one by one."""
    client = await target.clients.shared()
    request = target.authorization.request(client)
    await target.authorization.control(request)
    names = ("scope", "state", *(("redirect_uri",) if len(client.redirect_uris) == 1 else ()))

    if await _refusal_of_empty(target, request, *names) is not None:
        for name in names:
            refusal = await _refusal_of_empty(target, request, name)
            got = f"a refusal of {name}=, although a request without {name} is accepted"
            expect.that(refusal is None, expected=f"{name}= treated as left out", got=got, at=refusal)

    refusal = await target.authorization.attempt(request.but(state="", response_type="bogus"))
    come_back = refusal.response.get("state") if refusal.response else None
    expected, got = "no state, or an empty one, after state=", f"state={come_back}"
    expect.that(not come_back, expected=expected, got=got, at=refusal.answers)


@check("AUTHZ-12", needs={REGISTRATION})
async def malformed_redirect_uris_are_refused(target: Target) -> None:
    """Send a redirect_uri with a port above 65535, one with a port of letters, and one with an unclosed bracket."""
    request = target.authorization.request(await target.clients.shared())
    await target.authorization.control(request)

    for uri in NO_URLS:
        answer = await _answer(target, request.but(redirect_uri=uri), request)
        got = f"{expect.describe(answer)} for {uri}"
        expect.ideally(is_refused(answer), expected="an error page", got=got, at=answer)


async def _refusal_of_empty(target: Target, request: AuthorizationRequest, *names: str) -> Answer | None:
    """Return the refusal of these parameters when empty; None if the server treats them as left out.

    If the server refuses a request without several parameters, the comparison shows nothing. Return that refusal then, so
    that the check tries each parameter alone.
    """
    without = expect.conclusive((await target.authorization.outcome(request.but(**dict.fromkeys(names)))).last)
    if is_refused(without):
        return None if len(names) == 1 else without
    empty = expect.conclusive((await target.authorization.outcome(request.but(**dict.fromkeys(names, "")))).last)
    return empty if is_refused(empty) else None


async def _answer(target: Target, request: AuthorizationRequest, without: AuthorizationRequest) -> Answer:
    """Return the answer to the request. Fail on a server error that recurs after an accepted request without the defect."""
    return expect.no_server_error(await _lasting(target, request, without))


async def _lasting(target: Target, request: AuthorizationRequest, without: AuthorizationRequest) -> Answer:
    async def send() -> Answer:
        return (await target.authorization.outcome(request)).last

    async def control() -> None:
        ordinary = (await target.authorization.outcome(without)).last
        if is_refused(ordinary):
            raise Blocked("set-up: the server also refuses the request without the defect", (ordinary.number,))

    return expect.conclusive(await target.settled(send, control))


async def _uses_the_checked_value(
    target: Target, doubled: AuthorizationRequest, request: AuthorizationRequest, name: str
) -> None:
    """Require that the server uses the same one of two values for its checks and for the code that it issues."""
    attempt = await target.authorization.attempt(doubled)
    response, expected = attempt.response, f"the same value of {name} for the checks and for the code"
    implicit = response is not None and response.get("access_token") is not None
    expect.that(
        not implicit, obtained=True, expected=expected, got="an access token in the redirect", at=attempt.answers
    )
    if attempt.code is None:
        return
    code = target.authorization.code_of(attempt)
    if name == "code_challenge":
        answer = expect.conclusive(await target.tokens.redeem(code, code_verifier=None))
        expect.that(
            not answer.has_tokens, obtained=True, expected=expected, got="a code that needs no code_verifier", at=answer
        )
    if name == "client_id":
        answer = expect.conclusive(await target.tokens.redeem(code))
        got = f"a code that the client cannot redeem: {expect.describe(answer)}"
        expect.that(answer.has_tokens, expected=expected, got=got, at=answer)
    if name == "scope" and is_refused((await target.authorization.outcome(request.but(scope=UNKNOWN_SCOPE))).last):
        tokens = await target.tokens.for_code(code)
        granted = UNKNOWN_SCOPE in tokens.scopes
        expect.that(
            not granted, obtained=True, expected=expected, got=f"scope {tokens.granted_scope}", at=tokens.answer
        )
