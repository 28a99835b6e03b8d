"""The catalogue: every requirement as data, a TOML file per category, parsed once."""

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from oauth_litmus.verdict import Level

CATALOGUE_REVISION = "2026-05-04"
"""The revision of the OAuth 2.1 editor's draft whose section numbers the catalogue cites."""


class Requirement(BaseModel):
    """One sentence that a server can keep or break."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Z]+-\d{2}[a-z]?$")]
    title: str
    level: Level
    core: bool = True
    clauses: tuple[str, ...]
    statement: str
    note: str = ""
    """What a reader must know to read a finding rightly: which allowed choices pass."""
    depends_on: tuple[str, ...] = ()
    excluded: str = ""
    """Why there is no check, if there is none."""


class Category(BaseModel):
    """One TOML file: its name is the category, its head says what it is about."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefixes: tuple[str, ...]
    title: str
    requirement: tuple[Requirement, ...]


@cache
def categories() -> dict[str, Category]:
    """All categories by name, in alphabetical order of their files.

    Raises:
        pydantic.ValidationError: a file does not have the shape above.
    """
    folder = resources.files(__name__)
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    return {
        entry.name.removesuffix(".toml"): Category.model_validate(tomllib.loads(entry.read_text("utf-8")))
        for entry in files
    }


@cache
def catalogue() -> dict[str, Requirement]:
    """All requirements by id.

    Raises:
        ValueError: two files claim one id, or an id does not begin with a prefix of its file.
    """
    found: dict[str, Requirement] = {}
    for name, category in categories().items():
        for requirement in category.requirement:
            if requirement.id in found:
                raise ValueError(f"requirements/{name}.toml: {requirement.id} stands in another file already")
            if not requirement.id.startswith(tuple(f"{prefix}-" for prefix in category.prefixes)):
                raise ValueError(
                    f"requirements/{name}.toml: {requirement.id} does not begin with one of {category.prefixes}"
                )
            found[requirement.id] = requirement
    return found


@cache
def category_of(requirement_id: str) -> str:
    """The name of the category whose file holds this id.

    Raises:
        KeyError: no such requirement.
    """
    for name, category in categories().items():
        if any(requirement.id == requirement_id for requirement in category.requirement):
            return name
    raise KeyError(requirement_id)
