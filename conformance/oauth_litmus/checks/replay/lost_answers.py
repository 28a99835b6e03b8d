"""Lost answers to a refresh, and the grace that a server may declare for them (OAuth 2.1 section 4.3.1)."""

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
"""Seconds after which a client retries."""


@check(
    "REPLAY-14",
    needs={REFRESH},
    logins=len(Cut),
    waits=lambda server: server.refresh_reuse_grace + GUARD + SECOND_TRY * len(Cut),
)
async def lost_answer_does_not_log_the_user_out(target: Target) -> None:
    """Refresh and hang up before the answer; retry, refresh with the answer, and present the old token again after the grace."""
    repeated: list[Tokens] = []
    for cut in Cut:
        tokens = await target.grants.from_pool()
        lost_at = await target.tokens.lose_refresh_answer(tokens, cut)
        await target.until(target.now() + SECOND_TRY)
        again = expect.conclusive(await target.tokens.refresh(tokens))
        _require_within_grace(target, again, lost_at)
        _is_granted(again, f"the answer to the first refresh was lost {cut}")
        successor = target.tokens.successor_of(again, tokens)
        _is_granted(expect.conclusive(await target.tokens.refresh(successor)), "the retry issued the refresh token")
        if successor.refresh_token != tokens.refresh_token:
            repeated.append(tokens)

    await grace_is_over(target)
    judge = expect.safe if target.server.refresh_reuse_grace else expect.ideally
    for tokens in repeated:
        late = expect.conclusive(await target.tokens.refresh(tokens))
        judge(
            not late.has_tokens,
            expected="one refresh token that works",
            got="the old refresh token works beside its successor",
            at=late,
        )


@check("REPLAY-15", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD + SECOND_TRY)
async def grace_does_not_fork_the_family(target: Target) -> None:
    """Use a refresh token twice within the declared grace, then refresh both successors, and refresh both again after the grace."""
    grace = target.server.refresh_reuse_grace
    if not grace:
        raise NotApplicable("the profile declares no grace for rotated refresh tokens: REPLAY-06 judges their reuse")
    old = await target.grants.fresh()
    chains = {first.refresh_token: first for first in [await rotated(target, old)]}
    await target.until(target.now() + min(SECOND_TRY, grace / 2))

    answer = expect.conclusive(await target.tokens.refresh(old))
    if answer.has_tokens:
        second = target.tokens.successor_of(answer, old)
        chains.setdefault(second.refresh_token, second)

    working = list(chains.values())
    if len(working) > 1:
        working = await _refreshed(target, working)
        await grace_is_over(target)
        working = await _refreshed(target, working)
    expect.that(
        len(working) <= 1,
        obtained=True,
        expected="at most one chain of refresh tokens that works after the grace",
        got=f"{len(working)} chains that work side by side",
        at=[tokens.answer for tokens in working],
    )


def _require_within_grace(target: Target, again: Answer, lost_at: float) -> None:
    """Require that a refused retry was answered within the grace.

    Raises:
        Blocked: the grace ended first, for example because the retry waited in a queue of the suite.
    """
    grace, passed = target.server.refresh_reuse_grace, again.received_at - lost_at
    if grace and not again.has_tokens and passed > grace:
        raise Blocked(f"the retry was answered after {passed:.1f} s, but the grace is {grace:g} s", (again.number,))


def _is_granted(answer: Answer, why: str) -> None:
    expect.that(answer.has_tokens, expected=f"tokens, since {why}", got=expect.describe(answer), at=answer)


async def _refreshed(target: Target, chains: Iterable[Tokens]) -> list[Tokens]:
    """Refresh each chain once, and return the successors of the tokens that were accepted."""
    answers = [(tokens, expect.conclusive(await target.tokens.refresh(tokens))) for tokens in chains]
    return [target.tokens.successor_of(answer, tokens) for tokens, answer in answers if answer.has_tokens]
