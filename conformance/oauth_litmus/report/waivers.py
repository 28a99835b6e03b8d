"""Waivers: the known gaps of a target, each with a reason and a last day. An outdated waiver fails the run."""

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
"""Validity of the waivers that a failing run proposes, in days."""


class WaiverError(Exception):
    """The waivers file is unusable; the message names the entry and the allowed values."""


class Waiver(BaseModel):
    """One known gap, accepted up to a given day."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    id: str
    reason: Annotated[str, Field(min_length=1)]
    until: date
    """The last day on which the waiver is valid."""


class State(StrEnum):
    """The state of a waiver after one run."""

    APPLIED = "applied"
    NOT_TESTED = "not tested"
    """This run did not judge its check, so the waiver may or may not be needed."""
    STALE = "stale"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def fails_the_run(self) -> bool:
        """Whether this state fails the run, because the waivers file must be corrected."""
        return self in (State.STALE, State.EXPIRED, State.UNKNOWN)


@dataclass(frozen=True)
class WaiverOutcome:
    """One waiver after a run."""

    waiver: Waiver
    state: State

    @property
    def sentence(self) -> str:
        """The state in words, with the step to take if there is one."""
        match self.state:
            case State.APPLIED:
                return f"{self.waiver.id} is waived until {self.waiver.until}: {self.waiver.reason}"
            case State.NOT_TESTED:
                return f"the waiver of {self.waiver.id} was not tested: this run did not judge its check"
            case State.STALE:
                return f"the waiver of {self.waiver.id} is stale: its check no longer fails, so remove the waiver"
            case State.EXPIRED:
                return (
                    f"the waiver of {self.waiver.id} expired on {self.waiver.until}: fix the server, or set a new date"
                )
            case State.UNKNOWN:
                return f"the waiver of {self.waiver.id} is unknown: no check has this id (see `oauth-litmus list`)"


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read a waivers file.

    Raises:
        WaiverError: the file cannot be read, is not TOML, has an unknown or missing key, or waives a check twice.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise WaiverError(f"cannot read the waivers file {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise WaiverError(f"{path} is not valid TOML: {error}") from error
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
    """Determine the state of each waiver.

    Args:
        waivers: the waivers of the file.
        verdicts: the verdicts of the checks that this run selected, by id.
        known: the ids of all existing checks.
        today: the date to compare with; a waiver is valid through its `until` day.
    """
    return tuple(WaiverOutcome(waiver, _state(waiver, verdicts.get(waiver.id), known, today)) for waiver in waivers)


def block_to_paste(failing: Iterable[tuple[str, str]], today: date) -> str:
    """TOML that waives these checks, given by id and title. A person must fill in the reasons."""
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
