"""Simultaneous logins: each code goes to its own client, and one login gives one code."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.client.callbacks import SAFE_UPSTREAM_AGE
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.probes.login_refusals import still_pending
from oauth_litmus.verdict import Blocked

BROWSERS = 4
RACERS = 20
ROUNDS = 3


@check("LOGIN-13", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=BROWSERS)
async def interleaved_logins_stay_apart(target: Target) -> None:
    """Start logins of several users for two clients in four browsers. Deliver their callbacks at one moment, in random order."""
    clients = [await target.clients.shared("a"), await target.clients.shared("b")]
    persons: dict[str, str] = {}

    async def hold(browsers: int) -> Sequence[Attempt]:
        held: list[Attempt] = []
        for number in range(browsers):
            request = target.authorization.request(clients[number % 2])
            user = target.user(f"{number % 2}-{number // 2}")
            persons[request.get("state") or ""] = user
            held.append(await target.callbacks.hold(request, user=user))
        return random.sample(held, len(held))

    held, ended = await target.races.of_callbacks(BROWSERS, hold)

    for own, attempt in zip(held, ended, strict=True):
        still_pending(target, own)
        _ends_at_home(own, attempt)
        if attempt.inconclusive is None and attempt.answers[0].sent_at - own.answers[0].sent_at < SAFE_UPSTREAM_AGE:
            each = "a code for each login"
            expect.ideally(attempt.code is not None, expected=each, got="none", at=attempt.answers)
    for by_person in (await _subjects(target, ended, persons)).values():
        _each_person_is_one_subject(by_person)


async def _subjects(
    target: Target, ended: Sequence[Attempt], persons: Mapping[str, str]
) -> dict[str, dict[str, list[object]]]:
    """Redeem every code. Returns by client and person the subjects of the tokens."""
    subjects: defaultdict[str, dict[str, list[object]]] = defaultdict(lambda: defaultdict(list))
    for attempt in ended:
        if attempt.code is None:
            continue
        code = target.authorization.code_of(attempt)
        answer = await target.tokens.redeem(code)
        expect.tokens(answer, expected="tokens for each code with its own client and verifier")
        subject = target.tokens.read(answer, code.client, None).claims.get("sub")
        subjects[code.client.client_id][persons[code.request.get("state") or ""]].append(subject)
    return subjects


@check("LOGIN-14", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=ROUNDS)
async def simultaneous_callbacks_yield_one_code(target: Target) -> None:
    """Deliver one login's callback twenty times at one moment, each time with a different valid upstream code."""
    client = await target.clients.shared()

    async def hold(racers: int) -> Sequence[Attempt]:
        held = await target.callbacks.hold(target.authorization.request(client))
        urls = [await target.callbacks.obtain(held) for _ in range(racers)]
        return [replace(held, callback_url=url, browser=held.browser.copy(), answers=[]) for url in urls]

    for _ in range(ROUNDS):
        _, ended = await target.races.of_callbacks(RACERS, hold)
        with_code = [attempt for attempt in ended if attempt.code is not None]
        if not with_code and all(attempt.inconclusive for attempt in ended):
            raise Blocked("a rate limit or an edge refused all simultaneous callbacks", (ended[0].last.number,))
        codes = {attempt.code: attempt for attempt in with_code}
        redeemed = [await target.tokens.redeem(target.authorization.code_of(attempt)) for attempt in codes.values()]
        _one_code(with_code, len(codes), sum(answer.has_tokens for answer in redeemed))


def _ends_at_home(own: Attempt, attempt: Attempt) -> None:
    at_home = attempt.code is None or attempt.response is not None
    expect.that(
        at_home,
        obtained=True,
        expected="each code goes to its own client",
        got="a code for another client",
        at=attempt.answers,
    )
    right_state = attempt.response is None or attempt.response.get("state") == own.request.get("state")
    expect.that(right_state, expected="the state of its own request", got="another state", at=attempt.answers)


def _each_person_is_one_subject(by_person: dict[str, list[object]]) -> None:
    """Require one subject per person, and a different one for each. Skip this if tokens name no subject, or a new one every time."""
    every = [subject for subjects in by_person.values() for subject in subjects]
    named_anew = len(set(every)) == len(every) and len(every) > len(by_person)
    if None in every or named_anew:
        return
    told_apart = {person: set(subjects) for person, subjects in by_person.items()}
    mixed = any(len(names) > 1 for names in told_apart.values()) or len(set(every)) < len(by_person)
    expect.that(
        not mixed, obtained=True, expected="tokens for the person who logged in", got="tokens for another person"
    )


def _one_code(with_code: Sequence[Attempt], codes: int, usable: int) -> None:
    at = [attempt.last for attempt in with_code]
    expect.that(
        usable <= 1, obtained=True, expected="at most one usable code", got=f"{usable} codes that give tokens", at=at
    )
    expect.ideally(codes == 1, expected="one code", got=f"{codes} codes, of which {usable} give tokens", at=at)
    expect.ideally(
        len(with_code) <= max(codes, 1),
        expected="the code in one response",
        got=f"the code in {len(with_code)} responses",
        at=at,
    )
