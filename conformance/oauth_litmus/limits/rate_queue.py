"""The queue of one rate limit: requests wait for room, in order of priority, and stay away after a 429."""

from __future__ import annotations

import asyncio
import itertools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauth_litmus.http.retry_after import retry_after
from oauth_litmus.limits.learning import Refusal, rate_learned
from oauth_litmus.limits.ordering import Ticket, next_ticket, promote_overdue, turn_of
from oauth_litmus.limits.priority import URGENT
from oauth_litmus.limits.reserve import places_kept
from oauth_litmus.limits.window import MARGIN, Window

if TYPE_CHECKING:
    from oauth_litmus.clock import Clock
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.limits.rates import Rate

DEFAULT_RETRY_AFTER = 60.0
"""Seconds to stay away after a 429 without a Retry-After (a common window)."""
LONGEST_RETRY_AFTER = 900.0
"""Seconds that a run waits at most after a 429."""
REFUSALS_THAT_END = 3
"""Refusals in a row after which no more requests of the kind are sent."""


@dataclass(frozen=True)
class Admission:
    """Room for requests, given at an instant in Unix seconds."""

    instant: float
    alone: bool = False
    """Whether this is the trial request after a 429: no other request is sent until it is answered."""


class RateQueue:
    """Room for requests of one kind from one source address.

    After a 429 one trial request at a time is sent, until one is accepted.

    Args:
        clock: the run's clock.
        rate: the declared rate; None if none is declared.
        reserve: whether places of each window are kept for urgent requests.
        ages: whether a single request goes first once it has waited for a window.
    """

    def __init__(self, clock: Clock, rate: Rate | None, *, reserve: bool = False, ages: bool = False) -> None:
        self.rate = rate
        self.refusals = 0
        self.closed_until = 0.0
        self.closed_by: tuple[int, ...] = ()
        """The number of the exchange with the 429."""
        self._reserves = reserve
        self._ages = ages
        self._clock = clock
        self._window = Window()
        self._waiting: list[Ticket] = []
        self._numbers = itertools.count()
        self._sleeper: Ticket | None = None
        self._trial_is_pending = False
        self._accepting_since = 0.0
        self._refusal = Refusal(0.0, rate, 0.0)

    async def take(self, rank: int = 0, count: int = 1) -> Admission | None:
        """Wait for room for so many requests at once, and use it; None if the queue is closed for good."""
        admission = await self._room_for(rank, count)
        # The waiting task may resume long after its admission. Less than a margin later, the window still covers it.
        while admission is not None and self._clock.now() - admission.instant > MARGIN:
            admission = await self.still_there(admission, count)
        return admission

    async def _room_for(self, rank: int, count: int) -> Admission | None:
        ticket = Ticket(turn_of(rank, count), rank, next(self._numbers), count, self._clock.now(), rank)
        self._waiting.append(ticket)
        self._serve()
        try:
            while ticket.admitted_at is None and not self.is_closed_for_good:
                await self._wait(ticket)
        finally:
            if ticket.admitted_at is None:
                self._waiting.remove(ticket)
            self._wake_the_first()
        return None if ticket.admitted_at is None else Admission(ticket.admitted_at, ticket.alone)

    async def has_few_waiting(self) -> None:
        """Wait until no more requests wait than one window has room for."""
        while self.rate is not None and len(self._waiting) >= self.rate.count and not self.is_closed_for_good:
            await self._clock.until(self._clock.now() + self.rate.seconds / self.rate.count)

    async def _wait(self, ticket: Ticket) -> None:
        """Sleep until there is room for the first ticket, or until another task wakes this one."""
        first = min(self._waiting)
        instant = self._free_at(first)
        # A ticket that became the first one while another task sleeps may be due earlier than the sleeper.
        if instant < math.inf and (self._sleeper is None or first is ticket):
            self._sleeper = ticket
            try:
                await self._clock.until(instant)
            finally:
                self._sleeper = None
            self._serve()
            return
        ticket.nudge = asyncio.get_running_loop().create_future()
        await self._clock.for_result_of(ticket.nudge)

    def give_back(self, admission: Admission, count: int = 1) -> None:
        """Return room that was not used."""
        self._window.forget(admission.instant, count)
        if admission.alone:
            self._trial_is_pending = False
        self._serve()
        self._wake_the_first()

    def postponed(self, admission: Admission, count: int = 1) -> Admission:
        """Count room that was given earlier as used now."""
        now = self._clock.now()
        self._window.forget(admission.instant, count)
        self._window.count(now, count)
        return Admission(now, admission.alone)

    async def still_there(self, admission: Admission, count: int) -> Admission | None:
        """Use room now that was given earlier. If its window has passed, wait for new room.

        None if the queue is closed for good.
        """
        if self.rate is None or self._clock.now() - admission.instant < self.rate.seconds:
            return self.postponed(admission, count)
        self.not_alone(admission)
        return await self.take(URGENT, count)

    def not_alone(self, admission: Admission) -> Admission:
        """Keep the room, and let another request be the trial request."""
        if admission.alone:
            self._trial_is_pending = False
            self._serve()
            self._wake_the_first()
        return replace(admission, alone=False)

    def has_passed(self, admission: Admission, count: int = 1) -> None:
        """Count accepted requests as of now, when their answers arrive: the server may count them later than we send them.

        An accepted trial request ends the series of refusals.
        """
        counted = self.postponed(admission, count)
        if admission.alone:
            self._trial_is_pending = False
            self.refusals, self._accepting_since = 0, counted.instant
            self._serve()
            self._wake_the_first()

    def was_refused(self, admission: Admission, answer: Answer) -> None:
        """Stay away after a 429 for as long as it says, and learn the rate."""
        self._window.forget(admission.instant)
        # Several requests that were refused together count as one refusal.
        if self.refusals == 0 or admission.alone:
            self.refusals += 1
            self._refusal = Refusal(answer.received_at, self.rate, self._accepting_since)
        if admission.alone:
            self._trial_is_pending = False
        seconds = retry_after(answer)
        seconds = DEFAULT_RETRY_AFTER if seconds is None else seconds
        if answer.received_at + seconds + MARGIN > self.closed_until:
            self.closed_until, self.closed_by = answer.received_at + seconds + MARGIN, (answer.number,)
        self.rate = rate_learned(self._window.counted, self._refusal, seconds)
        for ticket in self._waiting:
            _nudge(ticket)

    @property
    def is_closed_for_good(self) -> bool:
        """Whether no more requests are sent in this run."""
        return self.refusals >= REFUSALS_THAT_END or self.closed_for > LONGEST_RETRY_AFTER + MARGIN

    @property
    def closed_for(self) -> float:
        """Seconds until requests may be sent again; zero or less means now."""
        return self.closed_until - self._clock.now() if self.closed_until else 0.0

    def _free_at(self, ticket: Ticket) -> float:
        """When there is room for a ticket; infinite while the trial request is pending."""
        if self.refusals and self._trial_is_pending:
            return math.inf
        if self.rate is None:
            return self.closed_until
        room = self._window.free_at(self.rate, self._clock.now(), ticket.count, self._kept_from(ticket))
        return max(self.closed_until, room)

    def _kept_from(self, ticket: Ticket) -> int:
        return places_kept(self.rate, ticket.asked_rank, ticket.count) if self.rate and self._reserves else 0

    def _fits_before(self, race: Ticket, begins: float) -> bool:
        """Whether one more request fits into the window before a race that begins at an instant."""
        if self.rate is None:
            return False
        beside = self._window.since(begins - self.rate.seconds - MARGIN)
        return beside + 1 + race.count <= self.rate.count - self._kept_from(race)

    def _serve(self) -> None:
        """Admit every ticket that may go now."""
        if self.rate is not None:
            promote_overdue(self._waiting, self._clock.now(), self.rate.seconds, singles=self._ages)
        while (ticket := self._next()) is not None:
            self._waiting.remove(ticket)
            ticket.admitted_at, ticket.alone = self._clock.now(), self.refusals > 0
            self._window.count(ticket.admitted_at, ticket.count)
            self._trial_is_pending = ticket.alone
            _nudge(ticket)

    def _next(self) -> Ticket | None:
        if self.is_closed_for_good:
            return None
        return next_ticket(self._waiting, self._clock.now(), self._free_at, self._fits_before)

    def _wake_the_first(self) -> None:
        if self._waiting and self._sleeper is None:
            _nudge(min(self._waiting))


def _nudge(ticket: Ticket) -> None:
    if ticket.nudge is not None and not ticket.nudge.done():
        ticket.nudge.set_result(None)
