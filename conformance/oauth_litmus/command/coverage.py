"""How much of the catalogue has checks, and why the rest has none, for `list --coverage`."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from oauth_litmus.checks import all_checks
from oauth_litmus.command.coverage_page import abbreviated, found_nowhere_else
from oauth_litmus.requirements import Requirement, categories


@dataclass(frozen=True)
class Coverage:
    """The requirements of one category, and the ids of all checks."""

    category: str
    requirements: tuple[Requirement, ...]
    checked: frozenset[str]

    @property
    def excluded(self) -> tuple[Requirement, ...]:
        """The requirements that are excluded, each with its reason."""
        return tuple(requirement for requirement in self.requirements if requirement.excluded)

    @property
    def missing(self) -> tuple[Requirement, ...]:
        """The requirements with neither a check nor a reason for its absence, which is a defect of the catalogue."""
        return tuple(each for each in self.requirements if not each.excluded and each.id not in self.checked)

    @property
    def core(self) -> tuple[Requirement, ...]:
        """The core requirements of the category."""
        return tuple(requirement for requirement in self.requirements if requirement.core)


def coverage() -> list[Coverage]:
    """Return the coverage of every category."""
    checked = frozenset(all_checks())
    return [Coverage(name, category.requirement, checked) for name, category in categories().items()]


def show_coverage(console: Console | None = None) -> None:
    """Print the numbers of requirements and checks of each category, and why the other requirements have no check."""
    console = console or Console()
    found = coverage()
    table = Table(box=None, pad_edge=False)
    table.add_column("category")
    for column in ("requirements", "checked", "core", "core checked", "excluded"):
        table.add_column(column, justify="right")
    for each in found:
        table.add_row(Text(each.category), *map(str, _figures(each)))
    totals = [sum(figures) for figures in zip(*map(_figures, found), strict=True)]
    table.add_section()
    table.add_row(Text("all", "bold"), *(Text(str(total), "bold") for total in totals))
    console.print(table)
    reasons = Table.grid(padding=(0, 2))
    reasons.add_column(no_wrap=True)
    reasons.add_column(overflow="fold", ratio=1)
    for each in found:
        for requirement in each.excluded:
            reasons.add_row(
                Text(requirement.id), Text.assemble(requirement.title, (f": {requirement.excluded}", "dim"))
            )
        for requirement in each.missing:
            reasons.add_row(Text(requirement.id), Text("neither checked nor excluded", "red"))
    if reasons.row_count:
        console.print(Text("\nNot checked:"))
        console.print(reasons)
    _show_found_nowhere_else(console)


def _show_found_nowhere_else(console: Console) -> None:
    alone = Table.grid(padding=(0, 2))
    alone.add_column(no_wrap=True)
    alone.add_column(overflow="fold", ratio=1)
    for name in categories():
        ids = found_nowhere_else(name)
        if ids:
            alone.add_row(Text(name), Text(abbreviated(ids).replace("`", ""), "dim"))
    console.print(Text("\nChecked by none of the other suites on the coverage page (docs/coverage.md):"))
    console.print(alone)


def _figures(each: Coverage) -> tuple[int, int, int, int, int]:
    return (
        len(each.requirements),
        sum(requirement.id in each.checked for requirement in each.requirements),
        len(each.core),
        sum(requirement.id in each.checked for requirement in each.core),
        len(each.excluded),
    )
