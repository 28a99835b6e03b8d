"""The report for a terminal: verdicts by category, failures in full, checks that were not judged, and the counts."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import chop_cells
from rich.text import Text

from oauth_litmus.report.failure import EXCHANGES_SHOWN, Line, exchange_lines, lines_of, lines_under_load
from oauth_litmus.report.printable import printable
from oauth_litmus.report.waivers import block_to_paste
from oauth_litmus.requirements import categories
from oauth_litmus.verdict import Verdict
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from oauth_litmus.report.model import CheckRecord, ExchangeRecord, Report

STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.WARN: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.SKIP: "cyan",
    Verdict.BLOCKED: "magenta",
    Verdict.ERROR: "bold white on red",
}
_UNJUDGED = (Verdict.BLOCKED, Verdict.SKIP, Verdict.NOT_APPLICABLE)
_PART_STYLES = {"head": "bold", "title": "", "exchange": "bold", "note": "dim"}
_MESSAGE_INDENT = 6
_NAMED = 5
"""How many clients, or red checks, a list names before it says `and N more`."""


def show(report: Report, console: Console, *, every_exchange: bool = False) -> None:
    """Print a report; with `every_exchange`, print all exchanges that it holds.

    The last line says how many core checks were not judged.
    """
    for category, checks in groupby(report.checks, key=lambda check: check.category):
        _category(category, checks, console)
    _preflight(report, console)
    failing = [check for check in report.checks if _is_shown_in_full(check)]
    if failing:
        _heading("What is broken", console)
        for check in failing:
            _in_full(check, console, exchanges=None if every_exchange else EXCHANGES_SHOWN)
    if every_exchange:
        _exchanges([check for check in report.checks if check not in failing], console)
    _seen_under_load([check for check in report.checks if check.seen_under_load is not None], console)
    _warnings([check for check in report.checks if check.verdict is Verdict.WARN], console)
    _not_judged(report, console)
    _waivers(report, console)
    _summary(report, console)


def _is_shown_in_full(check: CheckRecord) -> bool:
    # BLOCKED checks are listed with the checks that were not judged, grouped by reason.
    return check.verdict in (Verdict.FAIL, Verdict.ERROR) or (check.verdict is Verdict.WARN and check.red)


def _category(category: str, checks: Iterable[CheckRecord], console: Console) -> None:
    _heading(f"{category} · {categories()[category].title}", console)
    for check in checks:
        title = Text(check.title)
        if check.waived is not None:
            title.append(f" (waived: {printable(check.waived)})", "dim")
        style = "dim" if check.waived is not None else STYLES[check.verdict]
        _hanging(Text.assemble((f"  {check.verdict:<8}", style), f"{check.id:<12}"), title, console)


def _preflight(report: Report, console: Console) -> None:
    if not report.preflight.diagnosis:
        return
    _heading("Preflight", console)
    _fact(Text(printable(report.preflight.diagnosis), "bold red"), "", console)
    for exchange in report.preflight.exchanges[-1:]:
        _exchange(exchange, console)


def _exchanges(checks: Iterable[CheckRecord], console: Console) -> None:
    for check in checks:
        if check.exchanges:
            _heading(f"Exchanges of {check.id}", console)
            for exchange in check.exchanges:
                _exchange(exchange, console)


def _in_full(check: CheckRecord, console: Console, *, exchanges: int | None) -> None:
    for number, line in enumerate(lines_of(check, exchanges=exchanges)):
        if number == 0:
            waived = " (waived)" if check.waived is not None else ""
            console.print(Text.assemble((f"{check.verdict}{waived}", STYLES[check.verdict]), " ", (line.text, "bold")))
        else:
            _line(line, console)
    console.print()


def _warnings(checks: list[CheckRecord], console: Console) -> None:
    if not checks:
        return
    _heading("What could be better", console)
    for check in checks:
        console.print(
            Text.assemble(
                ("WARN", STYLES[Verdict.WARN]),
                " ",
                (f"{check.id} · {check.level} · {', '.join(check.clauses)}", "bold"),
            )
        )
        for line in lines_of(check, exchanges=0):
            if line.part == "fact":
                _line(line, console)


def _seen_under_load(checks: list[CheckRecord], console: Console) -> None:
    if not checks:
        return
    _heading("Seen only while other checks ran (no violations)", console)
    sentence = "Each of these checks ran once more alone. Its verdict is the one that it had alone. The other answer may come of load."
    _hanging(Text(""), Text(sentence, "dim"), console)
    for check in checks:
        for line in lines_under_load(check):
            _line(line, console)


def _not_judged(report: Report, console: Console) -> None:
    grouped: defaultdict[tuple[Verdict, str], list[CheckRecord]] = defaultdict(list)
    for check in report.checks:
        if check.verdict in _UNJUDGED:
            grouped[check.verdict, check.reason].append(check)
    if not grouped:
        return
    _heading("What was not judged, and why", console)
    for (verdict, reason), checks in sorted(grouped.items(), key=lambda item: _UNJUDGED.index(item[0][0])):
        identifiers = ", ".join(check.id + ("!" if check.required else "") for check in checks)
        _fact(Text(printable(reason)), str(verdict), console, style=STYLES[verdict])
        _fact(Text(identifiers, "dim"), "", console)
        if verdict is Verdict.BLOCKED and not report.preflight.diagnosis:
            for exchange in checks[0].exchanges[-1:]:
                _exchange(exchange, console)
    if any(check.required and check.red for check in report.checks):
        _fact(Text("! marks a check that --require demands a verdict for", "red"), "", console)


def _waivers(report: Report, console: Console) -> None:
    if report.waivers:
        _heading("Waivers", console)
        for waiver in report.waivers:
            style = "red" if waiver.state.fails_the_run else ""
            _fact(Text(printable(waiver.sentence), style), waiver.state.upper(), console, style=style)
    failing = [(check.id, check.title) for check in report.red if check.verdict is Verdict.FAIL]
    if failing:
        _heading("To accept these failures for a time, write reasons and pass the file as --waivers FILE", console)
        block = block_to_paste(failing, datetime.now(UTC).date())
        console.print(Text(block.rstrip(), "dim"), soft_wrap=True)


def _summary(report: Report, console: Console) -> None:
    console.print()
    if report.interrupted:
        console.print(Text("Interrupted: the report is partial.", "bold red"))
    if report.stopped:
        _hanging(Text("Stopped: ", "bold red"), Text(printable(report.stopped), "bold red"), console)
    if not report.settings.confirm:
        console.print(Text("Red results were not judged once more alone (--no-confirm): some may come of load."))
    _left_behind(report, console)
    counts = " + ".join(f"{count} {verdict}" for verdict, count in report.counts.items())
    waived = f" ({report.waived} waived)" if report.waived else ""
    console.print(Text(f"{counted(report.selected, 'check')} = {counts}{waived}", "bold"))
    authorizations, registrations = report.spent["authorize"], report.registered
    amounts = {"request": report.requests, "authorization": authorizations, "registration": registrations}
    spent = ", ".join(counted(count, thing) for thing, count in amounts.items())
    if report.learnt_limits:
        learnt = ", ".join(f"{kind}={rate}" for kind, rate in report.learnt_limits.items())
        sentence = (
            f"Limits learnt from 429s: {learnt}. Declare them in the profile, as [limits], to avoid the refusals."
        )
        console.print(Text(printable(sentence)))
    console.print(Text(f"{report.duration:.1f} s, {spent}, run {report.run_id}", "dim"))
    _result(report, console)
    console.print(_core_line(report))


def _left_behind(report: Report, console: Console) -> None:
    if not report.left_behind:
        return
    named = ", ".join(report.left_behind[:_NAMED])
    more = f" and {len(report.left_behind) - _NAMED} more" if len(report.left_behind) > _NAMED else ""
    clients = counted(len(report.left_behind), "client")
    sentence = f"Left behind at the server: {clients} named `oauth-litmus {report.run_id}` ({named}{more})"
    _hanging(Text(""), Text(printable(sentence), "dim"), console)


def _result(report: Report, console: Console) -> None:
    own = [check for check in report.red if check.blocked_by is None]
    red = [f"{check.id} {check.verdict}" for check in own[:_NAMED]]
    if len(own) > _NAMED:
        red.append(f"{len(own) - _NAMED} more")
    if len(report.red) > len(own):
        red.append(f"{len(report.red) - len(own)} blocked by them")
    red += [f"{waiver.state} waiver of {waiver.id}" for waiver in report.bad_waivers]
    if red:
        _hanging(Text("Red: ", "bold red"), Text(", ".join(red), "bold red"), console)
    elif not any(check.verdict.was_judged for check in report.checks):
        console.print(Text("Nothing was judged.", "bold red"))
    else:
        console.print(Text("Nothing is red.", "bold green"))


def _core_line(report: Report) -> Text:
    core = report.core
    if not core.not_judged:
        return Text(f"All {core.total} core checks were judged.", "green")
    unasked = f" ({core.not_selected} of them not selected)" if core.not_selected else ""
    verb = "was" if core.not_judged == 1 else "were"
    return Text(f"{core.not_judged} of {core.total} core checks {verb} not judged{unasked}.", "yellow")


def _heading(text: str, console: Console) -> None:
    console.print()
    console.print(Text(text, "bold underline"))


def _exchange(exchange: ExchangeRecord, console: Console) -> None:
    for line in exchange_lines(exchange):
        _line(line, console)


def _line(line: Line, console: Console) -> None:
    match line.part:
        case "fact":
            _fact(Text(line.text), line.label, console)
        case "message":
            _message(line.text, console)
        case _:
            _hanging(Text("    "), Text(line.text, _PART_STYLES[line.part]), console)


def _fact(text: Text, label: str, console: Console, *, style: str = "") -> None:
    _hanging(Text(f"    {label:<9}", style), text, console)


def _message(text: str, console: Console) -> None:
    # Do not wrap in a file or a pipe, so that long lines can be searched and copied.
    room = max(20, console.width - _MESSAGE_INDENT) if console.is_terminal else max(1, len(text))
    for piece in chop_cells(text, room) or [""]:
        console.print(Text(" " * _MESSAGE_INDENT + piece, "dim"), soft_wrap=True)


def _hanging(first: Text, text: Text, console: Console) -> None:
    indent = first.cell_len
    for number, line in enumerate(text.wrap(console, max(20, console.width - indent), overflow="fold")):
        line.rstrip()
        console.print(Text.assemble(first if number == 0 else " " * indent, line), soft_wrap=True)
