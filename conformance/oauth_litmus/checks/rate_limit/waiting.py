"""The end of a limit: after Retry-After, under steady traffic, and despite retries (RFC 9110 section 10.2.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import BURST, REGISTRATION, check
from oauth_litmus.probes.limited_actions import (
    GUARD,
    TOO_MANY,
    declared_window,
    limited_action,
    quiet_after,
    refused,
    until_quiet,
)
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.probes.limited_actions import LimitedAction

WINDOWS = 3
"""Windows through which the steady traffic lasts."""
SHARE = 2 / 3
"""Fraction of the declared rate that sliding logs, token buckets and fixed windows all admit forever."""
RETRIES = 20
"""Retries, spread over two windows."""


@check(
    "RATE-04", needs={BURST, REGISTRATION}, waits=lambda server: until_quiet(server) + declared_window(server) + GUARD
)
async def retry_after_is_truthful(target: Target) -> None:
    """After a 429, send nothing for as long as Retry-After says, then try once. If that gets a 429 too, do this once more."""
    action = await limited_action(target)
    refusal = await refused(target, action)

    answer = await _after_the_advised_delay(target, action, refusal)
    if answer.status == 429:
        answer = await _after_the_advised_delay(target, action, answer)
    expect.safe(
        answer.status != 429,
        expected="the request is accepted after the advised delay",
        got="429 after each of two advised delays",
        at=answer,
    )


@check("RATE-05", needs={BURST, REGISTRATION}, waits=lambda server: WINDOWS * declared_window(server))
async def window_ends_under_steady_traffic(target: Target) -> None:
    """Send requests at two thirds of the declared rate through three windows: none must get a 429."""
    action = await limited_action(target)
    source = target.from_another_source() if target.server.separate_sources else target
    begun, pause = target.now(), action.rate.seconds / (action.rate.count * SHARE)

    for number in range(int(WINDOWS * action.rate.count * SHARE)):
        await target.until(begun + number * pause)
        answer = await action.hit(source)
        expect.safe(
            answer.status != 429, expected="no refusal below the limit", got=f"429 at request {number + 1}", at=answer
        )


@check("RATE-06", needs={BURST, REGISTRATION}, waits=lambda server: 2 * declared_window(server) + GUARD)
async def retries_do_not_prolong_the_refusal(target: Target) -> None:
    """After a refusal, retry ten times in each of two windows, until the server accepts a retry."""
    action = await limited_action(target)
    refusal = await refused(target, action)

    answers: list[Answer] = []
    while len(answers) < RETRIES and not (answers and not answers[-1].is_inconclusive):
        await target.until(refusal.received_at + (len(answers) + 1) * 2 * action.rate.seconds / RETRIES + GUARD)
        answers.append(await action.hit(target))
    if answers[-1].status != TOO_MANY:
        expect.conclusive(answers[-1])
    expect.that(
        answers[-1].status != TOO_MANY,
        expected=f"an accepted request within two windows of {action.rate.seconds:g} s",
        got=f"429 to all {RETRIES} requests",
        at=(refusal, answers[-1]),
    )


async def _after_the_advised_delay(target: Target, action: LimitedAction, refusal: Answer) -> Answer:
    if "retry-after" not in refusal.headers:
        raise NotApplicable("the 429 has no Retry-After")
    await target.until(quiet_after(refusal, action.rate))
    return await action.hit(target)
