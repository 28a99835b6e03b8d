"""The shape of a report: what the JSON holds, and what every other form of report is made from."""

from __future__ import annotations

from datetime import date, datetime
from enum import IntEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from oauth_litmus.report.waivers import State
from oauth_litmus.verdict import Level, Severity, Verdict

SCHEMA_VERSION = "1.0"


class ExitStatus(IntEnum):
    """How the command ends."""

    NOTHING_RED = 0
    RED = 1
    USAGE = 2
    """Wrong usage, or no such server."""
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
    """One thing that is not as it should be."""

    severity: Severity
    expected: str
    got: str
    exchanges: tuple[int, ...]
    """Numbers of the exchanges that show it."""


class CheckRecord(_Record):
    """One check and what is said of it."""

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
    """Whether it fails the run, waivers and requirements counted."""
    required: bool
    """Whether the operator demanded that it be judged, so that SKIP and N/A are red."""
    waived: str | None
    """The reason of the waiver that covers it."""
    blocked_by: str | None
    """The failing check because of which this one says nothing."""
    duration: float
    """Seconds."""
    findings: tuple[FindingRecord, ...]
    exchanges: tuple[ExchangeRecord, ...]
    """Those that the findings name, or all of the check's where that was asked for."""


class ToolRecord(_Record):
    """What judged."""

    name: Literal["oauth-litmus"] = "oauth-litmus"
    version: str
    python: str


class TargetRecord(_Record):
    """What was judged."""

    given: str
    issuer: str
    metadata_url: str
    resource: str | None


class SettingsRecord(_Record):
    """What this run was allowed and asked for."""

    login_driver: str
    max_wait: float
    burst: bool
    max_logins: int | None
    strict: bool
    separate_source_addresses: bool
    only: tuple[str, ...]
    skip: tuple[str, ...]
    require: tuple[str, ...]


class PreflightRecord(_Record):
    """How an ordinary login went before judging began."""

    diagnosis: str
    """The first stage that does not work, in a sentence; empty if all is well."""
    exchanges: tuple[ExchangeRecord, ...]
    """Kept where there is a diagnosis."""


class WaiverRecord(_Record):
    """One waiver and what became of it."""

    id: str
    reason: str
    until: date
    state: State
    sentence: str


class CoreCount(_Record):
    """How much of the core was judged, of all core checks that there are."""

    total: int
    judged: int
    not_judged: int
    not_selected: int
    """How many of the not judged ones this run was not asked for."""


class Report(_Record):
    """One run against one server. It holds no secret: what is shown of one is a fingerprint with a key of the run."""

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    tool: ToolRecord
    catalogue_revision: str
    run_id: str
    started: datetime
    duration: float
    """Seconds."""
    exit_status: ExitStatus
    interrupted: bool
    stopped: str
    """Why the run ended before its checks had, where that was for the server's sake or for its length; else empty."""
    target: TargetRecord
    profile: dict[str, object]
    """What the operator declared; of secrets only the names of the environment variables."""
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
    """Requests by kind that the budgets were charged with."""
    learnt_limits: dict[str, str]
    """Limits that nobody declared and that a 429 told of, by kind, as `N/SECONDS`."""
    requests: int
    """All requests that were sent."""
    registered: int
    left_behind: tuple[str, ...]
    """Clients that were registered and could not be removed, by `client_id`."""

    @property
    def red(self) -> tuple[CheckRecord, ...]:
        """The checks that fail the run."""
        return tuple(check for check in self.checks if check.red)

    @property
    def bad_waivers(self) -> tuple[WaiverRecord, ...]:
        """The waivers that fail the run."""
        return tuple(waiver for waiver in self.waivers if waiver.state.fails_the_run)
