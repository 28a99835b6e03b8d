"""The catalogue of requirements as data, with one TOML file per category, parsed once."""

import tomllib
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from oauth_litmus.verdict import Level

CATALOGUE_REVISION = "2026-05-04"
"""The revision of the OAuth 2.1 editor's draft whose section numbers the catalogue cites."""


class Requirement(BaseModel):
    """One requirement that a server can meet or violate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[A-Z]+-\d{2}[a-z]?$")]
    title: str
    level: Level
    core: bool = True
    clauses: tuple[str, ...]
    statement: str
    note: str = ""
    """Facts that help to understand a finding, such as the allowed choices that pass."""
    depends_on: tuple[str, ...] = ()
    excluded: str = ""
    """Why the requirement has no check; empty if it has one."""


class Category(BaseModel):
    """One TOML file: its name is the category, and its first keys give the prefixes of ids and the title."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefixes: tuple[str, ...]
    title: str
    requirement: tuple[Requirement, ...]


@cache
def categories() -> dict[str, Category]:
    """Return all categories by name, in alphabetical order of their files.

    Raises:
        pydantic.ValidationError: a file does not match the models above.
    """
    folder = resources.files(__name__)
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".toml")), key=lambda entry: entry.name)
    return {
        entry.name.removesuffix(".toml"): Category.model_validate(tomllib.loads(entry.read_text("utf-8")))
        for entry in files
    }


@cache
def catalogue() -> dict[str, Requirement]:
    """Return all requirements by id.

    Raises:
        ValueError: an id occurs twice, or does not begin with a prefix of its file.
    """
    found: dict[str, Requirement] = {}
    for name, category in categories().items():
        for requirement in category.requirement:
            if requirement.id in found:
                raise ValueError(f"requirements/{name}.toml: {requirement.id} already occurs elsewhere")
            if not requirement.id.startswith(tuple(f"{prefix}-" for prefix in category.prefixes)):
                raise ValueError(
                    f"requirements/{name}.toml: {requirement.id} does not begin with one of {category.prefixes}"
                )
            found[requirement.id] = requirement
    return found


@cache
def category_of(requirement_id: str) -> str:
    """Return the name of the category whose file contains this id.

    Raises:
        KeyError: there is no such requirement.
    """
    for name, category in categories().items():
        if any(requirement.id == requirement_id for requirement in category.requirement):
            return name
    raise KeyError(requirement_id)
