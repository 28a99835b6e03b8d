"""Protection of client secrets against guessing (OAuth 2.1 section 2.4.1)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import BURST, CONFIDENTIAL_CLIENT, DYNAMIC_REGISTRATION, check
from oauth_litmus.http.retry_after import retry_after
from oauth_litmus.probes.limited_actions import (
    GUARD,
    MOST,
    OTHER_REFUSALS,
    TOO_MANY,
    longest_window,
    until_all_is_quiet,
    windows_to_end,
)
from oauth_litmus.verdict import Blocked, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oauth_litmus.client import Client, Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.limits.rates import Rate

GUESSES = 50
"""Wrong secrets that the check tries if no limit is declared."""
DELAY = 1.0
"""Seconds by which the answer to a wrong secret must be slower than that to the right one to count as delayed."""
SLOW_IN_A_ROW = 3
"""Delayed answers in a row that count as slowing down, because a single one may be chance."""


@check("RATE-13", needs={BURST, DYNAMIC_REGISTRATION, CONFIDENTIAL_CLIENT}, waits=until_all_is_quiet)
async def guessing_a_client_secret_is_slowed_down(target: Target) -> None:
    """Try wrong secrets of the check's own client until a limit, a lock or a delay shows. Then try the right secret again."""
    await windows_to_end(target, longest_window(target.server))
    client = await _own_client(target)
    control = await _present(target, client)
    if control.error == "invalid_client" or control.is_inconclusive:
        raise Blocked(f"set-up: the answer to the right secret is {expect.describe(control)}", (control.number,))
    declared = target.server.profile.limits.token_failures or target.server.profile.limits.token

    guesses = await _guess(target, client, control, _most(declared))

    last = guesses[-1]
    slowed = _is_slowed(guesses, control) or (await _present(target, client)).status != control.status
    took = last.received_at - guesses[0].sent_at
    expected = "a limit, a lock, or a delay that grows"
    got = f"{len(guesses)} wrong secrets of one client in {took:.1f} s, the last one answered {last.status}"
    promised = declared is not None and len(guesses) > 2 * declared.count and took < declared.seconds
    expect.safe(slowed or not promised, expected=f"{expected}, since the profile declares {declared}", got=got, at=last)
    expect.ideally(slowed, expected=expected, got=got, at=last)
    await _works_again(target, client, last, control)


async def _own_client(target: Target) -> Client:
    """Register a client for this check alone, because a lock would also stop other checks that use the client."""
    method = await target.clients.confidential_method()
    if method is not None:
        return await target.clients.new(auth_method=method)
    raise NotApplicable("no client with a secret can be registered")


def _most(declared: Rate | None) -> int:
    """The number of guesses: more than a limiter with the declared limit admits, even twice across the edge of a fixed window."""
    return GUESSES if declared is None else min(MOST, max(GUESSES, 2 * declared.count + GUESSES // 10))


async def _present(target: Target, client: Client) -> Answer:
    """Send a token request with a made-up code. Its error tells whether the server authenticated the client."""
    made_up = {"code": secrets.token_urlsafe(32), "code_verifier": secrets.token_urlsafe(48)}
    redirect_uri = client.redirect_uri
    return await target.tokens.request(
        {"grant_type": "authorization_code", "redirect_uri": redirect_uri, **made_up}, client
    )


async def _guess(target: Target, client: Client, control: Answer, most: int) -> list[Answer]:
    answers: list[Answer] = []
    while len(answers) < most and not _is_slowed(answers, control):
        wrong = secrets.token_urlsafe(32)
        target.secret(wrong, "client_secret")
        answers.append(await _present(target, replace(client, client_secret=wrong)))
    return answers


def _is_slowed(answers: Sequence[Answer], control: Answer) -> bool:
    refused = any(answer.status in {TOO_MANY, *OTHER_REFUSALS} for answer in answers[-1:])
    late = [answer for answer in answers[-SLOW_IN_A_ROW:] if _duration(answer) >= _duration(control) + DELAY]
    return refused or len(late) == SLOW_IN_A_ROW


def _duration(answer: Answer) -> float:
    return answer.received_at - answer.sent_at


async def _works_again(target: Target, client: Client, refusal: Answer, control: Answer) -> None:
    """Expect the right secret to work after the advised delay. Otherwise a stranger could lock the client out for good."""
    seconds = retry_after(refusal) if refusal.status == TOO_MANY else None
    if seconds is None:
        return
    if seconds > target.max_wait:
        # The requirement is met already: the server slows down guessing.
        expect.measured(refusal, f"the check did not wait {seconds:g} s to see whether the right secret works again")
        return
    await target.until(refusal.received_at + seconds + GUARD)
    answer = await _present(target, client)
    expect.ideally(
        answer.status == control.status,
        expected=f"the right secret works again after the advised {seconds:g} s",
        got=expect.describe(answer),
        at=(refusal, answer),
    )
