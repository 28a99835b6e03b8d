"""Authorization requests and their answers (OAuth 2.1 sections 4.1.1 and 4.1.2; RFC 9207)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, LOGIN, REGISTRATION, check
from oauth_litmus.client import REDIRECT_URI, Client, Target
from oauth_litmus.login.pages import choose_form
from oauth_litmus.verdict import Blocked, NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.answer import AuthorizationResponse
    from oauth_litmus.authorization import Attempt

STRANGER = "https://evil.example/cb"
WITH_QUERY = f"{REDIRECT_URI}?tenant=a%20b&flag"
AWKWARD_STATE = "a b+c%25&d=e/?#"
LONG_STATE = "s" * 1500
FOREIGN_STATE = "état-à-vérifier"
INVENTED = ("None", "null", "undefined", "nil", "false")
REPEATING_STATUSES = (307, 308)
"""Statuses at which a browser repeats a POST with its body (RFC 9110 sections 15.4.8 and 15.4.9)."""


@check("AUTHZ-01", needs=set())
async def unknown_client_gives_a_readable_error(target: Target) -> None:
    """Open the authorization endpoint without parameters, with an unknown client_id, and with an empty one."""
    nobody = target.request(Client(f"unknown-{secrets.token_hex(8)}", (REDIRECT_URI,))).but(redirect_uri=None)
    requests = {
        "there are no parameters": replace(nobody, parameters=()),
        "the client_id is unknown": nobody,
        "the client_id is empty": nobody.but(client_id=""),
    }

    for because, request in requests.items():
        attempt = await target.attempt_upstream(request)
        if expect.conclusive(attempt.last).status >= 500:
            attempt = await target.attempt_upstream(request)
        _tells_the_user(attempt, because)


@check("AUTHZ-02", needs={REGISTRATION})
async def response_type_is_required(target: Target) -> None:
    """Ask without response_type, with an empty, an unknown, the implicit and a hybrid one."""
    request = target.request(await target.client())
    await target.control(request)

    for response_type in (None, "", "bogus", "token", "code token"):
        attempt = await target.attempt(request.but(response_type=response_type))
        handed_out = attempt.response is not None and attempt.response.get("access_token") is not None
        because = f"response_type is {response_type!r}" if response_type else "response_type is missing"
        got = "an access token in the redirect"
        expect.that(not handed_out, expected=f"an error, since {because}", got=got, at=attempt.answers)
        unsupported = ("unsupported_response_type", "unauthorized_client")
        expect.no_code(attempt, because=because, codes=unsupported if response_type else ("invalid_request",))


@check("AUTHZ-03", needs={LOGIN}, logins=4)
async def state_comes_back_exactly(target: Target) -> None:
    """Send awkward, long, non-ASCII and no state, each in a login and in a request that is refused."""
    request = target.request(await target.client())

    for state in (AWKWARD_STATE, LONG_STATE, FOREIGN_STATE):
        attempt = await target.attempt(request.but(state=state))
        _must_answer(attempt, state)
        expected, got = f"a code for state={state[:40]}", expect.describe(attempt.last)
        expect.ideally(attempt.code is not None, expected=expected, got=got, at=attempt.answers)
        _state_is(attempt.response, state)
        _state_is((await target.attempt(request.but(state=state, response_type="bogus"))).response, state)

    without = await target.attempt(request.but(state=None))
    expect.ideally(without.code is not None, expected="state is optional", got="it is demanded", at=without.answers)
    _no_state_is_invented(without.response)
    _no_state_is_invented((await target.attempt(request.but(state=None, response_type="bogus"))).response)


@check("AUTHZ-07", needs={LOGIN}, logins=1)
async def answers_are_redirects_with_a_query(target: Target) -> None:
    """Log in, and refuse a consent page where there is one; look at every redirect on the way."""
    request = target.request(await target.client())

    attempts = [await target.attempt(request)]
    if any(page.forms for page in attempts[0].pages):
        shown = await target.hold_form(request)
        refusal = choose_form(shown.pages[-1], {}, approve=False)
        if refusal is not None:
            attempts.append(await target.submit(shown, refusal, browser=shown.browser))

    for attempt in attempts:
        for answer in (answer for answer in target.own_answers(attempt) if answer.location):
            got, expected = f"{answer.status} after a {answer.method}", "302 or 303"
            repeated = answer.method == "POST" and answer.status in REPEATING_STATUSES
            expect.that(not repeated, expected=expected, got=got, at=answer)
            expect.ideally(answer.status in (302, 303), expected=expected, got=got, at=answer)
        fragment = dict(attempt.response.fragment) if attempt.response else {}
        in_fragment = sorted({"code", "state", "error"} & fragment.keys())
        got = f"{', '.join(in_fragment)} in the fragment"
        expect.that(not in_fragment, expected="the answer in the query", got=got, at=attempt.answers)


@check("ISS-01", needs={LOGIN})
async def iss_is_the_issuer(target: Target) -> None:
    """Log in and compare iss with the issuer of the metadata."""
    code = await target.login()

    _iss_is_right(target, code.response)


@check("ISS-02", needs={REGISTRATION})
async def iss_is_in_errors(target: Target) -> None:
    """Provoke an error redirect and compare iss with the issuer of the metadata."""
    request = target.request(await target.client())
    provocations = (
        request.but(response_type="bogus"),
        request.but(scope="no-such-scope"),
        request.but(code_challenge=None, code_challenge_method=None),
    )

    for provocation in provocations:
        attempt = await target.attempt(provocation)
        if attempt.response is not None and attempt.response.error:
            _iss_is_right(target, attempt.response)
            return
    raise NotApplicable("the errors of authorization requests are shown as pages")


@check("REDIR-17", needs={LOGIN, DYNAMIC_REGISTRATION}, logins=1)
async def registered_query_is_kept(target: Target) -> None:
    """Have a code, and then an error, sent to a redirect URI with a query."""
    client = await target.client_with(WITH_QUERY)
    if client is None:
        raise NotApplicable("the server registers no redirect URIs with a query")
    request = target.request(client)

    success = await target.attempt(request)
    if success.response is None and success.left_for is None:
        raise Blocked("set-up: a login with a registered redirect URI brought no answer", (success.last.number,))
    _query_is_kept(success, "code")

    refusal = await target.attempt(request.but(response_type="bogus"))
    if refusal.response is not None or refusal.left_for is not None:
        _query_is_kept(refusal, "error" if refusal.code is None else "code")


@check("REDIR-22", needs=set())
async def unknown_client_gets_no_redirect(target: Target) -> None:
    """Name an unknown client, then none, with a foreign redirect_uri and an unknown response_type."""
    nobody = Client(f"unknown-{secrets.token_hex(8)}", (REDIRECT_URI,))
    request = target.request(nobody, redirect_uri=STRANGER).but(response_type="bogus")

    for client_id, what in ((nobody.client_id, "is unknown"), (None, "is missing")):
        attempt = await target.attempt(request.but(client_id=client_id))
        expect.nothing_sent_to(attempt, STRANGER, because=f"the client_id {what}")


def _tells_the_user(attempt: Attempt, because: str) -> None:
    expected, last = f"an error page, since {because}", expect.conclusive(attempt.last)
    expect.safe(last.status < 500, expected=expected, got=f"{last.status}, twice", at=attempt.answers)
    elsewhere = f"a redirect to {expect.place(attempt.left_for)}"
    expect.safe(attempt.left_for is None, expected=expected, got=elsewhere, at=attempt.answers)
    early = not attempt.went_on and not attempt.unfinished
    expect.ideally(early, expected=expected, got="a login, before the client is looked at", at=attempt.answers)
    if early and len(attempt.answers) == 1:
        expect.ideally(last.status >= 400, expected="a 4xx", got=expect.describe(last), at=last)


def _must_answer(attempt: Attempt, state: str) -> None:
    """Only a state that no server may refuse must bring an answer: printable ASCII of ordinary length."""
    if attempt.inconclusive is not None:
        expect.conclusive(attempt.inconclusive)
    answered = attempt.response is not None or state != AWKWARD_STATE
    got = expect.describe(attempt.last)
    expect.that(answered, expected="an answer with the state that was sent", got=got, at=attempt.answers)


def _state_is(response: AuthorizationResponse | None, sent: str) -> None:
    if response is None:
        return
    come_back = [value for name, value in (*response.parameters, *response.fragment) if name == "state"]
    expected, got = f"state={sent[:40]}, once", f"state={' and '.join(value[:40] for value in come_back) or ' missing'}"
    right = come_back == [sent]
    if sent == FOREIGN_STATE:
        expect.ideally(right, expected=expected, got=got, at=response.answer)
        return
    expect.that(right, expected=expected, got=got, at=response.answer)
    expect.that(response.get("d") is None, expected=expected, got="a part of it as a parameter", at=response.answer)


def _no_state_is_invented(response: AuthorizationResponse | None) -> None:
    if response is None:
        return
    state, expected = response.get("state"), "no state, since none was sent"
    expect.that(state not in INVENTED, expected=expected, got=f"state={state}", at=response.answer)
    expect.ideally(state is None, expected=expected, got=f"state={state}", at=response.answer)


def _iss_is_right(target: Target, response: AuthorizationResponse) -> None:
    issuer = target.server.discovered.metadata.get("issuer")
    found = [value for name, value in (*response.parameters, *response.fragment) if name == "iss"]
    expected, got = f"iss={issuer}, once", f"iss={' and '.join(found)}" if found else "no iss"
    if found:
        expect.that(found == [issuer], expected=expected, got=got, at=response.answer)
        unpromised = "iss that the metadata does not promise"
        expect.ideally(target.server.advertises_iss, expected=expected, got=unpromised, at=response.answer)
    elif target.server.advertises_iss:
        expect.that(False, expected=f"{expected}: the metadata promises it", got=got, at=response.answer)
    else:
        expect.ideally(False, expected=expected, got=f"{got}, and none is promised", at=response.answer)


def _query_is_kept(attempt: Attempt, answered: str) -> None:
    registered = attempt.request.get("redirect_uri") or ""
    landed = (attempt.response.location if attempt.response else attempt.left_for) or ""
    place, _, query = landed.partition("#")[0].partition("?")
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = all(pair in pairs for pair in parse_qsl(registered.partition("?")[2], keep_blank_values=True))
    expected, got = f"{registered}&{answered}=…", f"{place}?{'&'.join(name for name, _ in pairs)}"
    expect.that(kept and place == registered.partition("?")[0], expected=expected, got=got, at=attempt.answers)
    added = sum(name == answered for name, _ in pairs) == 1
    expect.that(added, expected=f"{expected}, once", got=got, at=attempt.answers)
    reencoded = "what was registered is encoded in another way"
    expect.ideally(landed.startswith(f"{registered}&"), expected=expected, got=reencoded, at=attempt.answers)
