"""Progress of a run: a bar on a terminal, and an occasional plain line elsewhere."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from oauth_litmus.clock import stopwatch
from oauth_litmus.verdict import Verdict
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from oauth_litmus.run.results import Result

_SECONDS_BETWEEN_LINES = 5.0


class Watcher(Protocol):
    """Receives the progress of a run."""

    def begins(self, total: int) -> AbstractContextManager[object]:
        """Return a context for the time in which `total` checks are judged."""
        ...

    def __call__(self, result: Result) -> None:
        """Receive the result of one check."""
        ...


def watcher(console: Console, *, live: bool) -> Watcher:
    """Return a bar if `live` is set and the console is a capable terminal, otherwise a writer of plain lines.

    Set `live` only if nothing else writes to the terminal during the run.
    """
    return _Bar(console) if live and console.is_terminal and not console.is_dumb_terminal else _Lines(console)


class _Tally:
    def __init__(self) -> None:
        self.total = 0
        self.counts: Counter[Verdict] = Counter()

    @property
    def done(self) -> int:
        return self.counts.total()

    @property
    def text(self) -> str:
        return ", ".join(f"{self.counts[verdict]} {verdict}" for verdict in Verdict if self.counts[verdict])


class _Bar:
    def __init__(self, console: Console) -> None:
        self._tally = _Tally()
        columns = (
            BarColumn(24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        )
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("first, an ordinary login", total=None)

    def begins(self, total: int) -> AbstractContextManager[object]:
        self._progress.update(self._task, total=total)
        return self._progress

    def __call__(self, result: Result) -> None:
        self._tally.counts[result.verdict] += 1
        self._progress.update(self._task, completed=self._tally.done, description=self._tally.text)


class _Lines:
    def __init__(self, console: Console, clock: Callable[[], float] = stopwatch) -> None:
        self._console = console
        self._clock = clock
        self._tally = _Tally()
        self._last = clock()

    def begins(self, total: int) -> AbstractContextManager[object]:
        self._tally.total = total
        self._last = self._clock()
        self._say(f"first an ordinary login, then {counted(total, 'check')}")
        return nullcontext()

    def __call__(self, result: Result) -> None:
        self._tally.counts[result.verdict] += 1
        if self._clock() - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = self._clock()
            self._say(f"{self._tally.done} of {counted(self._tally.total, 'check')} done: {self._tally.text}")

    def _say(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)
