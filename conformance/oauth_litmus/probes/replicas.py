"""Requests to one replica about the state of another, and messages that name the replica that disagrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.http.route import origin_of
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer

    Ask = Callable[[Target], Awaitable[Answer]]
    Accepted = Callable[[Answer], bool]

LAG = 2.0
"""Seconds until a check asks a replica again. State that arrives by then is a WARN; state that is still missing is a failure."""


def in_a_ring(replicas: Sequence[Target]) -> list[tuple[Target, Target]]:
    """Pair each replica with the next one, so that each is first in one pair and second in another."""
    return list(zip(replicas, [*replicas[1:], replicas[0]], strict=True))


def revoking_in_turn(replicas: Sequence[Target]) -> list[tuple[Target, Sequence[Target]]]:
    """Pair each replica, which revokes, with the replicas that must then refuse.

    The first replica is paired with all others, each other replica with the next one. Every replica must refuse at least once.
    """
    first, *others = replicas
    return [(first, others), *[(revoking, [asked]) for revoking, asked in in_a_ring(replicas)[1:]]]


async def expect_accepted(
    asked: Target, others: Sequence[Target], ask: Ask, accepted: Accepted, *, what: str
) -> Answer:
    """Require that this replica accepts a request, and return the accepting answer.

    A refusal that is gone after `LAG` is a WARN. The message of a lasting refusal names another replica that accepts the request.
    """
    answer = expect.conclusive(await ask(asked))
    if accepted(answer):
        expect.that(True, expected=what, got="")
        return answer
    await asked.until(asked.now() + LAG)
    later = expect.conclusive(await ask(asked))
    if not accepted(later):
        got = f"{expect.describe(later)} at {asked.address}, while {await _accepted_elsewhere(asked, others, ask, accepted)}"
        expect.that(False, expected=f"{what} at every replica", got=got, at=(answer, later))
    expect.ideally(
        False, expected=f"{what} at once", got=f"only {LAG:g} s later at {asked.address}", at=(answer, later)
    )
    return later


async def _accepted_elsewhere(asked: Target, others: Sequence[Target], ask: Ask, accepted: Accepted) -> str:
    for other in others:
        if other is not asked and accepted(await ask(other)):
            return f"{other.address} accepts it"
    return "no other replica accepts it afterwards"


def need_the_resource_at_the_replicas(target: Target) -> None:
    """Require that the replicas are also instances of the resource.

    Raises:
        NotApplicable: the resource has another origin than the issuer.
    """
    if origin_of(target.server.resource) != origin_of(target.server.issuer):
        raise NotApplicable(
            "the resource is not at the issuer's origin, so the replicas are not instances of the resource"
        )
