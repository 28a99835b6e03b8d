"""Completeness of a limit's count: simultaneous requests, and requests at different replicas."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import BURST, REGISTRATION, REPLICAS, check
from oauth_litmus.probes.limited_actions import (
    GUARD,
    OTHER_REFUSALS,
    TOO_MANY,
    declared_window,
    exhaust,
    limited_action,
)
from oauth_litmus.verdict import Blocked, Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.limits.rates import Rate
    from oauth_litmus.probes.limited_actions import LimitedAction

TIMES = 5
"""Simultaneous requests, as a multiple of the declared limit."""
MOST_AT_ONCE = 200
MOST_TO_RACE = 80
"""Largest limit that the race can judge: it takes more than `MOST_AT_ONCE` requests to clearly exceed a higher one."""
MOST_PER_REPLICA = 50
LATE = 1.2
"""Factor by which a limit may be exceeded with only a WARN, because limiters that count in several places are a little late."""


@dataclass(frozen=True)
class Burst:
    """The outcome of requests in quick succession."""

    rate: Rate
    admitted: tuple[Answer, ...]
    took: float
    """Seconds from the first request to the last answer."""
    counting_alone: tuple[str, ...] = ()
    """Addresses of the replicas outside the largest group that counts together."""

    @property
    def allowed(self) -> float:
        """The most that a legal limiter admits: the limit, and the tokens that a bucket gains during the burst."""
        return self.rate.count * (1 + self.took / self.rate.seconds)

    @property
    def may_meet_two_edges(self) -> bool:
        """Whether the edge of a fixed window, which admits twice the limit, may fall into both of two such bursts."""
        return 2 * self.took + GUARD >= self.rate.seconds


@check("RATE-10", needs={BURST, REGISTRATION}, waits=lambda server: declared_window(server) + GUARD)
async def limit_counts_simultaneous_requests(target: Target) -> None:
    """Send five times the declared number of requests at once. If the server admits too many, send them again one window later."""
    action = await limited_action(target, most=MOST_TO_RACE)
    if action.name == "token_failures":
        raise Skipped(
            "a limit of failures counts a request only after it has failed, so simultaneous requests may pass: "
            'declare a limit of requests in the profile, as `[limits] authorize = "10/60"`'
        )
    source = target.from_another_source()

    burst = await _twice_if_too_many(target, lambda: _at_once(source, action))

    allowed = burst.allowed * (2 if burst.may_meet_two_edges else 1)
    expected = f"at most {action.rate.count} of {_racers(action)} simultaneous requests for {action.name} are admitted"
    got = f"{len(burst.admitted)} within {burst.took:.1f} s"
    expect.safe(len(burst.admitted) <= LATE * allowed, expected=expected, got=got, at=burst.admitted[-1:])
    expect.ideally(len(burst.admitted) <= allowed, expected=expected, got=got, at=burst.admitted[-1:])


@check("RATE-11", needs={BURST, REGISTRATION, REPLICAS}, waits=lambda server: declared_window(server) + GUARD)
async def limit_counts_for_all_replicas_together(target: Target) -> None:
    """Exhaust a limit at one replica, then try the others. Exhaust the limit at each replica that does not refuse, too."""
    action = await limited_action(target, most=MOST_PER_REPLICA)
    replicas = await target.replicas()

    burst = await _twice_if_too_many(target, lambda: _one_after_another(replicas, action))

    held = len(burst.admitted) <= burst.allowed
    if not held and burst.may_meet_two_edges:
        raise Blocked(
            f"the requests took {burst.took:.1f} s, too long to tell a second counter from a second window of {action.rate}"
        )
    expect.that(
        held,
        expected=f"at most {action.rate.count} admitted requests for {action.name} at all replicas together",
        got=f"{len(burst.admitted)} admitted requests: separate counts at {', '.join(burst.counting_alone)}",
        at=burst.admitted[-1:],
    )


async def _twice_if_too_many(target: Target, push: Callable[[], Awaitable[Burst]]) -> Burst:
    """Make a burst, and repeat it if too many requests were admitted. Return the one with the smaller share of admitted requests."""
    first = await push()
    if len(first.admitted) <= first.allowed:
        return first
    await target.until(target.now() + first.rate.seconds + GUARD)
    second = await push()
    return min(first, second, key=lambda burst: len(burst.admitted) / burst.allowed)


def _racers(action: LimitedAction) -> int:
    return min(TIMES * action.rate.count, MOST_AT_ONCE)


async def _at_once(source: Target, action: LimitedAction) -> Burst:
    answers = await source.races.burst(_racers(action), lambda gate: action.hit(source.through(gate)))
    admitted = [answer for answer in answers if not _is_refusal(answer)]
    if not admitted:
        raise Blocked(
            "the server admitted none of the simultaneous requests", tuple(answer.number for answer in answers[:1])
        )
    return Burst(action.rate, tuple(admitted), _duration(answers))


async def _one_after_another(replicas: Sequence[Target], action: LimitedAction) -> Burst:
    answers: list[Answer] = []
    groups: list[list[Target]] = []
    waiting = list(replicas)
    while waiting:
        first = waiting.pop(0)
        answers += await exhaust(first, action)
        if answers[-1].status != TOO_MANY:
            raise Blocked(f"{first.address} did not refuse {action.name} with a 429", (answers[-1].number,))
        asked = [(other, await action.hit(other)) for other in waiting]
        answers += [answer for _, answer in asked]
        groups.append([first, *(other for other, answer in asked if answer.status == TOO_MANY)])
        waiting = [other for other, answer in asked if answer.status != TOO_MANY]
    largest = max(groups, key=len)
    strays = [at.address for group in groups if group is not largest or len(largest) == 1 for at in group]
    admitted = [answer for answer in answers if not _is_refusal(answer)]
    return Burst(action.rate, tuple(admitted), _duration(answers), tuple(strays))


def _is_refusal(answer: Answer) -> bool:
    return answer.is_inconclusive or answer.status in OTHER_REFUSALS


def _duration(answers: Sequence[Answer]) -> float:
    return max(answer.received_at for answer in answers) - min(answer.sent_at for answer in answers)
