"""Answers that are lost on their way, and the grace that a server may declare for them (OAuth 2.1 section 4.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import REFRESH, check
from oauth_litmus.http.wire import Cut
from oauth_litmus.probes.families import GUARD, grace_is_over, rotated
from oauth_litmus.verdict import Blocked, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauth_litmus.client import Target, Tokens
    from oauth_litmus.http.answer import Answer

SECOND_TRY = 1.0
"""Seconds after which a client tries again."""


@check(
    "REPLAY-14",
    needs={REFRESH},
    logins=len(Cut),
    waits=lambda server: server.refresh_reuse_grace + GUARD + SECOND_TRY * len(Cut),
)
async def lost_answer_does_not_log_the_user_out(target: Target) -> None:
    """Refresh and hang up, right after the request or after the head of the answer; try again, and go on with the answer."""
    repeated: list[Tokens] = []
    for cut in Cut:
        tokens = await target.grants.from_pool()
        lost_at = await target.tokens.lose_refresh_answer(tokens, cut)
        await target.until(target.now() + SECOND_TRY)
        again = expect.conclusive(await target.tokens.refresh(tokens))
        _came_in_time(target, again, lost_at)
        _is_granted(again, f"the answer to the first was lost {cut}")
        successor = target.tokens.successor_of(again, tokens)
        _is_granted(expect.conclusive(await target.tokens.refresh(successor)), "it came with the second answer")
        if successor.refresh_token != tokens.refresh_token:
            repeated.append(tokens)

    await grace_is_over(target)
    judge = expect.safe if target.server.refresh_reuse_grace else expect.ideally
    for tokens in repeated:
        late = expect.conclusive(await target.tokens.refresh(tokens))
        judge(
            not late.has_tokens,
            expected="one live refresh token",
            got="the old one works beside its successor",
            at=late,
        )


@check("REPLAY-15", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD + SECOND_TRY)
async def grace_does_not_fork_the_family(target: Target) -> None:
    """Use a refresh token twice within the declared grace, go on with each successor, and use both again after it."""
    grace = target.server.refresh_reuse_grace
    if not grace:
        raise NotApplicable("no grace for rotated refresh tokens is declared: REPLAY-06 judges their reuse")
    old = await target.grants.fresh()
    chains = {first.refresh_token: first for first in [await rotated(target, old)]}
    await target.until(target.now() + min(SECOND_TRY, grace / 2))

    answer = expect.conclusive(await target.tokens.refresh(old))
    if answer.has_tokens:
        second = target.tokens.successor_of(answer, old)
        chains.setdefault(second.refresh_token, second)

    alive = list(chains.values())
    if len(alive) > 1:
        alive = await _used(target, alive)
        await grace_is_over(target)
        alive = await _used(target, alive)
    expect.that(
        len(alive) <= 1,
        expected="one chain of refresh tokens at most, when the grace is over",
        got=f"{len(alive)} chains that live on side by side",
        at=[tokens.answer for tokens in alive],
    )


def _came_in_time(target: Target, again: Answer, lost_at: float) -> None:
    """See that a refusal is not that of a grace which ended while the second try stood in a queue of the suite's own."""
    grace, passed = target.server.refresh_reuse_grace, again.received_at - lost_at
    if grace and not again.has_tokens and passed > grace:
        raise Blocked(f"the second try came after {passed:.1f} s, and the grace is {grace:g} s", (again.number,))


def _is_granted(answer: Answer, why: str) -> None:
    expect.that(answer.has_tokens, expected=f"tokens, since {why}", got=expect.describe(answer), at=answer)


async def _used(target: Target, chains: Iterable[Tokens]) -> list[Tokens]:
    """The successors of those that still get any."""
    answers = [(tokens, expect.conclusive(await target.tokens.refresh(tokens))) for tokens in chains]
    return [target.tokens.successor_of(answer, tokens) for tokens, answer in answers if answer.has_tokens]
