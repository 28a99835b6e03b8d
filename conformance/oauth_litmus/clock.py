"""The clock of a run. Against a remote server it sleeps; in a test process it is moved forward when all checks wait."""

from __future__ import annotations

import asyncio
import heapq
import time
from abc import ABC, abstractmethod
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

T = TypeVar("T")

# In a tuple, because freezegun replaces functions that it finds under module names, and durations must be real.
_REAL = (time.perf_counter,)
_SETTLING_TURNS = 8
"""Turns of the event loop to wait, so that a result that is already set reaches the check that awaits it."""


def stopwatch() -> float:
    """Return real seconds from an arbitrary origin, even while the clock of the run is frozen."""
    return _REAL[0]()


class Clock(ABC):
    """Time for the engine, the pacer and the checks. Instants are Unix seconds.

    A check runs inside `running()`, which limits how many checks run at once. While a check waits for an instant or for
    another check, it gives its slot to others.
    """

    def __init__(self, slots: int) -> None:
        self._slots = _Slots(slots)
        self._unpaid = 0
        self._ready = 0
        self._all_wait = asyncio.Event()
        self._all_wait.set()

    def now(self) -> float:
        """Return the current time."""
        return time.time()

    @property
    def ready(self) -> int:
        """How many checks are runnable, including the checks that wait for a slot."""
        return self._ready

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Hold a slot while the body runs."""
        self._become_ready()
        try:
            await self._take_slot()
            yield
        finally:
            self._leave()

    async def until(self, instant: float) -> None:
        """Wait until this instant; return at once if it is past."""
        while self.now() < instant:
            waiting = self._instant(instant)
            self._leave()
            try:
                await waiting
            except BaseException:
                self._unpaid += 1
                raise
            finally:
                self._back_from(waiting)
            # A check that has waited for its instant takes the next slot before checks that have not.
            await self._take_slot(first=True)

    async def for_result_of(self, awaitable: Awaitable[T]) -> T:
        """Wait for the result of another check; this wait occupies no slot, and the clock can move meanwhile."""
        self._leave()
        try:
            result = await awaitable
        except BaseException:
            self._unpaid += 1
            raise
        finally:
            self._become_ready()
        await self._take_slot()
        return result

    async def until_all_wait(self) -> None:
        """Wait until no check is runnable: every check has ended, or waits for an instant or a result."""
        await self._all_wait.wait()

    async def _take_slot(self, *, first: bool = False) -> None:
        try:
            await self._slots.acquire(first=first)
        except BaseException:
            self._unpaid += 1
            raise

    def _become_ready(self) -> None:
        self._ready += 1
        self._all_wait.clear()

    def _leave(self) -> None:
        # A check that fails or is cancelled while it waits holds no slot, so it has none to release.
        if self._unpaid:
            self._unpaid -= 1
        else:
            self._slots.release()
        self._ready -= 1
        if self._ready == 0:
            self._all_wait.set()
        self._left()

    @abstractmethod
    def _instant(self, instant: float) -> Awaitable[None]:
        """Return an awaitable that finishes at that instant."""

    @abstractmethod
    def _back_from(self, waiting: Awaitable[None]) -> None:
        """Handle a check that continues after a wait for an instant, or that was cancelled during it."""

    @abstractmethod
    def _left(self) -> None:
        """Handle a check that is no longer runnable."""


class _Slots:
    """A semaphore with two queues, one of which has priority."""

    def __init__(self, free: int) -> None:
        self.free = free
        self._first: deque[asyncio.Future[None]] = deque()
        self._others: deque[asyncio.Future[None]] = deque()

    async def acquire(self, *, first: bool) -> None:
        if self.free:
            self.free -= 1
            return
        given: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (self._first if first else self._others).append(given)
        try:
            await given
        except asyncio.CancelledError:
            if not given.cancelled():  # the slot was assigned while the waiting check was being cancelled
                self.release()
            raise

    def release(self) -> None:
        for queue in (self._first, self._others):
            while queue:
                given = queue.popleft()
                if not given.done():
                    given.set_result(None)
                    return
        self.free += 1


class WallClock(Clock):
    """The clock in real time. All waits overlap, so a run takes about as long as its longest wait."""

    def _instant(self, instant: float) -> Awaitable[None]:
        return asyncio.sleep(max(0.0, instant - self.now()))

    def _back_from(self, waiting: Awaitable[None]) -> None:
        self._become_ready()

    def _left(self) -> None:
        """Do nothing: real time moves by itself."""


class SteppedClock(Clock):
    """A frozen clock. It moves only when no check is runnable, to the earliest instant that a check waits for."""

    def __init__(self, slots: int, move_to: Callable[[float], None]) -> None:
        super().__init__(slots)
        self._move_to = move_to
        self._present = time.time()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._tickets = 0
        self._settling = False

    def now(self) -> float:
        """Return the instant to which the clock was last moved."""
        return self._present

    def _instant(self, instant: float) -> Awaitable[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tickets += 1
        heapq.heappush(self._waiting, (instant, self._tickets, future))
        return future

    def _back_from(self, waiting: Awaitable[None]) -> None:
        # `_step` already counted the checks that it woke; otherwise the clock could move before they run.
        if not isinstance(waiting, asyncio.Future) or waiting.cancelled():
            self._become_ready()

    def _left(self) -> None:
        if self._ready == 0 and self._waiting and not self._settling:
            self._settling = True
            asyncio.get_running_loop().call_soon(self._settle, _SETTLING_TURNS)

    def _settle(self, turns: int) -> None:
        if turns and self._ready == 0:
            asyncio.get_running_loop().call_soon(self._settle, turns - 1)
            return
        self._settling = False
        if self._ready == 0:
            self._step()

    def _step(self) -> None:
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
        if not self._waiting:
            return
        earliest = self._waiting[0][0]
        self._move_to(earliest)
        self._present = time.time()
        while self._waiting and self._waiting[0][0] <= earliest:
            future = heapq.heappop(self._waiting)[2]
            if not future.done():
                self._become_ready()
                future.set_result(None)
