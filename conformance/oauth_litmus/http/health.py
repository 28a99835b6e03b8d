"""Detect a target that no longer answers, and stop the run."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.clock import Clock
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.wire import NoAnswerError

DOUBTFUL = 3
"""After this many requests in a row, of any checks, without an answer or with a server error, the suite probes the server."""
PAUSES = (0.0, 2.0, 4.0)
"""Seconds to pause before each health probe; a server that restarts within that time is waited for."""
ASKED_WITHIN = 20.0
"""Seconds that the answer to a health probe may take."""
TIMEOUTS = 3
"""After this many time-outs in a row at one place, no more requests are sent there: each costs the run a minute."""


class Health:
    """Counts failed requests, and stops the run when the target no longer answers."""

    def __init__(self, clock: Clock, ask: Callable[[], Awaitable[bool]]) -> None:
        """Take `ask`, which sends a plain request and returns whether it was answered without a server error."""
        self._clock = clock
        self._ask = ask
        self._failures = 0
        self._timeouts: Counter[str] = Counter()
        self._asking: asyncio.Task[bool] | None = None
        self._given_up: dict[str, str] = {}
        self.stopped = ""
        """Why the run was stopped; empty while it goes on."""
        self.gave_up = asyncio.Event()

    async def admit(self, place: str, *, in_step: bool = False) -> None:
        """Wait while a health probe runs, except for a request that must be sent together with others (`in_step`).

        Raises:
            Blocked: the run was stopped, or no more requests are sent to this place.
        """
        if self._asking is not None and not in_step:
            await self._clock.for_result_of(asyncio.shield(self._asking))
        self.see_that_it_lives(place)

    def see_that_it_lives(self, place: str) -> None:
        """Fail at once, before a request waits in a queue, if it could not be sent afterwards.

        Raises:
            Blocked: the run was stopped, or no more requests are sent to this place.
        """
        if self.stopped:
            raise Blocked(self.stopped)
        if place in self._given_up:
            raise Blocked(self._given_up[place])

    def answered(self, place: str, answer: Answer) -> None:
        """Record an answer; a status of 500 or above counts as a failure."""
        self._timeouts[place] = 0
        if answer.status < 500:
            self._failures = 0
        else:
            self._failed(f"{answer.method} was answered {answer.status}")

    def left_unanswered(self, place: str, error: NoAnswerError, *, in_step: bool = False) -> None:
        """Record a request without an answer."""
        if error.timed_out and not in_step:
            self._timeouts[place] += 1
            if self._timeouts[place] >= TIMEOUTS:
                self._given_up[place] = (
                    f"{TIMEOUTS} requests in a row to {place} timed out, so no more are sent there ({error})"
                )
        self._failed(str(error))

    async def is_known(self) -> None:
        """Wait for the result of a running health probe."""
        if self._asking is not None:
            await asyncio.wait([self._asking])

    async def close(self) -> None:
        """Cancel a running health probe."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    def _failed(self, reason: str) -> None:
        self._failures += 1
        if self._failures >= DOUBTFUL and self._asking is None and not self.stopped:
            self._asking = asyncio.ensure_future(self._lives(reason))

    async def _lives(self, reason: str) -> bool:
        asked_after = self._failures
        try:
            async with self._clock.running():
                for pause in PAUSES:
                    await self._clock.until(self._clock.now() + pause)
                    # An answer to another request meanwhile is as good as one to the health probe.
                    if self._failures < asked_after or await self._ask():
                        self._failures = 0
                        return True
        finally:
            self._asking = None
        self.stopped = (
            f"the run was stopped: {asked_after} requests in a row failed, and so did {len(PAUSES)} plain requests "
            f"for the metadata after them (the last of the {asked_after}: {reason})"
        )
        self.gave_up.set()
        return False
