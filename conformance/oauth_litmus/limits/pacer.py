"""Keeps the run inside the target's rate limits: keeps declared ones, and learns undeclared ones from their 429."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.limits.race import FAILED, Race, settle_failures
from oauth_litmus.limits.rate_queue import REFUSALS_THAT_END, RateQueue
from oauth_litmus.limits.rates import Kind, Rate
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from oauth_litmus.clock import Clock
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.limits.rate_queue import Admission

_NEXT_STEP = {Kind.AUTHORIZE: Kind.START, Kind.START: Kind.CALLBACK}
"""The next step of a login. It has a rate limit of its own."""
_HOLDING = frozenset({Kind.START, Kind.CALLBACK, Kind.TOKEN})
"""Kinds of requests for which a check holds a pending login or a code while it waits."""


class Pacer:
    """Admits requests at the declared rate, in order of priority. After a 429, one trial request at a time."""

    def __init__(self, clock: Clock, rates: Mapping[Kind, Rate], token_failures: Rate | None = None) -> None:
        self._clock = clock
        self._rates = dict(rates)
        self._token_failures = token_failures
        self._queues: dict[tuple[Kind, str | None], RateQueue] = {}
        self._failures: dict[str | None, RateQueue] = {}
        self.spent: dict[Kind, int] = dict.fromkeys(Kind, 0)
        self.refused: dict[Kind, int] = dict.fromkeys(Kind, 0)
        """How many 429s there were, by kind."""

    async def paced(
        self, kind: Kind, source: str | None, send: Callable[[], Awaitable[Answer]], *, rank: int = 0
    ) -> Answer:
        """Send a request when there is room, and again after each 429, when its Retry-After allows it.

        Of several waiting requests the one with the lowest `rank` goes first.

        Raises:
            Blocked: three refusals in a row, or a Retry-After that is too long for a run.
        """
        queue, failures = self._queue(kind, source), self._failures_at(kind, source)
        if kind in _NEXT_STEP:
            # Pending logins expire while they wait, so no more are begun than the next step has room for.
            await self.has_few_waiting(_NEXT_STEP[kind], source)
        while True:
            failure = await failures.take(rank) if failures else None
            admission = await self._admitted(kind, queue, rank)
            if failures and failure:
                failure = failures.postponed(failure)
            answer = await self._sent(kind, queue, admission, send)
            if failures and failure:
                settle_failures(failures, failure, failed=answer.status in FAILED)
            if answer.status != 429:
                queue.has_passed(admission)
                return answer
            self.refused[kind] += 1
            queue.was_refused(admission, answer)

    async def has_few_waiting(self, kind: Kind, source: str | None) -> None:
        """Wait until no more requests wait than one window has room for."""
        await self._queue(kind, source).has_few_waiting()

    async def turn(self, kind: Kind, source: str | None, *, rank: int = 0) -> None:
        """Wait until a request could be sent, without sending one.

        Raises:
            Blocked: no more requests of this kind are sent, or the 429 asks for a wait that is too long for a run.
        """
        queue = self._queue(kind, source)
        queue.give_back(await self._admitted(kind, queue, rank))

    async def charge(self, kind: Kind, source: str | None) -> None:
        """Wait for room for a request that the suite does not send itself (a login by hand), and count it.

        Raises:
            Blocked: no more requests of this kind are sent, or the 429 asks for a wait that is too long for a run.
        """
        queue = self._queue(kind, source)
        queue.has_passed(await self._admitted(kind, queue, 0))
        self.spent[kind] += 1

    def is_limited(self, kind: Kind, source: str | None) -> bool:
        """Whether a limit for this kind is declared or was learned."""
        return self._queue(kind, source).rate is not None

    def most_at_once(self, kind: Kind, source: str | None, wanted: int) -> int:
        """How many of the wanted requests a race may send: half of what a declared or learned limit allows, but at least two.

        A race that needs a whole window would hold up all other checks until the window is empty.
        """
        limits = [
            rate.count // 2 for rate in (self._queue(kind, source).rate, self._token_failures) if rate is not None
        ]
        return max(2, min([wanted, *limits]))

    async def before_race(self, kind: Kind, source: str | None, racers: int, *, rank: int = 0) -> Race:
        """Wait for room for all racers at one moment, also in the limit on failures, because most racers fail.

        Raises:
            Blocked: no more requests of this kind are sent, or the 429 asks for a wait that is too long for a run.
        """
        queue, failures = self._queue(kind, source), self._failures_at(kind, source)
        failure = await failures.take(rank, racers) if failures else None
        # The grant for the race has to be made first, perhaps by a request of the same kind.
        admission = queue.not_alone(await self._admitted(kind, queue, rank, racers))
        return Race(racers, queue, admission, failures, failure)

    async def _admitted(self, kind: Kind, queue: RateQueue, rank: int, count: int = 1) -> Admission:
        admission = None if queue.is_closed_for_good else await queue.take(rank, count)
        if admission is not None:
            return admission
        if queue.refusals >= REFUSALS_THAT_END:
            raise Blocked(
                f"{queue.refusals} requests of kind {kind} in a row were answered 429: "
                f"declare the limit with --rate {kind}=N/SECONDS",
                queue.closed_by,
            )
        raise Blocked(
            f"kind {kind} is closed for another {queue.closed_for:.0f} s by a 429: longer than a run waits",
            queue.closed_by,
        )

    async def _sent(
        self, kind: Kind, queue: RateQueue, admission: Admission, send: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        self.spent[kind] += 1
        try:
            return await send()
        except BaseException:
            if admission.alone:  # the trial request had no result: let another one be the trial
                queue.give_back(admission)
            else:
                queue.has_passed(admission)
            raise

    def learnt(self) -> dict[Kind, Rate]:
        """Undeclared limits that 429s have shown. If they differ by source address, the tightest one."""
        found: dict[Kind, Rate] = {}
        for (kind, _), queue in self._queues.items():
            if queue.rate is None or queue.rate == self._rates.get(kind):
                continue
            known = found.get(kind)
            if known is None or queue.rate.count / queue.rate.seconds < known.count / known.seconds:
                found[kind] = queue.rate
        return found

    def _queue(self, kind: Kind, source: str | None) -> RateQueue:
        if (kind, source) not in self._queues:
            self._queues[kind, source] = RateQueue(
                self._clock, self._rates.get(kind), reserve=kind is Kind.TOKEN, ages=kind in _HOLDING
            )
        return self._queues[kind, source]

    def _failures_at(self, kind: Kind, source: str | None) -> RateQueue | None:
        if kind is not Kind.TOKEN or self._token_failures is None:
            return None
        if source not in self._failures:
            self._failures[source] = RateQueue(self._clock, self._token_failures, reserve=True, ages=True)
        return self._failures[source]


__all__ = ["Kind", "Pacer", "Race"]
