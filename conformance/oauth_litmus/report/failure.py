"""One red or warned check in words, for the person who must mend the server: the same lines in every form of report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from oauth_litmus.report.printable import printable
from oauth_litmus.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oauth_litmus.report.model import CheckRecord, ExchangeRecord

EXCHANGES_SHOWN = 3
"""Exchanges of one check that are shown in full; the JSON report holds the others."""

Part = Literal["head", "title", "fact", "exchange", "message", "note"]


@dataclass(frozen=True)
class Line:
    """One line of a description. A `fact` has a label."""

    part: Part
    text: str
    label: str = ""


def lines_of(check: CheckRecord, *, exchanges: int | None = EXCHANGES_SHOWN) -> Iterator[Line]:
    """A check in full: id, level, clauses, title; expected, got; the numbered exchanges (None: all of them)."""
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
        yield Line("fact", f"a verdict, since it is required; got {check.verdict}", "expected")
    for exchange in shown:
        yield from exchange_lines(exchange)
    if shown and len(shown) < len(check.exchanges):
        yield Line(
            "note", f"… and {len(check.exchanges) - len(shown)} more exchanges, in the JSON report (--json FILE)"
        )


def exchange_lines(exchange: ExchangeRecord) -> Iterator[Line]:
    """One exchange: what was sent, then what came back."""
    yield Line("exchange", f"exchange {exchange.number}")
    for line in printable(exchange.request).split("\n"):
        yield Line("message", f"> {line}".rstrip())
    for line in printable(exchange.response).split("\n"):
        yield Line("message", f"< {line}".rstrip())


def plain_text(check: CheckRecord) -> str:
    """The description without colours, as pytest and JUnit show it."""
    return "\n".join(_plain(line) for line in lines_of(check))


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
