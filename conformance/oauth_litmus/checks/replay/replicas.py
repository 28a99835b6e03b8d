"""Single use at the issuer as a whole, not at each instance behind it (OAuth 2.1 sections 4.1.3 and 4.3.1)."""

from __future__ import annotations

import itertools

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, REPLICAS, check
from oauth_litmus.checks.replay.successors import at_most_one_usable_successor
from oauth_litmus.client import Target
from oauth_litmus.probes.families import GUARD
from oauth_litmus.probes.replica_reuse import need_no_grace, reuses

RACERS = 20
ROUNDS = 3


@check("REPLAY-12a", needs={LOGIN, REPLICAS})
async def code_works_once_across_replicas(target: Target) -> None:
    """Redeem a code at one replica, then present it to each other replica."""
    first, *others = await target.replicas()
    code = await target.authorization.login()
    used = await first.tokens.redeem(code)
    target.tokens.read(used, code.client, None)

    for other in others:
        answer = expect.conclusive(await other.tokens.redeem(code))
        expect.that(
            not answer.has_tokens,
            obtained=True,
            expected=f"no tokens for a code that was redeemed at {first.address}",
            got=f"tokens at {other.address}, though the code was redeemed at {first.address}",
            at=(used, answer),
        )
        expect.no_server_error(answer)


@check("REPLAY-12b", needs={LOGIN, REPLICAS}, logins=ROUNDS)
async def parallel_redemption_at_all_replicas_yields_one_success(target: Target) -> None:
    """Redeem one code on twenty connections, spread over the replicas, at the same moment; at most one request may get tokens."""
    turns = itertools.cycle(await target.routes.all())
    for _ in range(ROUNDS):
        _, answers = await target.races.at_token_endpoint(
            RACERS, target.authorization.login, lambda code, gate: target.at(next(turns)).tokens.redeem(code, via=gate)
        )

        winners = [answer for answer in answers if answer.has_tokens]
        families = {answer.member("refresh_token") for answer in winners}
        expect.that(
            len(families) <= 1,
            obtained=True,
            expected=f"at most one of {RACERS} simultaneous requests gets tokens",
            got=f"{len(winners)} successes with {len(families)} different refresh tokens",
            at=winners,
        )
        expect.at_most_one(answers, expect.is_token_response)


@check("REPLAY-12c", needs={REFRESH, REPLICAS}, waits=lambda server: server.refresh_reuse_grace + GUARD, logins=2)
async def rotated_token_is_refused_by_every_replica(target: Target) -> None:
    """Rotate a refresh token at each replica, wait until the grace is over, and present the old token to the next."""
    for reuse in await reuses(target):
        if expect.conclusive(reuse.answer).has_tokens and not target.server.refresh_reuse_grace:
            await need_no_grace(target)
        expect.that(
            not reuse.answer.has_tokens,
            obtained=True,
            expected=f"no tokens for a refresh token that was rotated at {reuse.rotated_at}",
            got=f"tokens at {reuse.seen_by}, though the refresh token was rotated at {reuse.rotated_at}",
            at=reuse.answer,
        )


@check("REPLAY-12d", needs={REFRESH, REPLICAS}, logins=ROUNDS)
async def parallel_refresh_at_all_replicas_never_forks_the_family(target: Target) -> None:
    """Refresh with one token on twenty connections, spread over the replicas; then use each distinct successor in turn."""
    turns = itertools.cycle(await target.routes.all())
    for _ in range(ROUNDS):
        tokens, answers = await target.races.at_token_endpoint(
            RACERS, target.grants.fresh, lambda tokens, gate: target.at(next(turns)).tokens.refresh(tokens, via=gate)
        )

        await at_most_one_usable_successor(target, tokens, answers)
