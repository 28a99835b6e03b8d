"""Asking one replica for what another gave, and naming the one that disagrees."""

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
    Taken = Callable[[Answer], bool]

LAG = 2.0
"""Seconds after which what one replica knows has arrived at all: late is imprecise, never is broken."""


def in_a_ring(replicas: Sequence[Target]) -> list[tuple[Target, Target]]:
    """Each replica with the one that is asked after it, so that each gives once and is asked once."""
    return list(zip(replicas, [*replicas[1:], replicas[0]], strict=True))


def revoking_in_turn(replicas: Sequence[Target]) -> list[tuple[Target, Sequence[Target]]]:
    """Each replica once as the one that tells, and once at least as one that must have been told."""
    first, *others = replicas
    return [(first, others), *[(told, [asked]) for told, asked in in_a_ring(replicas)[1:]]]


async def expect_taken(asked: Target, others: Sequence[Target], ask: Ask, taken: Taken, *, what: str) -> Answer:
    """One replica takes what is good at the issuer; a refusal that lasts is told with who takes it instead."""
    answer = expect.conclusive(await ask(asked))
    if taken(answer):
        expect.that(True, expected=what, got="")
        return answer
    await asked.until(asked.now() + LAG)
    later = expect.conclusive(await ask(asked))
    if not taken(later):
        got = f"{expect.describe(later)} at {asked.address}, while {await _who_takes_it(asked, others, ask, taken)}"
        expect.that(False, expected=f"{what} at every replica", got=got, at=(answer, later))
    expect.ideally(
        False, expected=f"{what} at once", got=f"only {LAG:g} s later at {asked.address}", at=(answer, later)
    )
    return later


async def _who_takes_it(asked: Target, others: Sequence[Target], ask: Ask, taken: Taken) -> str:
    for other in others:
        if other is not asked and taken(await ask(other)):
            return f"{other.address} takes it"
    return "nobody else takes it afterwards"


def need_the_resource_at_the_replicas(target: Target) -> None:
    """See that the replicas are instances of the resource too.

    Raises:
        NotApplicable: the resource has another origin than the issuer.
    """
    if origin_of(target.server.resource) != origin_of(target.server.issuer):
        raise NotApplicable("the resource is not at the issuer's origin, so the replicas are none of the resource")
