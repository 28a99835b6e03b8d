"""Run the checks concurrently within the run's limits, burst checks last, and end cleanly when cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import Check, Need
from oauth_litmus.client import Target
from oauth_litmus.clock import stopwatch
from oauth_litmus.http.transcript import PREFLIGHT
from oauth_litmus.run.confirmation import Confirmation, is_doubtful
from oauth_litmus.run.plan import cannot_judge
from oauth_litmus.run.preflight import Readiness, fly
from oauth_litmus.run.results import Result, settled, tells, without_what_others_tell
from oauth_litmus.verdict import (
    Blocked,
    Decision,
    Judgement,
    NotApplicable,
    Skipped,
    Verdict,
    Violation,
    decide,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from oauth_litmus.run_state.run import Run

SLOTS = 24
"""How many checks run at the same time."""
BURSTS_AT_ONCE = 6
"""How many burst checks run at once, each from its own source address.

More would measure how much load the server can take, and not its rate limits.
"""


OnResult = Callable[[Result], None]


class Engine:
    """Runs a list of checks against one server."""

    def __init__(self, run: Run, on_result: OnResult = lambda result: None) -> None:
        self.run = run
        self.readiness = Readiness()
        self.results: dict[str, Result] = {}
        self.interrupted = False
        self.stopped = ""
        self._confirms = False
        """Why the run stopped early; empty if every check finished."""
        self._on_result = on_result
        self._doubtful: list[str] = []
        """The checks whose results are not final, because they are judged once more alone."""

    async def preflight(self) -> Readiness:
        """Perform one ordinary login and record which of its stages work."""
        async with self._until_it_must_end(), self.run.clock.running():
            try:
                self.readiness = await fly(Target(self.run, PREFLIGHT))
            except Exception as error:
                said = f"{type(error).__name__}: {error}"
                self.readiness = Readiness(registration=f"the suite itself failed during an ordinary login ({said})")
        return self.readiness

    async def judge(self, checks: Sequence[Check]) -> list[Result]:
        """Run the checks and return their results in the order given.

        If this is cancelled, `results` holds the results so far.
        """
        runnable: list[Check] = []
        for check in checks:
            reason = cannot_judge(check, self.run, self.readiness)
            if reason is None:
                runnable.append(check)
            else:
                self._finish(Result(check, decide(check.requirement.level, Judgement(), reason)))
        runnable.sort(key=self._begins_before)
        self._confirms = self.run.budget.confirm and len(runnable) > 1
        self.run.ranks.update({check.id: rank for rank, check in enumerate(runnable)})
        try:
            async with self._until_it_must_end():
                await self._all(runnable)
                await self.run.health.is_known()
                await self._confirm()
        finally:
            self._leave_unconfirmed()
            self._keep_one_fault_one_finding()
        self.stopped = self.stopped or self.run.health.stopped
        for check in checks:
            if check.id not in self.results:
                self._finish(Result(check, Decision(Verdict.BLOCKED, self.stopped)))
        return [self.results[check.id] for check in checks]

    def _begins_before(self, check: Check) -> tuple[float, int]:
        """Sort key: checks with the longest wait start first, then checks with races, by the number of their logins.

        A long wait overlaps with the waits that rate limits impose on other checks. The rounds of a race run one after
        the other, each in its own rate-limit window; if races ran last, no other check would use the time between. A
        check that has started goes on before another one starts, so that no code or pending login expires in a queue.
        """
        waits = check.waits(self.run.server) if check.waits else 0.0
        limits = self.run.server.profile.limits
        # Two cases do not go early. With a controlled upstream, a race uses the callback, where logins are scarce, and
        # would delay every check that has started. Without a declared limit, a race would hit an unknown limit while
        # other checks wait for an exact instant.
        early = Need.UPSTREAM_CONTROL not in check.needs and (limits.token_failures or limits.token)
        return -waits, -check.logins if early else 0

    async def _all(self, runnable: Sequence[Check]) -> None:
        async with asyncio.TaskGroup() as group:
            for check in runnable:
                if Need.BURST not in check.needs:
                    group.create_task(self._one(check), name=check.id)
            if self.run.server.separate_sources:
                await asyncio.sleep(0)
                group.create_task(self._bursts(runnable), name="bursts")
        if not self.run.server.separate_sources:
            await self._bursts(runnable)

    @asynccontextmanager
    async def _until_it_must_end(self) -> AsyncGenerator[None]:
        """Cancel the body when the target no longer answers, or when the run reaches its longest duration."""
        task, health = asyncio.current_task(), self.run.health

        async def watch() -> None:
            try:
                async with asyncio.timeout(self.run.time_left):
                    await health.gave_up.wait()
                self.stopped = health.stopped
            except TimeoutError:
                self.stopped = (
                    f"the run was stopped after {self.run.budget.longest:.0f} s: give a longer --max-time, unless the "
                    "server was the cause"
                )
            if task is not None:
                task.cancel()

        watching = asyncio.ensure_future(watch())
        try:
            yield
        except asyncio.CancelledError:
            if not self.stopped or task is None or task.uncancel():
                raise
        finally:
            watching.cancel()

    def interrupt(self, checks: Sequence[Check]) -> None:
        """Give every check without a verdict a SKIP whose reason is the interruption."""
        for check in checks:
            if check.id not in self.results:
                self._finish(
                    Result(check, Decision(Verdict.SKIP, "the run was interrupted before this check had ended"))
                )
        self.interrupted = True

    async def _bursts(self, checks: Sequence[Check]) -> None:
        bursts = [check for check in checks if Need.BURST in check.needs]
        if not self.run.server.separate_sources:
            # With one source address, all bursts and checks share one rate limit, so run the bursts one by one.
            for check in bursts:
                await self._one(check)
            return
        # With separate addresses they share no rate limit; wait only so that they do not slow down other checks.
        await self.run.clock.until_all_wait()
        room = asyncio.Semaphore(BURSTS_AT_ONCE)

        async def one(check: Check) -> None:
            async with room:
                await self._one(check)

        async with asyncio.TaskGroup() as group:
            for check in bursts:
                group.create_task(one(check), name=check.id)

    async def _confirm(self) -> None:
        """Judge every doubtful result once more, while nothing else runs."""

        async def judge(check: Check, run: Run) -> Result:
            alone = await asyncio.create_task(self._judged(check, run), name=check.id)
            if self.stopped:  # the cancellation ended the check only
                raise asyncio.CancelledError
            return alone

        async for result in Confirmation(self.run, judge).confirmed(self.results, list(self._doubtful)):
            self._doubtful.remove(result.check.id)
            self._tell(result)

    def _leave_unconfirmed(self) -> None:
        """Report the results that were not judged once more, because the run ended before."""
        self._confirms = False
        why = self.stopped or "the run was interrupted before this check ran alone"
        for identifier in self._doubtful:
            self._tell(replace(self.results[identifier], unconfirmed=why))
        self._doubtful.clear()

    async def _one(self, check: Check) -> None:
        self._finish(await self._judged(check, self.run))

    async def _judged(self, check: Check, run: Run) -> Result:
        judgement = Judgement()
        expect.judgement.set(judgement)
        ending: BaseException | None = None
        async with run.clock.running():
            started = stopwatch()
            try:
                await check.function(self._target(check, run))
            except Violation as violation:
                ending = violation
                if violation.finding not in judgement.findings:  # it came from a shared step that another check ran
                    judgement.findings.append(violation.finding)
            except (NotApplicable, Skipped, Blocked) as reason:
                ending = reason
            except asyncio.CancelledError:
                if not self.stopped:
                    raise
                ending = Blocked(self.stopped)
            except Exception as error:
                ending = error
        decision = decide(check.requirement.level, judgement, ending, strict=run.strict)
        return Result(check, decision, tuple(judgement.findings), _shown(judgement, ending), stopwatch() - started)

    def _target(self, check: Check, run: Run) -> Target:
        return Target(run, check.id, paced=Need.BURST not in check.needs, holds_grants=check.holds_grants)

    def _finish(self, result: Result) -> None:
        self.results[result.check.id] = result
        if self._confirms and is_doubtful(result, self.run.transcript):
            self._doubtful.append(result.check.id)
        else:
            self._on_result(result)

    def _tell(self, result: Result) -> None:
        self.results[result.check.id] = result
        self._on_result(result)

    def _keep_one_fault_one_finding(self) -> None:
        failed = {identifier for identifier, result in self.results.items() if result.verdict is Verdict.FAIL}
        for identifier, result in self.results.items():
            self.results[identifier] = settled(result, failed)
        tellers = {identifier for identifier, result in self.results.items() if tells(result, identifier)}
        for identifier, result in self.results.items():
            self.results[identifier] = without_what_others_tell(result, tellers, strict=self.run.strict)


def _shown(judgement: Judgement, ending: BaseException | None) -> tuple[int, ...]:
    numbers = [number for finding in judgement.findings for number in finding.exchanges]
    if isinstance(ending, Blocked):
        numbers += ending.exchanges
    return tuple(dict.fromkeys(numbers))
