"""Waivers: the known gaps of a target, each with a reason and an end; what is out of date fails the run."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from oauth_litmus.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

DAYS_PROPOSED = 90
"""How long a waiver lasts that a failing run proposes."""


class WaiverError(Exception):
    """A waivers file that cannot be used; the message names the entry, and what is allowed."""


class Waiver(BaseModel):
    """One gap that is known and accepted until a day."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    id: str
    reason: Annotated[str, Field(min_length=1)]
    until: date
    """The last day on which it holds."""


class State(StrEnum):
    """What has become of a waiver in one run."""

    APPLIED = "applied"
    NOT_TESTED = "not tested"
    """Its check was not judged in this run, so nothing can be said."""
    STALE = "stale"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def fails_the_run(self) -> bool:
        """Whether the file must be mended."""
        return self in (State.STALE, State.EXPIRED, State.UNKNOWN)


@dataclass(frozen=True)
class WaiverOutcome:
    """One waiver after a run."""

    waiver: Waiver
    state: State

    @property
    def sentence(self) -> str:
        """What is to be done about it."""
        match self.state:
            case State.APPLIED:
                return f"{self.waiver.id} is waived until {self.waiver.until}: {self.waiver.reason}"
            case State.NOT_TESTED:
                return f"the waiver of {self.waiver.id} was not tested: its check was not judged in this run"
            case State.STALE:
                return f"the waiver of {self.waiver.id} is stale: its check no longer fails, so take the waiver out"
            case State.EXPIRED:
                return (
                    f"the waiver of {self.waiver.id} expired on {self.waiver.until}: mend the server, or decide again"
                )
            case State.UNKNOWN:
                return f"the waiver of {self.waiver.id} is unknown: there is no such check (see `oauth-litmus list`)"


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read a waivers file.

    Raises:
        WaiverError: it cannot be read, is no TOML, holds an unknown or missing key, or names a check twice.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WaiverError(f"cannot read the waivers {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise WaiverError(f"{path} is no TOML: {error}") from error
    try:
        waivers = _File.model_validate(data).waiver
    except ValidationError as error:
        raise WaiverError("\n".join(f"{path}: {line}" for line in _sentences(error))) from error
    twice = [identifier for identifier, count in Counter(waiver.id for waiver in waivers).items() if count > 1]
    if twice:
        raise WaiverError(f"{path}: {', '.join(twice)} is waived twice")
    return waivers


def judge_waivers(
    waivers: Iterable[Waiver], verdicts: Mapping[str, Verdict], known: Collection[str], today: date
) -> tuple[WaiverOutcome, ...]:
    """What has become of each waiver.

    Args:
        waivers: of the file.
        verdicts: of the checks that this run selected.
        known: the ids of all checks that there are.
        today: a waiver holds through the day that it names.
    """
    return tuple(WaiverOutcome(waiver, _state(waiver, verdicts.get(waiver.id), known, today)) for waiver in waivers)


def block_to_paste(failing: Iterable[tuple[str, str]], today: date) -> str:
    """The TOML that would waive these checks, given by id and title; the reasons are left for a person to write."""
    until = today + timedelta(days=DAYS_PROPOSED)
    return "\n".join(
        f'[[waiver]]\nid = {json.dumps(identifier)}  # {title}\nreason = ""\nuntil = {until}\n'
        for identifier, title in failing
    )


def _state(waiver: Waiver, verdict: Verdict | None, known: Collection[str], today: date) -> State:
    if waiver.id not in known:
        return State.UNKNOWN
    if waiver.until < today:
        return State.EXPIRED
    match verdict:
        case Verdict.FAIL:
            return State.APPLIED
        case None | Verdict.SKIP | Verdict.BLOCKED | Verdict.ERROR:
            return State.NOT_TESTED
        case _:
            return State.STALE


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    waiver: tuple[Waiver, ...] = ()


def _sentences(error: ValidationError) -> list[str]:
    return [
        f"{_place(item['loc'])}: "
        + ("unknown key; a [[waiver]] has id, reason, until" if item["type"] == "extra_forbidden" else item["msg"])
        for item in error.errors()
    ]


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(f"#{part + 1}" if isinstance(part, int) else part for part in location)
