"""The data model of a report: the JSON report is this model, and every other format is made from it."""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from oauth_litmus.report.waivers import State
from oauth_litmus.verdict import Level, Severity, Verdict

SCHEMA_VERSION = "1.1"


class ExitStatus(IntEnum):
    """The exit status of the command."""

    NOTHING_RED = 0
    RED = 1
    USAGE = 2
    """Wrong usage, or no server was found."""
    NOTHING_JUDGED = 3
    INTERRUPTED = 130


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ExchangeRecord(_Record):
    """One request and its answer, without secrets."""

    number: int
    request: str
    response: str


class FindingRecord(_Record):
    """One defect that a check found."""

    severity: Severity
    expected: str
    got: str
    exchanges: tuple[int, ...]
    """Numbers of the exchanges that show the defect."""


class SeenUnderLoadRecord(_Record):
    """The result of a check among other checks, which did not come again when the check ran alone. It is no violation."""

    verdict: Verdict
    reason: str
    findings: tuple[FindingRecord, ...]
    exchanges: tuple[ExchangeRecord, ...]


class CheckRecord(_Record):
    """One check and its result."""

    id: str
    title: str
    level: Level
    core: bool
    category: str
    clauses: tuple[str, ...]
    verdict: Verdict
    reason: str
    """Why the verdict is not a plain PASS; empty otherwise."""
    red: bool
    """Whether the check fails the run, after waivers and `--require` are applied."""
    required: bool
    """Whether `--require` names the check, so that SKIP and N/A are red."""
    waived: str | None
    """The reason given in the waiver that covers the check; None without a waiver."""
    blocked_by: str | None
    """The id of the failed check because of which this check was not judged."""
    duration: float
    """Seconds."""
    findings: tuple[FindingRecord, ...]
    exchanges: tuple[ExchangeRecord, ...]
    """The exchanges that the findings cite, or all exchanges of the check with `--show-exchanges`."""
    seen_under_load: SeenUnderLoadRecord | None
    """Another result that the check had among other checks; `verdict` is the one of the check alone."""
    unconfirmed: str
    """Why a doubtful result was not judged once more alone; empty if it was, or if that was not necessary."""


class ToolRecord(_Record):
    """The program that made the report."""

    name: Literal["oauth-litmus"] = "oauth-litmus"
    version: str
    python: str


class TargetRecord(_Record):
    """The server that was judged."""

    given: str
    issuer: str
    metadata_url: str
    resource: str | None


class SettingsRecord(_Record):
    """The options of this run."""

    login_driver: str
    max_wait: float
    burst: bool
    max_logins: int | None
    strict: bool
    confirm: bool
    """Whether each red result is judged once more, alone."""
    separate_source_addresses: bool
    only: tuple[str, ...]
    skip: tuple[str, ...]
    require: tuple[str, ...]


class PreflightRecord(_Record):
    """The result of the ordinary login that comes before all checks."""

    diagnosis: str
    """A sentence about the first stage that failed; empty if every stage worked."""
    exchanges: tuple[ExchangeRecord, ...]
    """The exchanges of the preflight; empty if there is no diagnosis."""


class WaiverRecord(_Record):
    """One waiver and its state after the run."""

    id: str
    reason: str
    until: date
    state: State
    sentence: str


class CoreCount(_Record):
    """How many of all core checks were judged."""

    total: int
    judged: int
    not_judged: int
    not_selected: int
    """How many of the checks that were not judged were not selected for this run."""


class Report(_Record):
    """One run against one server. The report holds no secret: a fingerprint, keyed per run, replaces each one."""

    schema_version: Literal["1.1"] = SCHEMA_VERSION
    tool: ToolRecord
    catalogue_revision: str
    run_id: str
    started: datetime
    duration: float
    """Seconds."""
    exit_status: ExitStatus
    interrupted: bool
    stopped: str
    """Why the run stopped early: the server no longer answered, or the time was used up; empty otherwise."""
    target: TargetRecord
    profile: dict[str, object]
    """The declared profile; secrets appear only as names of environment variables."""
    settings: SettingsRecord
    preflight: PreflightRecord
    selected: int
    counts: dict[Verdict, int]
    """How many checks have each verdict; the sum is `selected`."""
    waived: int
    core: CoreCount
    checks: tuple[CheckRecord, ...]
    waivers: tuple[WaiverRecord, ...]
    spent: dict[str, int]
    """How many requests of each kind were counted against a rate limit."""
    learnt_limits: dict[str, str]
    """Rate limits that were not declared but learnt from a 429, by kind, as `N/SECONDS`."""
    requests: int
    """The number of all requests that were sent."""
    registered: int
    left_behind: tuple[str, ...]
    """The `client_id` of each registered client that could not be removed."""

    @property
    def red(self) -> tuple[CheckRecord, ...]:
        """The checks that fail the run."""
        return tuple(check for check in self.checks if check.red)

    @property
    def bad_waivers(self) -> tuple[WaiverRecord, ...]:
        """The waivers that fail the run."""
        return tuple(waiver for waiver in self.waivers if waiver.state.fails_the_run)
