"""Let the login driver perform a leg that the walk cannot perform, and record the leg as one redirect."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx

from oauth_litmus.http.answer import Answer
from oauth_litmus.login.leg import Carrier, Leg, Step

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from oauth_litmus.oauth.attempt import Attempt
    from oauth_litmus.run_state.run import Run


@asynccontextmanager
async def in_turn(run: Run) -> AsyncGenerator[None]:
    """Wait until the driver can take another login, and reserve the driver for the body."""
    if not isinstance(run.driver, Carrier):
        yield
        return
    turn = run.driver.turn()
    await run.clock.for_result_of(turn.__aenter__())
    try:
        yield
    finally:
        await turn.__aexit__(None, None, None)


def carrying(run: Run, check: str, attempt: Attempt) -> Callable[[Leg], Awaitable[Step | None]] | None:
    """Return a function by which the run's driver performs a leg of this attempt; None if the driver cannot do that."""
    driver = run.driver
    if not isinstance(driver, Carrier):
        return None

    async def carry(leg: Leg) -> Step | None:
        number, sent_at = run.transcript.next_number(), run.clock.now()
        onwards = await run.clock.for_result_of(driver.carry(leg))
        request = httpx.Request("GET", leg.step.url)
        if onwards is None:
            run.transcript.record(number, check, request, b"", leg.trail.stuck or "the login driver cannot continue")
            return None
        response = httpx.Response(302, headers={"location": onwards.url})
        run.transcript.record(number, check, request, b"", response)
        now = run.clock.now()
        attempt.answers.append(Answer(number, "GET", leg.step.url, 302, response.headers, b"", sent_at, now))
        return onwards

    return carry
