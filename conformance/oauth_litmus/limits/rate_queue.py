"""One queue for one budget: who is first in rank goes first, at the rate that is declared, or learnt from a refusal."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import math
from collections import deque
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING

from oauth_litmus.http.retry_after import retry_after
from oauth_litmus.limits.priority import DUE_NOW, URGENT
from oauth_litmus.limits.rates import Rate

if TYPE_CHECKING:
    from oauth_litmus.clock import Clock
    from oauth_litmus.http.answer import Answer

DEFAULT_RETRY_AFTER = 60.0
"""Seconds to stay away after a 429 that does not say how long (a common window)."""
LONGEST_RETRY_AFTER = 900.0
"""Seconds that a run waits for a door to open."""
REFUSALS_THAT_END = 3
MARGIN = 0.5
"""Seconds added to a window: the target's clock and ours need not tick together."""
_ROUNDING = 2.0
"""Seconds by which a Retry-After may be more than is left of the window."""
_RESERVED = 10
"""One of so many is kept in reserve for those that go first of all, and one more for those at their instant."""
_PATIENCE = 3
"""Windows for which a race lets single requests go first."""
_REMEMBERED = 2_000
"""Requests that are remembered, more than any limit lets through in its window."""
_COMMON_WINDOWS = (60.0, 300.0, 600.0, 900.0, 3_600.0)


@dataclass(frozen=True)
class Admission:
    """Room that was given at this instant; `alone` where it was given to one request only, to try a closed door."""

    instant: float
    alone: bool = False


class _Turn(IntEnum):
    """Who goes before whom: a single request holds what ends while it waits, and a race may need a whole window."""

    FIRST = 0
    NEXT = 1
    ANY = 2
    PATIENT_RACE = 3


@dataclass(order=True)
class _Ticket:
    turn: _Turn
    rank: int
    number: int
    count: int = field(compare=False)
    since: float = field(compare=False)
    leaves: int = field(compare=False)
    """How many shares of the reserve it leaves alone."""
    admission: Admission | None = field(default=None, compare=False)
    nudge: asyncio.Future[None] | None = field(default=None, compare=False)


