"""Keeps the run inside the target's own limits: declared ones are kept, an undeclared one is learnt from its 429."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus.limits.rate_queue import REFUSALS_THAT_END, Lane
from oauth_litmus.limits.rates import Kind, Rate
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from oauth_litmus.clock import Clock
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.limits.rate_queue import Admission

_FAILED = (400, 401)
"""Answers of the token endpoint that count as failures, for which servers keep a limit of their own."""


_GOES_ON_AS = {Kind.AUTHORIZE: Kind.START, Kind.START: Kind.CALLBACK}
"""The next step of a login, which has a limit of its own."""
_HOLDING = frozenset({Kind.START, Kind.CALLBACK, Kind.TOKEN})
"""Who waits to send these holds a login that was begun, or a code."""


class Pacer:
    """Admits requests at the declared rate, first in rank first; a 429 closes its kind until one alone has passed."""

    def __init__(self, clock: Clock, rates: Mapping[Kind, Rate], token_failures: Rate | None = None) -> None:
        self._clock = clock
        self._rates = dict(rates)
        self._token_failures = token_failures
        self._lanes: dict[tuple[Kind, str | None], Lane] = {}
        self._failures: dict[str | None, Lane] = {}
        self.spent: dict[Kind, int] = dict.fromkeys(Kind, 0)
        self.refused: dict[Kind, int] = dict.fromkeys(Kind, 0)
        """429s that were met, by kind."""

    async def paced(
        self, kind: Kind, source: str | None, send: Callable[[], Awaitable[Answer]], *, rank: int = 0
    ) -> Answer:
        """Send when the budget allows it, and again after each 429, as its Retry-After says.

        `rank` decides who goes first where several wait: the lowest.

        Raises:
            Blocked: three refusals in a row, or a Retry-After longer than a run may wait.
        """
        lane, failures = self._lane(kind, source), self._failures_at(kind, source)
        if kind in _GOES_ON_AS:
            # Logins that were begun end where they wait: no more are begun than the next step has room for.
            await self.has_few_waiting(_GOES_ON_AS[kind], source)
        while True:
            failure = await failures.take(rank) if failures else None
            admission = await self._admitted(kind, lane, rank)
            if failures and failure:
                failure = failures.postponed(failure)
            answer = await self._sent(kind, lane, admission, send)
            if failures and failure:
                _settle(failures, failure, failed=answer.status in _FAILED)
            if answer.status != 429:
                lane.has_passed(admission)
                return answer
            self.refused[kind] += 1
            lane.was_refused(admission, answer)

    async def has_few_waiting(self, kind: Kind, source: str | None) -> None:
        """Wait until no more wait for room than one window has."""
        await self._lane(kind, source).has_few_waiting()

    async def turn(self, kind: Kind, source: str | None, *, rank: int = 0) -> None:
        """Wait until a request could be sent, and send none.

        Raises:
            Blocked: the kind was ended, or is closed for longer than a run may wait.
        """
        lane = self._lane(kind, source)
        lane.give_back(await self._admitted(kind, lane, rank))

    async def charge(self, kind: Kind, source: str | None) -> None:
        """Wait for the budget of something that is done outside of the suite (a login by hand).

        Raises:
            Blocked: the kind was ended, or is closed for longer than a run may wait.
        """
        lane = self._lane(kind, source)
        lane.has_passed(await self._admitted(kind, lane, 0))
        self.spent[kind] += 1

    def is_limited(self, kind: Kind, source: str | None) -> bool:
        """Whether a limit for this kind is declared, or was learnt."""
        return self._lane(kind, source).rate is not None

    def most_at_once(self, kind: Kind, source: str | None, wanted: int) -> int:
        """How many of the wanted requests to send in one moment: half of what a limit, declared or learnt, lets through.

        Two at least. A race that needs all the room of a window would hold up all others while the window empties.
        """
        limits = [rate.count // 2 for rate in (self._lane(kind, source).rate, self._token_failures) if rate is not None]
        return max(2, min([wanted, *limits]))

    async def before_race(self, kind: Kind, source: str | None, racers: int, *, rank: int = 0) -> Race:
        """Wait until there is room for all racers at one moment, also in the limit on failures: a race is mostly those.

        Raises:
            Blocked: the kind was ended, or is closed for longer than a run may wait.
        """
        lane, failures = self._lane(kind, source), self._failures_at(kind, source)
        failure = await failures.take(rank, racers) if failures else None
        # What is raced for has to be made first, perhaps by a request of the same kind.
        admission = lane.let_others_ahead(await self._admitted(kind, lane, rank, racers))
        return Race(racers, lane, admission, failures, failure)

    async def _admitted(self, kind: Kind, lane: Lane, rank: int, count: int = 1) -> Admission:
        admission = None if lane.is_closed_for_good else await lane.take(rank, count)
        if admission is not None:
            return admission
        if lane.refusals >= REFUSALS_THAT_END:
            raise Blocked(
                f"{lane.refusals} requests of kind {kind} in a row were answered 429: "
                f"declare the limit with --rate {kind}=N/SECONDS",
                lane.closed_by,
            )
        raise Blocked(
            f"kind {kind} is closed for another {lane.closed_for:.0f} s by a 429: longer than a run waits",
            lane.closed_by,
        )

    async def _sent(
        self, kind: Kind, lane: Lane, admission: Admission, send: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        self.spent[kind] += 1
        try:
            return await send()
        except BaseException:
            if admission.alone:  # nobody knows what the door would have said: let another one try
                lane.give_back(admission)
            else:
                lane.has_passed(admission)
            raise

    def learnt(self) -> dict[Kind, Rate]:
        """Limits that were not declared and that 429s have told of; the tightest, where addresses differ."""
        found: dict[Kind, Rate] = {}
        for (kind, _), lane in self._lanes.items():
            if lane.rate is None or lane.rate == self._rates.get(kind):
                continue
            known = found.get(kind)
            if known is None or lane.rate.count / lane.rate.seconds < known.count / known.seconds:
                found[kind] = lane.rate
        return found

    def _lane(self, kind: Kind, source: str | None) -> Lane:
        if (kind, source) not in self._lanes:
            self._lanes[kind, source] = Lane(
                self._clock, self._rates.get(kind), reserve=kind is Kind.TOKEN, ages=kind in _HOLDING
            )
        return self._lanes[kind, source]

    def _failures_at(self, kind: Kind, source: str | None) -> Lane | None:
        if kind is not Kind.TOKEN or self._token_failures is None:
            return None
        if source not in self._failures:
            self._failures[source] = Lane(self._clock, self._token_failures, reserve=True, ages=True)
        return self._failures[source]


class Race:
    """Room for a race, of which its answers tell how much it used."""

    def __init__(
        self, racers: int, lane: Lane, admission: Admission, failures: Lane | None, failure: Admission | None
    ) -> None:
        self._racers = racers
        self._lane = lane
        self._admission = admission
        self._failures = failures
        self._failure = failure

    async def begins(self) -> None:
        """What is raced for has been prepared, which may have taken a while: then there may be others in its room."""
        self._admission = await self._lane.still_there(self._admission, self._racers) or self._admission
        if self._failures and self._failure:
            self._failure = await self._failures.still_there(self._failure, self._racers)

    def is_over(self, answers: Sequence[Answer]) -> None:
        """Learn from the answers (none where it did not take place); what did not fail is given back."""
        refused = [answer for answer in answers if answer.status == 429]
        for answer in refused[:1]:
            self._lane.was_refused(self._admission, answer)
        for answer in refused[1:]:
            self._lane.was_refused(replace(self._admission, alone=False), answer)
        if not refused:
            self._lane.has_passed(self._admission, self._racers)
        if self._failures and self._failure:
            failed = sum(1 for answer in answers if answer.status in _FAILED)
            _settle(self._failures, self._failure, failed=failed, of=self._racers)


def _settle(failures: Lane, failure: Admission, *, failed: int, of: int = 1) -> None:
    """Count those that failed, from now on, and give the room of the others back."""
    failures.give_back(failure, of - failed)
    if failed:
        failures.postponed(failure, failed)


__all__ = ["Kind", "Pacer", "Race"]
