"""One engine in a thread of its own, for callers that ask for verdicts one by one."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from oauth_litmus.report.building import Circumstances, recorder
from oauth_litmus.run.engine import Engine, Result, all_dependencies, settled
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from oauth_litmus.check import Check
    from oauth_litmus.report.model import CheckRecord
    from oauth_litmus.run_state.run import Run

_SECONDS_TO_TIDY_UP = 30.0


class JudgingInBackground:
    """Judges while its caller waits for single verdicts; each is there as soon as nothing can change it."""

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
        """Start, and return when the server was found.

        Raises:
            NoServerError: there is none (and whatever else keeps a run from beginning).
        """
        self._thread.start()
        self._found.result()

    def of(self, identifier: str) -> CheckRecord:
        """What is said of one check; waits until that is certain."""
        return self._records[identifier].result()

    def known(self) -> list[CheckRecord]:
        """What is certain now."""
        return [future.result() for future in self._records.values() if future.done() and not future.exception()]

    def end(self) -> None:
        """Cancel what still runs, and wait until the run has tidied up."""
        # What is already tidying up is left to it: cut off there, it would leave connections open.
        if not all(future.done() for future in self._records.values()):
            with suppress(RuntimeError):  # the loop has ended by itself
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
