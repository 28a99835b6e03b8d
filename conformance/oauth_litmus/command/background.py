"""Run one engine in a background thread, for callers that ask for verdicts one by one."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oauth_litmus.report.building import Circumstances, recorder
from oauth_litmus.run.engine import Engine
from oauth_litmus.run.results import Result, all_dependencies, settled
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from oauth_litmus.check import Check
    from oauth_litmus.report.model import CheckRecord
    from oauth_litmus.run_state.run import Run

_SECONDS_TO_TIDY_UP = 30.0


class JudgingInBackground:
    """Judges in the background; each verdict is available as soon as no other result can change it."""

    def __init__(self, options: Options, checks: Sequence[Check]) -> None:
        self.engine: Engine | None = None
        self._options = options
        self._records: dict[str, Future[CheckRecord]] = {check.id: Future() for check in checks}
        self._awaited = {
            check.id: [other for other in all_dependencies(check) if other in self._records] for check in checks
        }
        self._found: Future[None] = Future()
        self._raw: dict[str, Result] = {}
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._work, name="oauth-litmus", daemon=True)

    def begin(self) -> None:
        """Start, and return when the server is found.

        Raises:
            NoServerError: no server was found; any other error that prevents the run is raised as well.
        """
        self._thread.start()
        self._found.result()

    def of(self, identifier: str) -> CheckRecord:
        """Return the record of one check; wait until it is final."""
        return self._records[identifier].result()

    def known(self) -> list[CheckRecord]:
        """Return the records that are final now."""
        return [future.result() for future in self._records.values() if future.done() and not future.exception()]

    def end(self) -> None:
        """Cancel the remaining checks, and wait until the run has tidied up."""
        # Do not cancel a run that is already tidying up: it would leave connections open.
        if not all(future.done() for future in self._records.values()):
            with suppress(RuntimeError):  # the event loop has already ended
                self._stop()
        self._thread.join(_SECONDS_TO_TIDY_UP)

    def _work(self) -> None:
        try:
            asyncio.run(self._judge())
        except BaseException as error:
            for future in (self._found, *self._records.values()):
                if not future.done():
                    future.set_exception(error)

    async def _judge(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        async with connected(self._options) as run:
            if task is not None:
                self._stop = lambda: loop.call_soon_threadsafe(task.cancel)
            self._found.set_result(None)
            self.engine = await judge(run, self._options.selection, lambda result: self._ended(result, run))

    def _ended(self, result: Result, run: Run) -> None:
        self._raw[result.check.id] = result
        record = recorder(run, Circumstances(self._options.selection, datetime.now(UTC), 0.0), ())
        failed = {identifier for identifier, raw in self._raw.items() if raw.verdict is Verdict.FAIL}
        for identifier, raw in self._raw.items():
            future = self._records[identifier]
            if not future.done() and all(other in self._raw for other in self._awaited[identifier]):
                future.set_result(record(settled(raw, failed)))
