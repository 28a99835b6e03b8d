"""Rotation of refresh tokens, and at most one working successor of each (OAuth 2.1 section 4.3.1)."""

from __future__ import annotations

from functools import partial

from oauth_litmus import expect
from oauth_litmus.check import REFRESH, SCOPES, check
from oauth_litmus.checks.replay.successors import at_most_one_usable_successor
from oauth_litmus.client import Target, Tokens
from oauth_litmus.probes.families import require_rotation
from oauth_litmus.verdict import NotApplicable
from oauth_litmus.wording import counted

RACERS, FEWER = 20, 10
"""Simultaneous requests, and fewer if only `core` was asked for: most of them fail, and servers limit failures separately."""
ROUNDS = 5
GENERATIONS = 5


@check("REPLAY-05", needs={REFRESH})
async def refresh_rotates(target: Target) -> None:
    """Refresh five times, a second apart, each time with the newest refresh token."""
    async with target.grants.reserved() as tokens:
        for _ in range(GENERATIONS):
            answer = await target.tokens.refresh(tokens)
            await target.grants.not_ended_by_a_login(answer)
            expect.tokens(answer, expected="tokens for the newest refresh token")
            successor = target.tokens.read(answer, tokens.client, tokens.granted_scope)
            _is_another(tokens, successor, expected="a new refresh token with every refresh")
            tokens = successor
            await target.until(target.now() + 1)
        target.grants.add_to_pool(tokens)


@check("REPLAY-05a", needs={REFRESH, SCOPES}, logins=1)
async def narrowing_refresh_rotates(target: Target) -> None:
    """Refresh for a part of the granted scope."""
    kept, dropped = target.server.scopes[:2]
    tokens = await target.grants.fresh(scope=f"{kept} {dropped}")

    answer = expect.conclusive(await target.tokens.refresh(tokens, scope=kept))

    if not answer.has_tokens:
        raise NotApplicable("the server refuses to narrow the scope at a refresh")
    narrowed = target.tokens.read(answer, tokens.client, kept)
    _is_another(tokens, narrowed, expected="a new refresh token, also with a refresh for less scope")


def _is_another(tokens: Tokens, successor: Tokens, *, expected: str) -> None:
    given = successor.refresh_token
    if given in (None, tokens.refresh_token):
        require_rotation(tokens)
    got = "no refresh token" if given is None else "the same refresh token again"
    expect.that(given not in (None, tokens.refresh_token), expected=expected, got=got, at=successor.answer)


@check("REPLAY-10", needs={REFRESH}, logins=ROUNDS)
async def parallel_refresh_never_forks_the_family(target: Target) -> None:
    """Refresh with one token on twenty connections at the same moment; then use each distinct successor in turn."""
    survivor: Tokens | None = None
    racers = FEWER if target.quick else RACERS
    for _ in range(ROUNDS):
        tokens, answers = await target.races.at_token_endpoint(
            racers,
            partial(_survivor_or_new, target, survivor),
            lambda tokens, gate: target.tokens.refresh(tokens, via=gate),
        )

        usable = await at_most_one_usable_successor(target, tokens, answers)
        survivor = None if usable is None else target.tokens.successor_of(usable, tokens)
        faulty = [answer for answer in answers if answer.status == 500]
        expect.ideally(
            not faulty,
            expected="no server error under concurrency",
            got=f"{counted(len(faulty), 'answer')} with status 500",
            at=faulty[:1],
        )


async def _survivor_or_new(target: Target, survivor: Tokens | None) -> Tokens:
    """The survivor of the previous round; other tokens if its family ended, or if half its refresh token's lifetime is over."""
    lifetime = target.server.profile.lifetimes.refresh_token
    if survivor is None or (lifetime and target.now() - survivor.answer.received_at > lifetime / 2):
        return await target.grants.from_pool()
    return survivor


@check("REPLAY-13b", needs={REFRESH})
async def another_client_does_not_use_up_a_refresh_token(target: Target) -> None:
    """Present a refresh token as another client, then as the client to which it was issued."""
    async with target.grants.reserved() as tokens:
        refused = await target.tokens.refresh(tokens, client=await target.clients.shared("b"))
        expect.refused_grant(
            refused, "invalid_grant", "invalid_client", because="the refresh token belongs to another client"
        )

        answer = expect.conclusive(await target.tokens.refresh(tokens))

        expect.that(
            answer.has_tokens,
            expected="the refresh token still works for its own client",
            got=expect.describe(answer),
            at=answer,
        )
        target.grants.add_to_pool(target.tokens.successor_of(answer, tokens))
