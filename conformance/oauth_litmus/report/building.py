"""Build the report from the engine's results. This is the only module that turns recorded data into a report."""

from __future__ import annotations

import platform
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from oauth_litmus import __version__
from oauth_litmus.check import Check
from oauth_litmus.checks import all_checks
from oauth_litmus.http.transcript import PREFLIGHT
from oauth_litmus.report.model import (
    CheckRecord,
    CoreCount,
    ExchangeRecord,
    ExitStatus,
    FindingRecord,
    PreflightRecord,
    Report,
    SeenUnderLoadRecord,
    SettingsRecord,
    TargetRecord,
    ToolRecord,
    WaiverRecord,
)
from oauth_litmus.report.profile_shown import profile_shown, without_userinfo
from oauth_litmus.report.waivers import State, Waiver, WaiverOutcome, judge_waivers
from oauth_litmus.requirements import CATALOGUE_REVISION
from oauth_litmus.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from oauth_litmus.http.transcript import Exchange
    from oauth_litmus.run.engine import Engine
    from oauth_litmus.run.plan import Selection
    from oauth_litmus.run.results import Result
    from oauth_litmus.run_state.run import Run


@dataclass(frozen=True)
class Circumstances:
    """The facts of a run that a report shows beside the engine's results."""

    selection: Selection
    started: datetime
    duration: float
    """Seconds."""
    waivers: Sequence[Waiver] = ()
    require: tuple[str, ...] = ()
    required: frozenset[str] = field(default_factory=frozenset[str])
    """The ids of the checks that `require` selects."""
    show_exchanges: bool = False
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


def build_report(engine: Engine, circumstances: Circumstances) -> Report:
    """Build the report of an engine that has finished or was interrupted."""
    run, checks = engine.run, circumstances.selection.checks()
    verdicts = {check.id: engine.results[check.id].verdict for check in checks}
    outcomes = judge_waivers(circumstances.waivers, verdicts, all_checks().keys(), circumstances.today)
    record = recorder(run, circumstances, outcomes)
    records = tuple(record(engine.results[check.id]) for check in checks)
    counts = Counter(verdicts.values())
    clean = _cleaner(run)
    diagnosis = clean(engine.readiness.diagnosis)
    return Report(
        tool=ToolRecord(version=__version__, python=platform.python_version()),
        catalogue_revision=CATALOGUE_REVISION,
        run_id=run.run_id,
        started=circumstances.started,
        duration=round(circumstances.duration, 3),
        exit_status=_exit_status(records, outcomes, interrupted=engine.interrupted),
        interrupted=engine.interrupted,
        stopped=clean(engine.stopped),
        target=_target(run),
        profile=profile_shown(run.server.profile),
        settings=_settings(run, circumstances),
        preflight=PreflightRecord(
            diagnosis=diagnosis, exchanges=_exchanges(run.transcript.of(PREFLIGHT) if diagnosis else (), clean)
        ),
        selected=len(checks),
        counts={verdict: counts[verdict] for verdict in Verdict},
        waived=sum(record.waived is not None for record in records),
        core=_core(verdicts),
        checks=records,
        waivers=tuple(_waiver(outcome) for outcome in outcomes),
        spent={str(kind): count for kind, count in run.pacer.spent.items()},
        learnt_limits={str(kind): str(rate) for kind, rate in run.pacer.learnt().items()},
        requests=run.transcript.count,
        registered=len(run.clients.entries),
        left_behind=tuple(run.clients.left_behind),
    )


