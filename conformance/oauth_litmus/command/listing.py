"""The output of the commands `list` and `explain`."""

from __future__ import annotations

import difflib
import inspect
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from oauth_litmus.check import Check, Need
from oauth_litmus.checks import all_checks
from oauth_litmus.requirements import Requirement, catalogue, categories
from oauth_litmus.run.plan import UnknownSelectionError, named
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

_PACKAGE = Path(__file__).parents[1]


def show_list(names: tuple[str, ...], console: Console | None = None) -> None:
    """Print the checks by category: id, level, title, needs.

    Raises:
        UnknownSelectionError: a name is neither an id, nor a category, nor `core`.
    """
    console = console or Console()
    checks = all_checks()
    wanted = named(checks, names) if names else set(checks)
    shown = [check for check in checks.values() if check.id in wanted]
    for category, members in groupby(shown, key=lambda check: check.category):
        console.print(Text(f"{category} · {categories()[category].title}", "bold underline"))
        console.print(_table(members))
    core = sum(check.requirement.core for check in shown)
    console.print(Text(f"{counted(len(shown), 'check')}, {core} of them core"))


def show_explanation(identifier: str, console: Console | None = None) -> None:
    """Print one requirement and its check in full.

    Raises:
        UnknownSelectionError: there is no such requirement.
    """
    console = console or Console()
    requirement = _by_lower_case_id().get(identifier.lower())
    if requirement is None:
        raise UnknownSelectionError(f"{identifier!r} is not a check{_meant(identifier)}; ids: see `oauth-litmus list`")
    check = all_checks().get(requirement.id)
    console.print(Text(f"{requirement.id} · {requirement.title}", "bold"))
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for label, text in [*_of_requirement(requirement), *(_of_check(check) if check else ())]:
        if text:
            grid.add_row(Text(label), Text(text))
    console.print(Padding(grid, (0, 0, 0, 2)))


def _table(checks: Iterable[Check]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold", ratio=1)
    for check in checks:
        needs = f" ({_needs(check)})" if check.needs else ""
        level = f"{check.requirement.level}" + ("" if check.requirement.core else ", extended")
        table.add_row(Text(f"  {check.id}"), Text(level), Text.assemble(check.requirement.title, (needs, "dim")))
    return table


def _of_requirement(requirement: Requirement) -> list[tuple[str, str]]:
    return [
        ("level", f"{requirement.level}, {'core' if requirement.core else 'extended'}"),
        ("clauses", "; ".join(requirement.clauses)),
        ("statement", requirement.statement),
        ("note", requirement.note),
        ("depends on", ", ".join(requirement.depends_on)),
        ("not checked", requirement.excluded),
    ]


def _of_check(check: Check) -> list[tuple[str, str]]:
    return [
        ("procedure", inspect.cleandoc(check.function.__doc__ or "")),
        ("needs", _needs(check)),
        ("logins", str(check.logins)),
        ("waits", "for a lifetime to expire or a rate-limit window to end (--max-wait)" if check.waits else ""),
        ("category", check.category),
        ("source", f"{_source(check)} {check.name}"),
    ]


def _needs(check: Check) -> str:
    return ", ".join(need.value for need in Need if need in check.needs)


def _meant(identifier: str) -> str:
    known = _by_lower_case_id()
    close = [known[each].id for each in difflib.get_close_matches(identifier.lower(), known, n=3, cutoff=0.6)]
    return f" (did you mean {' or '.join(close)}?)" if close else ""


def _by_lower_case_id() -> dict[str, Requirement]:
    return {identifier.lower(): requirement for identifier, requirement in catalogue().items()}


def _source(check: Check) -> str:
    """The file and line of a check; the path is relative to the package."""
    code = inspect.unwrap(check.function).__code__
    path = Path(code.co_filename)
    shown = path.relative_to(_PACKAGE) if path.is_relative_to(_PACKAGE) else path
    return f"{shown.as_posix()}:{code.co_firstlineno}"
