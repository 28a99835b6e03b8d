"""Room for a race: requests that arrive at one moment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oauth_litmus.http.answer import Answer
    from oauth_litmus.limits.rate_queue import Admission, RateQueue

FAILED = (400, 401)
"""Answers of the token endpoint that count as failures. Servers keep a limit of their own for failures."""


class Race:
    """Room for a race. Its answers show how much of the room was used.

    Args:
        racers: how many requests race.
        queue: the queue of their kind.
        admission: the room in that queue.
        failures: the queue of the limit on failures, if there is one.
        failure: the room in that queue.
    """

    def __init__(
        self,
        racers: int,
        queue: RateQueue,
        admission: Admission,
        failures: RateQueue | None,
        failure: Admission | None,
    ) -> None:
        self._racers = racers
        self._queue = queue
        self._admission = admission
        self._failures = failures
        self._failure = failure

    async def begins(self) -> None:
        """Take the room now. If its window has passed during the preparation, wait for new room."""
        self._admission = await self._queue.still_there(self._admission, self._racers) or self._admission
        if self._failures and self._failure:
            self._failure = await self._failures.still_there(self._failure, self._racers)

    def is_over(self, answers: Sequence[Answer]) -> None:
        """Learn from the answers (none if the race did not take place), and give unused room back."""
        refused = [answer for answer in answers if answer.status == 429]
        for answer in refused[:1]:
            self._queue.was_refused(self._admission, answer)
        for answer in refused[1:]:
            self._queue.was_refused(replace(self._admission, alone=False), answer)
        if not refused:
            self._queue.has_passed(self._admission, self._racers)
        if self._failures and self._failure:
            failed = sum(1 for answer in answers if answer.status in FAILED)
            settle_failures(self._failures, self._failure, failed=failed, of=self._racers)


def settle_failures(failures: RateQueue, failure: Admission, *, failed: int, of: int = 1) -> None:
    """Count the requests that failed as of now, and give the room of the others back."""
    failures.give_back(failure, of - failed)
    if failed:
        failures.postponed(failure, failed)
