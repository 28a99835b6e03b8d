"""Authorization responses: state, redirects, and the registered query (OAuth 2.1 sections 4.1.2 and 7.5.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, check
from oauth_litmus.client import REDIRECT_URI, Target
from oauth_litmus.verdict import Blocked, NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.http.answer import AuthorizationResponse
    from oauth_litmus.oauth.attempt import Attempt

WITH_QUERY = f"{REDIRECT_URI}?tenant=a%20b&flag"
AWKWARD_STATE = "a b+c%25&d=e/?#"
LONG_STATE = "s" * 1500
FOREIGN_STATE = "état-à-vérifier"
INVENTED = ("None", "null", "undefined", "nil", "false")
REPEATING_STATUSES = (307, 308)
"""Statuses at which a browser repeats a POST with its body (RFC 9110 sections 15.4.8 and 15.4.9)."""

EXCLUDED_STATUS = 307
"""The redirect status that OAuth 2.1 section 1.6 excludes. After a GET it repeats no body. HEADERS-03 judges caching."""


@check("AUTHZ-03", needs={LOGIN}, logins=4)
async def state_comes_back_exactly(target: Target) -> None:
    """Send a state with special characters, a long one, a non-ASCII one and none, each in a login and in a refused request."""
    request = target.authorization.request(await target.clients.shared())

    for state in target.limit_probes((AWKWARD_STATE, LONG_STATE, FOREIGN_STATE), most=1):
        attempt = await target.authorization.attempt(request.but(state=state))
        _must_answer(attempt, state)
        expected, got = f"a code for state={state[:40]}", expect.describe(attempt.last)
        expect.ideally(attempt.code is not None, expected=expected, got=got, at=attempt.answers)
        _state_is(attempt.response, state)
        await target.grants.add_login_to_pool(attempt)
        _state_is((await target.authorization.attempt(request.but(state=state, response_type="bogus"))).response, state)

    without = await target.authorization.attempt(request.but(state=None))
    expect.ideally(
        without.code is not None,
        expected="a code without state, which is optional",
        got="the server requires state",
        at=without.answers,
    )
    _no_state_is_invented(without.response)
    await target.grants.add_login_to_pool(without)
    _no_state_is_invented((await target.authorization.attempt(request.but(state=None, response_type="bogus"))).response)


@check("AUTHZ-07", needs={LOGIN}, logins=1)
async def answers_are_redirects_with_a_query(target: Target) -> None:
    """Log in, refuse consent if the server asks for it, and send an unknown response_type. Inspect every redirect."""
    request = target.authorization.request(await target.clients.shared())

    attempts = [await target.logins.finished()]
    if any(page.forms for page in attempts[0].pages):
        refused = await target.logins.refused_consent()
        if refused is not None:
            attempts.append(refused)

    for attempt in attempts:
        for answer in (answer for answer in target.authorization.own_answers(attempt) if answer.location):
            got, expected = f"{answer.status} after a {answer.method}", "302 or 303"
            repeated = answer.method == "POST" and answer.status in REPEATING_STATUSES
            expect.that(not repeated, expected=expected, got=got, at=answer)
            expect.ideally(answer.status != EXCLUDED_STATUS, expected=expected, got=got, at=answer)
        fragment = dict(attempt.response.fragment) if attempt.response else {}
        in_fragment = sorted({"code", "state", "error"} & fragment.keys())
        got = f"{', '.join(in_fragment)} in the fragment"
        expect.that(not in_fragment, expected="the response parameters in the query", got=got, at=attempt.answers)
    refused = (await target.authorization.first_answer(request.but(response_type="bogus"))).last
    unfollowed = refused.status >= 400 and "location" in refused.headers
    got = f"{refused.status} with a Location that browsers do not follow: the client does not learn of the error"
    expect.ideally(not unfollowed, expected="302 or 303, or a page without a Location", got=got, at=refused)


@check("REDIR-17", needs={LOGIN}, logins=1)
async def registered_query_is_kept(target: Target) -> None:
    """Make the server send a code, and then an error, to a redirect URI with a query."""
    client = await target.clients.with_redirect_uris(WITH_QUERY)
    if client is None:
        raise NotApplicable("the server registers no redirect URIs with a query")
    request = target.authorization.request(client)

    success = await target.authorization.attempt(request)
    if success.response is None and success.left_for is None:
        raise Blocked(
            "set-up: a login with a registered redirect URI did not end with a redirect", (success.last.number,)
        )
    _query_is_kept(success, "code")

    refusal = await target.authorization.attempt(request.but(response_type="bogus"))
    if refusal.response is not None or refusal.left_for is not None:
        _query_is_kept(refusal, "error" if refusal.code is None else "code")


def _must_answer(attempt: Attempt, state: str) -> None:
    """Require a response only for printable ASCII of ordinary length: a server may refuse any other state."""
    if attempt.inconclusive is not None:
        expect.conclusive(attempt.inconclusive)
    answered = attempt.response is not None or state != AWKWARD_STATE
    got = expect.describe(attempt.last)
    expect.that(answered, expected="a response with the state that was sent", got=got, at=attempt.answers)


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
    expect.that(
        not (response.get("d") or "").startswith("e/?"),
        expected=expected,
        got="a part of the state as a parameter of its own",
        at=response.answer,
    )


def _no_state_is_invented(response: AuthorizationResponse | None) -> None:
    if response is None:
        return
    state, expected = response.get("state"), "no state, since the request has none"
    expect.that(state not in INVENTED, expected=expected, got=f"state={state}", at=response.answer)
    expect.ideally(state is None, expected=expected, got=f"state={state}", at=response.answer)


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
    reencoded = "the registered query in another encoding"
    # The registered query may stand anywhere among the parameters.
    verbatim = f"&{registered.partition('?')[2]}&" in f"&{landed.partition('#')[0].partition('?')[2]}&"
    expect.ideally(verbatim, expected=expected, got=reencoded, at=attempt.answers)