def recorder(
    run: Run, circumstances: Circumstances, outcomes: Iterable[WaiverOutcome]
) -> Callable[[Result], CheckRecord]:
    """Return a function that turns a result into a record and applies the waivers and `--require`."""
    clean = _cleaner(run)
    waived = {outcome.waiver.id: outcome.waiver.reason for outcome in outcomes if outcome.state is State.APPLIED}

    def record(result: Result) -> CheckRecord:
        # A waiver also covers the checks that the waived failure blocks: one fault needs one waiver.
        waiver = waived.get(result.check.id) or waived.get(result.blocked_by or "")
        required = result.check.id in circumstances.required
        unjudged = required and result.verdict in (Verdict.SKIP, Verdict.NOT_APPLICABLE)
        everything = circumstances.show_exchanges
        exchanges = run.transcript.of(result.check.id) if everything else run.transcript.numbered(result.exchanges)
        requirement = result.check.requirement
        return CheckRecord(
            id=requirement.id,
            title=requirement.title,
            level=requirement.level,
            core=requirement.core,
            category=result.check.category,
            clauses=requirement.clauses,
            verdict=result.verdict,
            reason=clean(result.decision.reason),
            red=(result.verdict.is_red and waiver is None) or unjudged,
            required=required,
            waived=waiver,
            blocked_by=result.blocked_by,
            duration=round(result.duration, 3),
            findings=_findings(result, clean),
            exchanges=_exchanges(exchanges, clean),
            seen_under_load=_seen_under_load(run, result.seen_under_load, clean),
            unconfirmed=clean(result.unconfirmed),
        )

    return record


def _findings(result: Result, clean: Callable[[str], str]) -> tuple[FindingRecord, ...]:
    return tuple(
        FindingRecord(
            severity=finding.severity,
            expected=clean(finding.expected),
            got=clean(finding.got),
            exchanges=finding.exchanges,
        )
        for finding in result.findings
    )


def _seen_under_load(run: Run, result: Result | None, clean: Callable[[str], str]) -> SeenUnderLoadRecord | None:
    if result is None:
        return None
    return SeenUnderLoadRecord(
        verdict=result.verdict,
        reason=clean(result.decision.reason),
        findings=_findings(result, clean),
        exchanges=_exchanges(run.transcript.numbered(result.exchanges), clean),
    )


def _cleaner(run: Run) -> Callable[[str], str]:
    """Return a function that redacts again, with every secret of the run known, and replaces characters invalid in UTF-8."""
    redact = run.transcript.redactor.text
    return lambda text: redact(text).encode("utf-8", "replace").decode("utf-8") if text else ""


def _exchanges(exchanges: Iterable[Exchange], clean: Callable[[str], str]) -> tuple[ExchangeRecord, ...]:
    return tuple(
        ExchangeRecord(number=exchange.number, request=clean(exchange.request), response=clean(exchange.response))
        for exchange in exchanges
    )


def _exit_status(records: Sequence[CheckRecord], outcomes: Iterable[WaiverOutcome], *, interrupted: bool) -> ExitStatus:
    if interrupted:
        return ExitStatus.INTERRUPTED
    if any(record.red for record in records) or any(outcome.state.fails_the_run for outcome in outcomes):
        return ExitStatus.RED
    if not any(record.verdict.was_judged for record in records):
        return ExitStatus.NOTHING_JUDGED
    return ExitStatus.NOTHING_RED


def _target(run: Run) -> TargetRecord:
    found = run.server.discovered
    resource = run.server.resource
    return TargetRecord(
        given=without_userinfo(found.given),
        issuer=without_userinfo(found.issuer),
        metadata_url=without_userinfo(found.metadata_url),
        resource=without_userinfo(resource) if resource else None,
    )


def _settings(run: Run, circumstances: Circumstances) -> SettingsRecord:
    return SettingsRecord(
        login_driver=run.driver.name,
        max_wait=run.budget.max_wait,
        burst=run.budget.burst,
        max_logins=run.budget.max_logins,
        strict=run.strict,
        confirm=run.budget.confirm,
        separate_source_addresses=run.server.separate_sources,
        only=circumstances.selection.only,
        skip=circumstances.selection.skip,
        require=circumstances.require,
    )


def _core(verdicts: dict[str, Verdict]) -> CoreCount:
    core: list[Check] = [check for check in all_checks().values() if check.requirement.core]
    judged = sum(check.id in verdicts and verdicts[check.id].was_judged for check in core)
    return CoreCount(
        total=len(core),
        judged=judged,
        not_judged=len(core) - judged,
        not_selected=sum(check.id not in verdicts for check in core),
    )


def _waiver(outcome: WaiverOutcome) -> WaiverRecord:
    waiver = outcome.waiver
    return WaiverRecord(
        id=waiver.id, reason=waiver.reason, until=waiver.until, state=outcome.state, sentence=outcome.sentence
    )
