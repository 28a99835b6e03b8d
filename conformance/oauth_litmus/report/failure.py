"""The description of one failed or warned check, for the person who fixes the server.

Every report format shows the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from oauth_litmus.report.printable import printable
from oauth_litmus.verdict import Verdict
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauth_litmus.report.model import CheckRecord, ExchangeRecord

EXCHANGES_SHOWN = 3
"""How many exchanges of one check are shown; the JSON report holds all of them."""

Part = Literal["head", "title", "fact", "exchange", "message", "note"]


@dataclass(frozen=True)
class Line:
    """One line of a description; only a `fact` has a label."""

    part: Part
    text: str
    label: str = ""


def lines_of(check: CheckRecord, *, exchanges: int | None = EXCHANGES_SHOWN) -> Iterator[Line]:
    """Yield the full description of a check: id, level, clauses, title, findings, and the first exchanges (None: all)."""
    yield Line("head", f"{check.id} · {check.level} · {', '.join(check.clauses)}")
    yield Line("title", check.title)
    shown = check.exchanges[:exchanges]
    in_sight = {exchange.number for exchange in shown}
    for finding in check.findings:
        yield Line("fact", printable(finding.expected), "expected")
        yield Line("fact", printable(finding.got), "got")
        if not in_sight.issuperset(finding.exchanges):
            yield Line("fact", ", ".join(str(number) for number in finding.exchanges), "exchange")
    if not check.findings or check.verdict in (Verdict.BLOCKED, Verdict.ERROR):
        yield Line("fact", printable(check.reason), "reason")
    if check.required and check.verdict in (Verdict.SKIP, Verdict.NOT_APPLICABLE):
        yield Line("fact", f"a verdict, because --require names this check; got {check.verdict}", "expected")
    if check.unconfirmed:
        yield Line("fact", f"not judged once more alone, because {printable(check.unconfirmed)}", "doubtful")
    for exchange in shown:
        yield from exchange_lines(exchange)
    if shown and len(shown) < len(check.exchanges):
        rest = counted(len(check.exchanges) - len(shown), "more exchange")
        yield Line("note", f"… and {rest}, in the JSON report (--json FILE)")


def lines_under_load(check: CheckRecord) -> Iterator[Line]:
    """Yield the result that a check had only among other checks, beside the result of the check alone."""
    seen = check.seen_under_load
    if seen is None:
        return
    yield Line("head", f"{check.id} · {check.title}")
    alone = f": {printable(check.reason)}" if check.reason else ""
    yield Line("fact", f"{check.verdict}{alone}", "alone")
    yield Line("fact", f"{seen.verdict}: {printable(seen.reason)}", "crowded")
    for exchange in (*seen.exchanges[-1:], *check.exchanges[-1:]):
        yield from exchange_lines(exchange)


def exchange_lines(exchange: ExchangeRecord) -> Iterator[Line]:
    """Yield one exchange: the request, then the answer."""
    yield Line("exchange", f"exchange {exchange.number}")
    for line in printable(exchange.request).split("\n"):
        yield Line("message", f"> {line}".rstrip())
    for line in printable(exchange.response).split("\n"):
        yield Line("message", f"< {line}".rstrip())


def plain_text(check: CheckRecord) -> str:
    """Return the description as plain text, for pytest and JUnit."""
    return "\n".join(_plain(line) for line in lines_of(check))


def plain_text_under_load(check: CheckRecord) -> str:
    """Return the result that a check had only among other checks as plain text, for JUnit."""
    return "\n".join(["Seen only while other checks ran (no violation)", *map(_plain, lines_under_load(check))])


def _plain(line: Line) -> str:
    match line.part:
        case "head" | "title":
            return line.text
        case "fact":
            return f"  {line.label:<9} {line.text}"
        case "exchange" | "note":
            return f"  {line.text}"
        case "message":
            return f"    {line.text}"
