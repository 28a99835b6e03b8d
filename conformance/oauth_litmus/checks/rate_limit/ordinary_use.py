"""Ordinary use within the limits: other actions, two logins in a row, and the preflights of scripts."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import BROWSER_LEG, BURST, DYNAMIC_REGISTRATION, LOGIN, REGISTRATION, check
from oauth_litmus.limits.rates import Kind
from oauth_litmus.oauth.attempt import ending_of
from oauth_litmus.probes.limited_actions import (
    limited_action,
    longest_window,
    rate_of,
    refused,
    until_all_is_quiet,
    windows_to_end,
)
from oauth_litmus.probes.observed import FOREIGN_ORIGIN, allowed_origin
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Client, Target
    from oauth_litmus.http.answer import Answer

LOGINS = 2
METADATA_FETCHES = 10
PREFLIGHTS = 4
NEEDED = {"register": LOGINS, "authorize": LOGINS, "start": LOGINS, "callback": LOGINS, "token": 2 * LOGINS}
"""Requests of these logins that count against each limit."""
SMALLEST_LIMIT = 3
"""Smallest declared limit of an action that the check can try both before and after it exhausts another one."""


@check("RATE-09", needs={BURST, REGISTRATION}, waits=until_all_is_quiet)
async def limit_of_one_action_does_not_block_another(target: Target) -> None:
    """Try the metadata and the other actions, exhaust the limit of one action, and try again: the others must still work."""
    action = await limited_action(target)
    await windows_to_end(target, max(longest_window(target.server), *_learnt_windows(target)))
    others = {name: ask for name, ask in (await _ordinary_requests(target)).items() if name != action.name}
    answered_before = {name: ask for name, ask in others.items() if not (await ask()).is_inconclusive}
    if not answered_before:
        raise Blocked("set-up: the server answers no other action, even before the limit is exhausted")
    await refused(target, action)

    for name, ask in answered_before.items():
        answer = await ask()
        expected, got = f"no 429 for {name} after the limit of {action.name} is exhausted", expect.describe(answer)
        # A server may also have one limit for all requests of an address, so a 429 is only a WARN.
        expect.ideally(answer.status != 429, expected=expected, got=got, at=answer)


@check("RATE-14a", needs={BURST, LOGIN, BROWSER_LEG}, logins=LOGINS, waits=until_all_is_quiet)
async def two_logins_fit_in_the_limits(target: Target) -> None:
    """Register, log in, redeem and refresh, twice in a row, with the metadata requests and preflights that clients send."""
    declared = target.server.profile.limits.declared()
    tight = [name for name, needed in NEEDED.items() if name in declared and declared[name].count < needed]
    if tight:
        raise Skipped(
            f"the declared limit for {tight[0]} is too small for two logins: such a limit is meant for a test"
        )
    await windows_to_end(target, max(longest_window(target.server), *_learnt_windows(target)))

    answers: list[Answer] = []
    for _ in range(LOGINS):
        answers += await _documents(target)
        answers += await _login(target)
    refusals = [answer for answer in answers if answer.status == 429]
    got = f"429 to {refusals[0].method} {expect.place(refusals[0].url)}" if refusals else ""
    expect.that(not refusals, expected=f"no 429 in {LOGINS} ordinary logins", got=got, at=refusals[:1])


@check("RATE-14b", needs={BURST, DYNAMIC_REGISTRATION}, waits=until_all_is_quiet)
async def preflights_do_not_use_up_a_limit(target: Target) -> None:
    """Send one preflight more than the registration limit allows requests, then register: the server must not answer 429."""
    _, rate = rate_of(target.server, "register")
    await windows_to_end(target, rate.seconds, Kind.REGISTER)
    url = target.endpoint("registration")
    first = await _preflight(target, url)
    if allowed_origin(first) not in ("*", FOREIGN_ORIGIN):
        raise NotApplicable("the server does not let scripts of other origins register clients")
    preflights = [first, *[await _preflight(target, url) for _ in range(rate.count)]]

    answer = await target.clients.register(target.clients.metadata())

    expected = f"a registration after {len(preflights)} preflights"
    expect.that(answer.status != 429, expected=expected, got="429", at=(preflights[-1], answer))


def _learnt_windows(target: Target) -> list[float]:
    return [0.0, *(rate.seconds for rate in target.learnt_limits.values())]


async def _ordinary_requests(target: Target) -> dict[str, Callable[[], Awaitable[Answer]]]:
    """Ordinary requests that need no login, by the action that they count against.

    The registration, which leaves a client on the server, is included only if it has a declared limit. An action with a
    declared limit below `SMALLEST_LIMIT` is left out.
    """
    client = await target.clients.shared()
    declared = target.server.profile.limits.declared()

    async def authorize() -> Answer:
        return (await target.authorization.first_answer(target.authorization.request(client))).last

    found: dict[str, Callable[[], Awaitable[Answer]]] = {
        "metadata": lambda: target.get(target.server.discovered.metadata_url),
        "authorize": authorize,
        "token_failures": lambda: _made_up_code(target, client),
    }
    if "register" in declared and target.server.endpoint("registration"):
        found["register"] = lambda: target.clients.register(target.clients.metadata())
    return {name: ask for name, ask in found.items() if name not in declared or declared[name].count >= SMALLEST_LIMIT}


async def _made_up_code(target: Target, client: Client) -> Answer:
    made_up = {"code": secrets.token_urlsafe(32), "code_verifier": secrets.token_urlsafe(48)}
    return await target.tokens.request({"grant_type": "authorization_code", **made_up}, client)


async def _documents(target: Target) -> list[Answer]:
    url = target.server.discovered.metadata_url
    answers = [await target.get(url) for _ in range(METADATA_FETCHES // LOGINS)]
    return answers + [await _preflight(target, target.endpoint("token")) for _ in range(PREFLIGHTS // LOGINS)]


async def _preflight(target: Target, url: str) -> Answer:
    headers = {
        "origin": FOREIGN_ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type",
    }
    return await target.send("OPTIONS", url, kind=Kind.RESOURCE, headers=headers)


async def _login(target: Target) -> list[Answer]:
    """Register, log in, redeem and refresh, and return the answers, up to the first 429.

    Raises:
        Blocked: the login ends without a code for another reason.
    """
    answers: list[Answer] = []
    if target.server.endpoint("registration") is None or target.clients.configured:
        client = await target.clients.shared()
    else:
        answers.append(await target.clients.register(target.clients.metadata()))
        if answers[-1].status == 429:
            return answers
        client = target.clients.client_of(answers[-1], target.redirect_uri)
    attempt = await target.authorization.attempt(target.authorization.request(client))
    answers += target.authorization.own_answers(attempt)
    if attempt.code is None and answers[-1].status == 429:
        return answers
    if attempt.code is None:
        raise Blocked(f"set-up: the login ended without a code ({ending_of(attempt)})", (attempt.last.number,))
    answers.append(await target.tokens.redeem(target.authorization.code_of(attempt)))
    if answers[-1].has_tokens:
        tokens = target.tokens.read(answers[-1], client, attempt.request.get("scope"))
        answers += [await target.tokens.refresh(tokens)] if tokens.refresh_token else []
    return answers
