"""Guessing a client secret does not stay as quick as it began (OAuth 2.1 section 2.4.1)."""

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
DELAY = 1.0
"""Seconds by which a wrong secret is answered later than the right one where guessing is slowed down."""
SLOW_IN_A_ROW = 3
"""One late answer is an accident."""


@check("RATE-13", needs={BURST, DYNAMIC_REGISTRATION, CONFIDENTIAL_CLIENT}, waits=until_all_is_quiet)
async def guessing_a_client_secret_is_slowed_down(target: Target) -> None:
    """Try wrong secrets of a client of our own until a limit, a lock or a delay shows; then the right one again."""
    await windows_to_end(target, longest_window(target.server))
    client = await _own_client(target)
    control = await _present(target, client)
    if control.error == "invalid_client" or control.is_inconclusive:
        raise Blocked(f"set-up: the right secret is answered {expect.describe(control)}", (control.number,))
    declared = target.server.profile.limits.token_failures or target.server.profile.limits.token

    guesses = await _guess(target, client, control, _most(declared))

    last = guesses[-1]
    slowed = _is_slowed(guesses, control) or (await _present(target, client)).status != control.status
    took = last.received_at - guesses[0].sent_at
    expected = "a limit, a lock, or a delay that grows"
    got = f"{len(guesses)} wrong secrets of one client were answered {last.status} within {took:.1f} s"
    promised = declared is not None and len(guesses) > 2 * declared.count and took < declared.seconds
    expect.safe(slowed or not promised, expected=f"{expected}: {declared} is declared", got=got, at=last)
    expect.ideally(slowed, expected=expected, got=got, at=last)
    await _works_again(target, client, last, control)


async def _own_client(target: Target) -> Client:
    """A client that nobody else uses: a lock would be felt by those who do."""
    method = await target.clients.confidential_method()
    if method is not None:
        return await target.clients.new(auth_method=method)
    raise NotApplicable("no client with a secret can be registered")


def _most(declared: Rate | None) -> int:
    """More than any limiter admits that keeps what is declared; across the edge of a fixed window that is twice."""
    return GUESSES if declared is None else min(MOST, max(GUESSES, 2 * declared.count + GUESSES // 10))


async def _present(target: Target, client: Client) -> Answer:
    """A token request that can only fail: whether the client was authenticated, its error tells."""
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
    """After the delay that a refusal advises the client is served again, or anybody could keep it out."""
    seconds = retry_after(refusal) if refusal.status == TOO_MANY else None
    if seconds is None:
        return
    if seconds > target.max_wait:
        # That guessing is slowed down was seen, which is what the requirement asks for.
        expect.measured(refusal, f"whether the right secret is taken again after {seconds:g} s was not waited for")
        return
    await target.until(refusal.received_at + seconds + GUARD)
    answer = await _present(target, client)
    expect.ideally(
        answer.status == control.status,
        expected=f"the right secret is taken again after {seconds:g} s, as advised",
        got=expect.describe(answer),
        at=(refusal, answer),
    )
