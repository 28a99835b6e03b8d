"""One run from the user's options to an exit status: check the options, judge, and write every report."""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from oauth_litmus.checks import all_checks
from oauth_litmus.clock import stopwatch
from oauth_litmus.command.dry_run import asked_of_a_person, plan_lines, plan_of
from oauth_litmus.report.building import Circumstances, build_report
from oauth_litmus.report.json_report import UnwritableReportError, ensure_writable, json_text, write_report
from oauth_litmus.report.junit import junit_text
from oauth_litmus.report.model import ExitStatus
from oauth_litmus.report.printable import printable
from oauth_litmus.report.progress import watcher
from oauth_litmus.report.terminal import show
from oauth_litmus.report.waivers import WaiverError, load_waivers
from oauth_litmus.run.plan import UnknownSelectionError, announcement_of_bursts, named
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.target.discovery import NoServerError
from oauth_litmus.target.profile import ProfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

    from oauth_litmus.check import Check
    from oauth_litmus.report.model import Report
    from oauth_litmus.run_state.run import Run

WRONG_USAGE = (NoServerError, ProfileError, UnknownSelectionError, UnwritableReportError, WaiverError)
"""Errors that the user can fix; only the message is shown, without a traceback."""


@dataclass(frozen=True)
class OutputOptions:
    """How the results are shown, written and weighed."""

    json: Path | None = None
    junit: Path | None = None
    show_exchanges: bool = False
    waivers: Path | None = None
    require: tuple[str, ...] = ()
    dry_run: bool = False

    def files(self) -> list[tuple[Path, Callable[[Report], str]]]:
        """The report files to write, each with the function that makes its text."""
        wanted = ((self.json, json_text), (self.junit, junit_text))
        return [(path, form) for path, form in wanted if path is not None]


@dataclass
class _Conduct:
    """One run in progress; it keeps the state that the message after an interruption needs."""

    options: Options
    output: OutputOptions
    console: Console
    progress: Console
    run: Run | None = None
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    stopwatch_at_start: float = field(default_factory=stopwatch)

    async def report(self) -> Report | None:
        """Judge the server and build the report; return None for a dry run, which has no results."""
        selection = self.options.selection
        checks = selection.checks()
        required = frozenset(named(all_checks(), self.output.require))
        waivers = load_waivers(self.output.waivers) if self.output.waivers else ()
        with _sigterm_cancels():
            async with connected(self.options) as self.run:
                if self.output.dry_run:
                    for line in plan_lines(plan_of(checks, self.run), self.run):
                        self.console.print(Text(printable(line)), soft_wrap=True)
                    return None
                self._announce(self.run, checks)
                watching = watcher(self.progress, live=not self.run.by_hand)
                with watching.begins(len(checks)):
                    engine = await judge(self.run, selection, watching)
                duration = stopwatch() - self.stopwatch_at_start
                circumstances = Circumstances(
                    selection,
                    self.started,
                    duration,
                    waivers,
                    self.output.require,
                    required,
                    show_exchanges=self.output.show_exchanges,
                )
                return build_report(engine, circumstances)

    def _announce(self, run: Run, checks: Sequence[Check]) -> None:
        found = run.server.discovered
        lines = [f"issuer {found.issuer}, metadata at {found.metadata_url}"]
        if run.server.resource:
            lines.append(f"protected resource {run.server.resource}")
        bursts = announcement_of_bursts(checks, run)
        if bursts:
            lines.append(bursts)
        for line in [*lines, *asked_of_a_person(checks, run)]:
            self.progress.print(Text(printable(line), "dim"), soft_wrap=True)


def run_and_report(options: Options, output: OutputOptions | None = None) -> int:
    """Judge a server, write the reports, and return the exit status; report wrong usage without a traceback."""
    output = output or OutputOptions()
    conduct = _Conduct(options, output, Console(), Console(stderr=True))
    try:
        for path, _ in output.files():
            ensure_writable(path)
        report = asyncio.run(conduct.report())
        if report is None:
            return ExitStatus.NOTHING_RED
        for path, form in output.files():
            write_report(path, form(report))
        show(report, conduct.console, every_exchange=output.show_exchanges)
    except WRONG_USAGE as error:
        complain(str(error))
        return ExitStatus.USAGE
    except (KeyboardInterrupt, asyncio.CancelledError):
        complain(_cut_off(conduct.run))
        return ExitStatus.INTERRUPTED
    return report.exit_status


def complain(sentence: str) -> None:
    """Write an error message for the user to stderr."""
    sys.stderr.write(f"oauth-litmus: {printable(sentence)}\n")


def _cut_off(run: Run | None) -> str:
    registered = [client.client_id for client in run.clients.entries] if run else []
    left = f"; left behind at the server: {', '.join(registered)}" if registered else ""
    return f"interrupted before there was anything to report{left}"


@contextmanager
def _sigterm_cancels() -> Generator[None]:
    """Make SIGTERM end the run as Ctrl-C does, if this thread may install signal handlers."""
    task = asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread() or sys.platform == "win32":
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
