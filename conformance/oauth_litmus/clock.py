"""The one clock of a run: against a URL it sleeps; in process it is moved when no check can go on by itself."""

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

# Kept inside a tuple: freezegun replaces functions that it finds under module names, and durations of a run are real.
_REAL = (time.perf_counter,)
_SETTLING_TURNS = 8
"""Turns of the event loop in which a result that is on its way reaches whoever waits for it."""


def stopwatch() -> float:
    """Real seconds from an arbitrary origin, even while the clock of the run is frozen."""
    return _REAL[0]()


class Clock(ABC):
    """Time for the engine, the pacer and the checks. Instants are Unix seconds.

    A check runs inside `running()`, which bounds how many do so at once; while it waits for an instant or for another
    check, it gives its place to others.
    """

    def __init__(self, slots: int) -> None:
        self._slots = _Slots(slots)
        self._unpaid = 0
        self._ready = 0
        self._all_wait = asyncio.Event()
        self._all_wait.set()

    def now(self) -> float:
        """The present instant."""
        return time.time()

    @property
    def ready(self) -> int:
        """How many checks can go on by themselves, counting those that wait for a slot."""
        return self._ready

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Hold a slot."""
        self._become_ready()
        try:
            await self._take_slot()
            yield
        finally:
            self._leave()

    async def until(self, instant: float) -> None:
        """Return at that instant, or at once if it is over."""
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
            # Whoever waited for a moment must not stand in a queue when it has come.
            await self._take_slot(first=True)

    async def for_result_of(self, awaitable: Awaitable[T]) -> T:
        """Wait for what another check does; this wait holds up neither a slot nor the clock."""
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
        """Return when no check can go on by itself: all have ended, or wait for an instant."""
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
        # A check that fails or is cancelled while it has no slot goes to its end without one, and has none to give back.
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
        """Something that is done at that instant."""

    @abstractmethod
    def _back_from(self, waiting: Awaitable[None]) -> None:
        """A check that waited for an instant goes on, or was cancelled while it waited."""

    @abstractmethod
    def _left(self) -> None:
        """A check stopped being ready."""


class _Slots:
    """A semaphore with two queues, of which one goes first."""

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
            if not given.cancelled():  # it was given while its taker was being cancelled
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
    """Real time: all waits overlap, so that a run takes about as long as its longest wait."""

    def _instant(self, instant: float) -> Awaitable[None]:
        return asyncio.sleep(max(0.0, instant - self.now()))

    def _back_from(self, waiting: Awaitable[None]) -> None:
        self._become_ready()

    def _left(self) -> None:
        """Real time needs no push."""


class SteppedClock(Clock):
    """A frozen clock, moved to the earliest instant asked for when no check is ready. Nothing else moves it."""

    def __init__(self, slots: int, move_to: Callable[[float], None]) -> None:
        super().__init__(slots)
        self._move_to = move_to
        self._present = time.time()
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._tickets = 0
        self._settling = False

    def now(self) -> float:
        """The instant to which the clock was moved last."""
        return self._present

    def _instant(self, instant: float) -> Awaitable[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tickets += 1
        heapq.heappush(self._waiting, (instant, self._tickets, future))
        return future

    def _back_from(self, waiting: Awaitable[None]) -> None:
        # What `_step` woke is counted before the check itself runs, or the clock could move on in between.
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
