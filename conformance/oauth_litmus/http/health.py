"""Whether the target still answers: what to do when it does not, so that a run against a sick server ends."""

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
"""Requests in a row, from whatever checks, that got no answer or a server error: then the server is asked how it is."""
PAUSES = (0.0, 2.0, 4.0)
"""Seconds before each time that it is asked; what restarts in these is waited for."""
ASKED_WITHIN = 20.0
"""Seconds that its answer may take."""
TIMEOUTS = 3
"""Requests in a row to one place that ran into the time-out: each costs the run a minute, so no more are sent there."""


class Health:
    """Counts what the target leaves unanswered, and stops the run when nothing comes back any more."""

    def __init__(self, clock: Clock, ask: Callable[[], Awaitable[bool]]) -> None:
        """`ask` sends a plain request, and tells whether it was answered without a server error."""
        self._clock = clock
        self._ask = ask
        self._failures = 0
        self._timeouts: Counter[str] = Counter()
        self._asking: asyncio.Task[bool] | None = None
        self._given_up: dict[str, str] = {}
        self.stopped = ""
        """Why nothing is sent any more; empty while the run goes on."""
        self.gave_up = asyncio.Event()

    async def admit(self, place: str, *, in_step: bool = False) -> None:
        """Wait while it is being asked how it is; what stands in step with others must not wait.

        Raises:
            Blocked: the run was stopped, or nothing is sent to this place any more.
        """
        if self._asking is not None and not in_step:
            await self._clock.for_result_of(asyncio.shield(self._asking))
        self.see_that_it_lives(place)

    def see_that_it_lives(self, place: str) -> None:
        """Let nobody stand in a queue for nothing.

        Raises:
            Blocked: the run was stopped, or nothing is sent to this place any more.
        """
        if self.stopped:
            raise Blocked(self.stopped)
        if place in self._given_up:
            raise Blocked(self._given_up[place])

    def answered(self, place: str, answer: Answer) -> None:
        """An answer came; one of 500 and above is not taken for a sign of life."""
        self._timeouts[place] = 0
        if answer.status < 500:
            self._failures = 0
        else:
            self._failed(f"{answer.method} was answered {answer.status}")

    def left_unanswered(self, place: str, error: NoAnswerError, *, in_step: bool = False) -> None:
        """No answer came."""
        if error.timed_out and not in_step:
            self._timeouts[place] += 1
            if self._timeouts[place] >= TIMEOUTS:
                self._given_up[place] = (
                    f"{TIMEOUTS} requests in a row to {place} took all the time that an answer may take, so no more are "
                    f"sent there ({error})"
                )
        self._failed(str(error))

    async def is_known(self) -> None:
        """Wait for the answer, where it is being asked how it is."""
        if self._asking is not None:
            await asyncio.wait([self._asking])

    async def close(self) -> None:
        """Ask no more."""
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
                    # An answer to what was under way meanwhile is as good as one to the question.
                    if self._failures < asked_after or await self._ask():
                        self._failures = 0
                        return True
        finally:
            self._asking = None
        self.stopped = (
            f"the run was stopped: {asked_after} requests in a row were not answered, nor were {len(PAUSES)} plain ones "
            f"for the metadata after them (the last of the {asked_after}: {reason})"
        )
        self.gave_up.set()
        return False
