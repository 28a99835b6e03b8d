"""Keeps the run inside the target's own limits: declared ones are kept, an undeclared one is learnt from its 429."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from oauth_litmus.answer import Answer
    from oauth_litmus.clock import Clock
    from oauth_litmus.rates import Rate

DEFAULT_RETRY_AFTER = 60.0
"""Seconds to stay away after a 429 that does not say how long (a common window)."""
LONGEST_RETRY_AFTER = 900.0
_REFUSALS_THAT_END = 3
_MARGIN = 0.5
"""Seconds added to a window: the target's clock and ours need not tick together."""


class Kind(StrEnum):
    """What a request is charged to. A login is charged once, however many requests it takes."""

    REGISTER = "register"
    AUTHORIZE = "authorize"
    LOGIN = "login"
    TOKEN = "token"
    RESOURCE = "resource"


@dataclass
class _Lane:
    """The budget of one kind from one source address."""

    rate: Rate | None
    sent: deque[float] = field(default_factory=deque[float])
    closed_until: float = 0.0
    closed_by: tuple[int, ...] = ()
    """The exchange that closed it."""
    refusals: int = 0
    probing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def free_at(self, now: float) -> float:
        """When there is room for another request; an instant that is over if there is room now."""
        if self.rate is None:
            return 0.0
        window = self.rate.seconds + _MARGIN
        while self.sent and self.sent[0] <= now - window:
            self.sent.popleft()
        return self.sent[-self.rate.count] + window if len(self.sent) >= self.rate.count else 0.0


_FAILED = (400, 401)
"""Answers of the token endpoint that count as failures, for which servers keep a limit of their own."""


class Pacer:
    """Admits requests at the declared rate; a 429 closes its kind for all checks until one request alone has passed."""

    def __init__(self, clock: Clock, rates: Mapping[Kind, Rate], token_failures: Rate | None = None) -> None:
        self._clock = clock
        self._rates = dict(rates)
        self._failures = token_failures
        self._lanes: dict[tuple[Kind, str | None], _Lane] = {}
        self._failure_lanes: dict[str | None, _Lane] = {}
        self.spent: dict[Kind, int] = dict.fromkeys(Kind, 0)

    async def paced(
        self, kind: Kind, source: str | None, send: Callable[[], Awaitable[Answer]], *, admitted: bool = False
    ) -> Answer:
        """Send when the budget allows it, and again after each 429, as its Retry-After says.

        `admitted` requests belong to something that was charged as a whole already.

        Raises:
            Blocked: three refusals in a row, or a Retry-After longer than a run may wait.
        """
        lane = self._lane(kind, source)
        while True:
            alone = lane.refusals > 0
            if alone:
                answer = await self._alone(kind, source, send, admitted=admitted)
            else:
                await self._room(kind, source, admitted=admitted)
                if lane.refusals:
                    continue
                self._spend(kind, lane, admitted=admitted)
                answer = await send()
            if answer.status != 429:
                self._count_failure(kind, source, answer)
                return answer
            # Several that were under way together when the limit was met are one refusal.
            lane.refusals += int(alone or lane.refusals == 0)
            self._close(lane, answer)

    async def charge(self, kind: Kind, source: str | None) -> None:
        """Wait for the budget of something that takes several requests (a login)."""
        await self._room(kind, source, admitted=False)
        self._spend(kind, self._lane(kind, source), admitted=False)

    async def before_race(self, kind: Kind, source: str | None) -> None:
        """Wait until the kind is open and nothing of its limit on failures is used up: a race is mostly failures.

        Raises:
            Blocked: the kind was ended, or is closed for longer than a run may wait.
        """
        lane, failures = self._lane(kind, source), self._failure_lane(source)
        self._give_up_if_in_vain(kind, lane)
        await self._clock.until(lane.closed_until)
        if failures.rate is not None and failures.sent:
            await self._clock.until(max(failures.sent) + failures.rate.seconds + _MARGIN)

    def after_race(self, kind: Kind, source: str | None, answers: Sequence[Answer]) -> None:
        """Learn from the answers of a race, which were sent past the budget: its refusals count as one."""
        lane = self._lane(kind, source)
        for answer in answers:
            self._count_failure(kind, source, answer)
            if answer.status == 429:
                lane.refusals = max(lane.refusals, 1)
                self._close(lane, answer)

    def _failure_lane(self, source: str | None) -> _Lane:
        return self._failure_lanes.setdefault(source, _Lane(self._failures))

    def _count_failure(self, kind: Kind, source: str | None, answer: Answer) -> None:
        if kind is Kind.TOKEN and self._failures is not None and answer.status in _FAILED:
            self._failure_lane(source).sent.append(answer.received_at)

    def _lane(self, kind: Kind, source: str | None) -> _Lane:
        return self._lanes.setdefault((kind, source), _Lane(self._rates.get(kind)))

    async def _room(self, kind: Kind, source: str | None, *, admitted: bool) -> None:
        asked = [] if admitted else [self._lane(kind, source)]
        if kind is Kind.TOKEN:
            asked.append(self._failure_lane(source))
        while (instant := max((each.free_at(self._clock.now()) for each in asked), default=0.0)) > self._clock.now():
            await self._clock.until(instant)

    def _spend(self, kind: Kind, lane: _Lane, *, admitted: bool) -> None:
        if admitted:
            return
        self.spent[kind] += 1
        if lane.rate is not None:
            lane.sent.append(self._clock.now())

    async def _alone(
        self, kind: Kind, source: str | None, send: Callable[[], Awaitable[Answer]], *, admitted: bool
    ) -> Answer:
        lane = self._lane(kind, source)
        acquired = False

        async def acquire() -> None:
            nonlocal acquired
            acquired = await lane.probing.acquire()

        try:
            await self._clock.for_result_of(acquire())
            self._give_up_if_in_vain(kind, lane)
            await self._clock.until(lane.closed_until)
            await self._room(kind, source, admitted=admitted)
            self._spend(kind, lane, admitted=admitted)
            answer = await send()
            if answer.status != 429:
                lane.refusals = 0
            return answer
        finally:
            if acquired:
                lane.probing.release()

    def _give_up_if_in_vain(self, kind: Kind, lane: _Lane) -> None:
        if lane.refusals >= _REFUSALS_THAT_END:
            raise Blocked(
                f"{lane.refusals} requests of kind {kind} in a row were answered 429: "
                f"declare the limit with --rate {kind}=N/SECONDS",
                lane.closed_by,
            )
        seconds = lane.closed_until - self._clock.now()
        if seconds > LONGEST_RETRY_AFTER + _MARGIN:
            raise Blocked(
                f"kind {kind} is closed for another {seconds:.0f} s by a 429: longer than a run waits", lane.closed_by
            )

    def _close(self, lane: _Lane, answer: Answer) -> None:
        seconds = retry_after(answer)
        until = answer.received_at + (DEFAULT_RETRY_AFTER if seconds is None else seconds) + _MARGIN
        if until > lane.closed_until:
            lane.closed_until, lane.closed_by = until, (answer.number,)


def retry_after(answer: Answer) -> float | None:
    """Seconds that a Retry-After asks for (RFC 9110 section 10.2.3), an HTTP-date read against the answer's own Date.

    None if the header is absent or malformed.
    """
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        instant = parsedate_to_datetime(value)
        date = parsedate_to_datetime(answer.headers.get("date", ""))
        return max(0.0, (instant - date).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None
