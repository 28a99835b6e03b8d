"""The page of all verbs: `python -m oauth_litmus.client.listing > docs/verbs.md` writes it anew from the docstrings."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

from oauth_litmus.client import target
from oauth_litmus.client.run_view import RunView
from oauth_litmus.client.session import Session
from oauth_litmus.client.target import Target

_HEAD = """\
# Verbs

After reading this page you know every verb and every property of `target`, the client that a check gets.
[Writing a check](writing-a-check.md) shows how a check uses them.

Arguments that can be left out are shown as `…`. The docstring of a verb describes them, and the errors that it raises.

This page is generated from the docstrings. After a change, run `python -m oauth_litmus.client.listing > docs/verbs.md`.
"""


def verbs_page() -> str:
    """Return the page, in Markdown: a table for the session itself, and one for each group of verbs."""
    groups = groups_of_verbs()
    own = [*_members(RunView), *_members(Session), *(each for each in _members(Target) if each[0] not in groups)]
    sections = [_section("target", "Properties, time, and requests of every kind.", own)]
    sections += [
        _section(f"target.{name}", _summary(getattr(Target, name)), _members(group)) for name, group in groups.items()
    ]
    return "\n".join((_HEAD, *sections))


def groups_of_verbs() -> dict[str, type]:
    """Return the groups of verbs by the name of their property, in the order of `Target`."""
    found: dict[str, type] = {}
    for name, member in _members(Target):
        if isinstance(member, property):
            group = getattr(target, member.fget.__annotations__["return"], None)
            if isinstance(group, type):
                found[name] = group
    return found


def _section(prefix: str, summary: str, members: list[tuple[str, object]]) -> str:
    rows = [f"| `{_call(f'{prefix}.{name}', member)}` | {_summary(member)} |" for name, member in members]
    return "\n".join((f"## `{prefix}`\n\n{summary}\n", "| verb | what it does |", "|---|---|", *rows, ""))


def _members(owner: type) -> list[tuple[str, object]]:
    return [
        (name, member)
        for name, member in vars(owner).items()
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
    ]


def _summary(member: object) -> str:
    first, _, _ = (inspect.getdoc(member) or "").partition("\n\n")
    return " ".join(first.split()).replace("|", "\\|")


def _call(name: str, member: object) -> str:
    if not inspect.isfunction(member):
        return name
    call = f"{name}({', '.join(_arguments(inspect.signature(member)))})"
    if inspect.iscoroutinefunction(member):
        return f"await {call}"
    return f"async with {call}" if inspect.isasyncgenfunction(inspect.unwrap(member)) else call


def _arguments(signature: inspect.Signature) -> Iterator[str]:
    parameters = list(signature.parameters.values())[1:]
    required = [each for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]
    for each in required:
        star = "*" if each.kind is each.VAR_POSITIONAL else ""
        yield f"{star}{each.name}=…" if each.kind is each.KEYWORD_ONLY else f"{star}{each.name}"
    if len(required) < len(parameters):
        yield "…"


if __name__ == "__main__":
    sys.stdout.write(verbs_page())