class Lane:
    """Room for requests of one kind from one source address.

    While `refusals` is not zero, one request at a time goes ahead, until one has passed. With a reserve the last fifth of
    its room is for those that go first of all, half of that for those alone whose instant has come. A race lets single
    requests go first, which hold what ends while they wait, for a few windows, and then those that need not delay it;
    where what is held `ages`, whoever has waited for a window goes first.
    """

    def __init__(self, clock: Clock, rate: Rate | None, *, reserve: bool = False, ages: bool = False) -> None:
        self.rate = rate
        self._reserves = reserve
        self._ages = ages
        self.refusals = 0
        self.closed_until = 0.0
        self.closed_by: tuple[int, ...] = ()
        """The exchange that closed it."""
        self._clock = clock
        self._sent: deque[float] = deque(maxlen=_REMEMBERED)
        self._queue: list[_Ticket] = []
        self._numbers = itertools.count()
        self._sleeper: _Ticket | None = None
        self._one_is_ahead = False
        self._refused_at = 0.0
        self._open_since = 0.0
        self._rate_before = rate
        """What the rate was before the refusals that are being counted now."""

    async def take(self, rank: int = 0, count: int = 1) -> Admission | None:
        """Wait for room for so many requests at once, and use it; None if the lane is closed for good."""
        admission = await self._room_for(rank, count)
        # Room that was given back may go to one that slept until there would be some; what is used less than a margin
        # later is covered by the margin that every window has.
        while admission is not None and self._clock.now() - admission.instant > MARGIN:
            admission = await self.still_there(admission, count)
        return admission

    async def _room_for(self, rank: int, count: int) -> Admission | None:
        ticket = _Ticket(
            _turn_of(rank, count), rank, next(self._numbers), count, self._clock.now(), _leaves(rank, count)
        )
        heapq.heappush(self._queue, ticket)
        self._serve()
        try:
            while ticket.admission is None and not self.is_closed_for_good:
                await self._turn_of(ticket)
        finally:
            if ticket.admission is None:
                self._queue.remove(ticket)
                heapq.heapify(self._queue)
            self._wake_the_first()
        return ticket.admission

    async def has_few_waiting(self) -> None:
        """Wait until no more are in the queue than one window has room for."""
        while self.rate is not None and len(self._queue) >= self.rate.count and not self.is_closed_for_good:
            await self._clock.until(self._clock.now() + self.rate.seconds / self.rate.count)

    async def _turn_of(self, ticket: _Ticket) -> None:
        instant = self._free_at(self._queue[0])
        # Whoever came to the head since somebody went to sleep may be let in earlier.
        if instant < math.inf and (self._sleeper is None or self._queue[0] is ticket):
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
        """Room that was not used up after all."""
        for _ in range(count):
            self._forget(admission)
        if admission.alone:
            self._one_is_ahead = False
        self._serve()
        self._wake_the_first()

    def postponed(self, admission: Admission, count: int = 1) -> Admission:
        """Room that was given before and is used only now."""
        now = self._clock.now()
        for _ in range(count):
            self._forget(admission)
        self._sent.extend([now] * count)
        return Admission(now, admission.alone)

    async def still_there(self, admission: Admission, count: int) -> Admission | None:
        """Room that was given before and is used only now; another one where it has been filled meanwhile.

        None if the lane was closed for good.
        """
        if self.rate is None or self._clock.now() - admission.instant < self.rate.seconds:
            return self.postponed(admission, count)
        self.let_others_ahead(admission)
        return await self.take(URGENT, count)

    def let_others_ahead(self, admission: Admission) -> Admission:
        """Keep the room, and have another one try a closed door."""
        if admission.alone:
            self._one_is_ahead = False
            self._serve()
            self._wake_the_first()
        return replace(admission, alone=False)

    def has_passed(self, admission: Admission, count: int = 1) -> None:
        """Requests were let in, when exactly nobody knows: now at the latest. The door is open if one had gone ahead alone."""
        counted = self.postponed(admission, count)
        if admission.alone:
            self._one_is_ahead = False
            self.refusals, self._open_since = 0, counted.instant
            self._serve()
            self._wake_the_first()

    def was_refused(self, admission: Admission, answer: Answer) -> None:
        """A request was answered 429: keep away for as long as it says, and learn the rate."""
        self._forget(admission)
        # Several that were under way together when the limit was met are one refusal.
        if self.refusals == 0 or admission.alone:
            self.refusals += 1
            self._refused_at, self._rate_before = answer.received_at, self.rate
        if admission.alone:
            self._one_is_ahead = False
        seconds = retry_after(answer)
        seconds = DEFAULT_RETRY_AFTER if seconds is None else seconds
        if answer.received_at + seconds + MARGIN > self.closed_until:
            self.closed_until, self.closed_by = answer.received_at + seconds + MARGIN, (answer.number,)
        self.rate = self._rate_learnt(seconds)
        for ticket in self._queue:
            _nudge(ticket)

    def _rate_learnt(self, seconds: float) -> Rate | None:
        """What was let in during the window that ends when the door opens again; nothing is learnt where nothing was."""
        ends = self._refused_at + seconds
        begun = next((sent for sent in self._sent if sent >= self._open_since), self._refused_at)
        common = next((window for window in _COMMON_WINDOWS if window >= seconds - _ROUNDING), seconds)
        window = max(1.0, min(ends - begun, common))
        if window > common - 2 * _ROUNDING:
            window = common  # what was let in first was counted before its answer came
        count = sum(1 for sent in self._sent if sent > ends - window - _ROUNDING)
        if count == 0:
            return self._rate_before
        if self._rate_before is None:
            return Rate(count=count, seconds=window)
        known = self._rate_before
        longer = window if seconds > known.seconds + _ROUNDING else known.seconds
        if self._open_since > self._refused_at - known.seconds:
            # Little was sent since the door was closed: that says little of how much would be let in.
            count = max(count, known.count // 2)
        return Rate(count=min(count, known.count), seconds=max(longer, known.seconds))

    def _forget(self, admission: Admission) -> None:
        if admission.instant in self._sent:
            self._sent.remove(admission.instant)

    @property
    def is_closed_for_good(self) -> bool:
        """Whether nobody is let through any more."""
        return self.refusals >= REFUSALS_THAT_END or self.closed_for > LONGEST_RETRY_AFTER + MARGIN

    @property
    def closed_for(self) -> float:
        """Seconds until the door opens; zero or less if it is open."""
        return self.closed_until - self._clock.now() if self.closed_until else 0.0

    def _free_at(self, ticket: _Ticket) -> float:
        """When there is room for so many; infinite while one that went ahead is under way."""
        if self.refusals and self._one_is_ahead:
            return math.inf
        instant = self.closed_until
        if self.rate is not None:
            window = self.rate.seconds + MARGIN
            now = self._clock.now()
            alive = [sent for sent in self._sent if sent > now - window]
            # What no window has room for goes when the window is empty.
            surplus = len(alive) - max(0, self.rate.count - self._kept_from(ticket) - ticket.count)
            if alive and surplus > 0:
                instant = max(instant, alive[min(surplus, len(alive)) - 1] + window)
        return instant

    def _kept_from(self, ticket: _Ticket) -> int:
        """Room that is kept for those who go before this one, while others fill the window."""
        if self.rate is None or not self._reserves:
            return 0
        kept = ticket.leaves * (self.rate.count // _RESERVED)
        return kept if ticket.count <= self.rate.count - 2 * kept else 0  # a race of nearly all would never begin

    def _end_patience(self) -> None:
        if self.rate is None:
            return
        now = self._clock.now()
        for ticket in self._queue:
            patience = _PATIENCE if ticket.turn is _Turn.PATIENT_RACE else 1 if self._ages else math.inf
            if ticket.turn > _Turn.NEXT and ticket.since < now - patience * self.rate.seconds:
                ticket.turn, ticket.rank = _Turn.NEXT, URGENT  # among those who have waited long, who came first
        heapq.heapify(self._queue)

    def _serve(self) -> None:
        self._end_patience()
        while (ticket := self._next_to_go()) is not None:
            self._queue.remove(ticket)
            heapq.heapify(self._queue)
            ticket.admission = Admission(self._clock.now(), alone=self.refusals > 0)
            self._sent.extend([ticket.admission.instant] * ticket.count)
            self._one_is_ahead = ticket.admission.alone
            _nudge(ticket)

    def _next_to_go(self) -> _Ticket | None:
        """Who may go now: the first, or else whoever is behind a race and does not delay it."""
        if not self._queue or self.is_closed_for_good:
            return None
        first, now = self._queue[0], self._clock.now()
        begins = self._free_at(first)
        if begins <= now:
            return first
        if first.count == 1 or self.rate is None or begins == math.inf:
            return None
        beside = sum(1 for sent in self._sent if sent > begins - self.rate.seconds - MARGIN)
        if beside + 1 + first.count > self.rate.count - self._kept_from(first):
            return None
        single = min((ticket for ticket in self._queue if ticket.count == 1), default=None)
        return single if single is not None and self._free_at(single) <= now else None

    def _wake_the_first(self) -> None:
        if self._queue and self._sleeper is None:
            _nudge(self._queue[0])


def _turn_of(rank: int, count: int) -> _Turn:
    if rank <= URGENT:
        return _Turn.FIRST if count == 1 else _Turn.NEXT
    return _Turn.ANY if count == 1 else _Turn.PATIENT_RACE


def _leaves(rank: int, count: int) -> int:
    if rank <= URGENT and count == 1:
        return 0 if rank == DUE_NOW else 1
    return 2


def _nudge(ticket: _Ticket) -> None:
    if ticket.nudge is not None and not ticket.nudge.done():
        ticket.nudge.set_result(None)
