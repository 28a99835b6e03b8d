"""The generated parts of docs/coverage.md: `python -m oauth_litmus.command.coverage_page docs/coverage.md` writes them anew.

Without a file, the command prints them.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from oauth_litmus.requirements import catalogue, categories, category_of

PATH = Path(__file__).with_name("other_suites.toml")
_PART = re.compile(r"(?<=<!-- generated: )([\w ]+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)
_HEAD = "| here | about | OpenID Foundation | MCP conformance | OAuch |\n|---|---|---|---|---|\n"
_LONG_ENOUGH = 3
"""How many numbers in a row are written as a range."""


class Observation(BaseModel):
    """Tests of other suites for some of our requirements: the ids of these tests, as Markdown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    here: tuple[str, ...]
    differs: str = ""
    openid: str = "-"
    mcp: str = "-"
    oauch: str = "-"


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    observation: tuple[Observation, ...]


@cache
def observations() -> tuple[Observation, ...]:
    """All observations of other suites.

    Raises:
        pydantic.ValidationError: the file does not have the shape above.
        ValueError: a requirement is in two observations, or an observation has requirements of two categories.
        KeyError: an observation names a requirement that does not exist.
    """
    found = _File.model_validate(tomllib.loads(PATH.read_text("utf-8"))).observation
    seen: set[str] = set()
    for observation in found:
        if len({category_of(identifier) for identifier in observation.here}) != 1:
            raise ValueError(f"{PATH.name}: {', '.join(observation.here)} are not of one category")
        twice = seen.intersection(observation.here)
        if twice:
            raise ValueError(f"{PATH.name}: {', '.join(twice)} has two observations")
        seen.update(observation.here)
    return found


def table_of(category: str) -> str:
    """Return the table of a category: a row for each observation of another suite."""
    rows = [
        (abbreviated(each.here), _about(each), each.openid, each.mcp, each.oauch)
        for each in observations()
        if category_of(each.here[0]) == category
    ]
    return _HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def found_nowhere_else(category: str) -> list[str]:
    """Return the ids of a category that are checked here and by no other suite."""
    elsewhere = {identifier for observation in observations() for identifier in observation.here}
    return [each.id for each in categories()[category].requirement if each.id not in elsewhere and not each.excluded]


def parts() -> dict[str, Callable[[], str]]:
    """Return the function that makes each generated part, by the category in its marker.

    A category without observations has no part.
    """
    named = {category_of(observation.here[0]) for observation in observations()}
    return {name: lambda name=name: table_of(name) for name in categories() if name in named}


def renewed(page: str) -> str:
    """Return a page with its generated parts written anew, between `<!-- generated: NAME -->` and `<!-- end -->`.

    Raises:
        ValueError: the page does not have each part once.
    """
    made = parts()
    marked = [name for name, _ in _PART.findall(page)]
    wrong = sorted({*made} ^ {*marked}) + sorted({each for each in marked if marked.count(each) > 1})
    if wrong:
        raise ValueError(f"generated parts that are missing, unknown, or there twice: {', '.join(wrong)}")
    return _PART.sub(lambda match: f"{match[1]}{match[2]}{made[match[1]]()}", page)


def abbreviated(identifiers: Collection[str]) -> str:
    """Return ids in short: `PKCE-*` for all of a prefix, `REG-02` for all its parts, `PKCE-01 to PKCE-03` for a range."""
    by_prefix: defaultdict[str, list[str]] = defaultdict(list)
    for identifier in catalogue():
        by_prefix[identifier.partition("-")[0]].append(identifier)
    said: list[str] = []
    for prefix, known in by_prefix.items():
        wanted = [each for each in known if each in identifiers]
        if wanted and len(wanted) == len(known) > 1:
            said.append(f"`{prefix}-*`")
        elif wanted:
            said += _by_number(known, wanted)
    return ", ".join(said)


def _by_number(known: Sequence[str], wanted: Collection[str]) -> Iterator[str]:
    numbers = {number: list(ids) for number, ids in groupby(sorted(known), key=_number)}
    whole = {number for number, ids in numbers.items() if set(ids) <= set(wanted)}
    for is_whole, run in groupby(numbers, key=whole.__contains__):
        members = list(run)
        if is_whole and len(members) >= _LONG_ENOUGH:
            yield f"{members[0]} to {members[-1]}"
        else:
            for number in members:
                yield from _one_number(number, [each for each in numbers[number] if each in wanted], is_whole=is_whole)


def _one_number(number: str, ids: Sequence[str], *, is_whole: bool) -> Sequence[str]:
    # `REG-02` means all its parts only if no requirement has this number alone.
    return [number] if is_whole and number not in ids else ids


def _number(identifier: str) -> str:
    return identifier.rstrip("abcdefghijklmnopqrstuvwxyz")


def _about(observation: Observation) -> str:
    titles = "; ".join(catalogue()[each].title for each in observation.here)
    excluded = "not checked here" if all(catalogue()[each].excluded for each in observation.here) else ""
    remarks = "; ".join(remark for remark in (excluded, observation.differs) if remark)
    return (f"{titles} ({remarks})" if remarks else titles).replace("|", "\\|")


def main(arguments: Sequence[str]) -> None:
    """Write the generated parts of this file anew, or print them."""
    for argument in arguments:
        path = Path(argument)
        path.write_text(renewed(path.read_text("utf-8")), "utf-8")
    if not arguments:
        for name, made in parts().items():
            sys.stdout.write(f"<!-- generated: {name} -->\n{made()}<!-- end -->\n\n")


if __name__ == "__main__":
    main(sys.argv[1:])
