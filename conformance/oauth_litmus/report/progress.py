"""What a run shows while it works: a bar on a terminal, and now and then a plain line elsewhere."""

from __future__ import annotations

from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from oauth_litmus.clock import stopwatch
from oauth_litmus.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from oauth_litmus.run.engine import Result

_SECONDS_BETWEEN_LINES = 5.0


class Watcher(Protocol):
    """Is told of a run as it goes."""

    def begins(self, total: int) -> AbstractContextManager[object]:
        """So many checks are about to be judged; the context lasts as long as that takes."""
        ...

    def __call__(self, result: Result) -> None:
        """One check has ended."""
        ...


def watcher(console: Console, *, live: bool) -> Watcher:
    """The fitting way to show progress: a bar only where a person looks, and nothing else writes."""
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
        columns = (BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
        self._progress = Progress(*columns, console=console, transient=True)
        self._task = self._progress.add_task("an ordinary login comes first", total=None)

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
        self._say(f"{total} checks, after an ordinary login")
        return nullcontext()

    def __call__(self, result: Result) -> None:
        self._tally.counts[result.verdict] += 1
        if self._clock() - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = self._clock()
            self._say(f"{self._tally.done} of {self._tally.total} checks have ended: {self._tally.text}")

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
