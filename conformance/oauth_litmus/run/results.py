"""The result of a check, and the rules by which results of several checks become one finding for one fault."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

from oauth_litmus.check import Check
from oauth_litmus.checks import all_checks
from oauth_litmus.verdict import Decision, Finding, Judgement, Verdict, decide


@dataclass(frozen=True)
class Result:
    """The result of one check. `duration` is in real seconds."""

    check: Check
    decision: Decision
    findings: tuple[Finding, ...] = ()
    exchanges: tuple[int, ...] = ()
    duration: float = 0.0
    blocked_by: str | None = None
    """The id of the failed check because of which this check was not judged."""
    seen_under_load: Result | None = None
    """The other result that the check had among other checks, if it did not come again when the check ran alone."""
    unconfirmed: str = ""
    """Why a doubtful result was not judged once more alone; empty if it was, or if that was not necessary."""

    @property
    def verdict(self) -> Verdict:
        """The verdict of the decision."""
        return self.decision.verdict


def settled(result: Result, failed: Set[str]) -> Result:
    """Return the result, or BLOCKED if a check that it depends on failed: one fault is one finding (rule 4 of judging)."""
    if result.verdict in (Verdict.SKIP, Verdict.NOT_APPLICABLE):
        return result
    checks = all_checks()
    culprit = next(
        (
            other
            for other in all_dependencies(result.check)
            if other in failed and not set(all_dependencies(checks[other])) & failed
        ),
        None,
    )
    if culprit is None:
        return result
    decision = Decision(Verdict.BLOCKED, f"not judged, because {culprit} failed")
    return Result(result.check, decision, duration=result.duration, blocked_by=culprit)


def without_what_others_tell(result: Result, tellers: Set[str], *, strict: bool = False) -> Result:
    """Return the result without findings that another check reports as well: one trait of the server is one finding."""
    identifier = result.check.id
    own = tuple(f for f in result.findings if f.told_by == identifier or f.told_by not in tellers)
    if own == result.findings or result.verdict not in (Verdict.WARN, Verdict.FAIL):
        return result
    told = next(finding for finding in result.findings if finding not in own)
    if not own:
        decision = Decision(Verdict.PASS, f"{told.got}: see {told.told_by}")
        return replace(result, decision=decision, findings=(), exchanges=())
    decision = decide(result.check.requirement.level, Judgement(list(own), judged=len(own)), None, strict=strict)
    numbers = tuple(dict.fromkeys(number for finding in own for number in finding.exchanges))
    return replace(result, decision=decision, findings=own, exchanges=numbers)


def tells(result: Result, identifier: str) -> bool:
    """Whether the result reports a trait of the server for all checks that meet it."""
    return any(finding.told_by == identifier for finding in result.findings)


def all_dependencies(check: Check) -> list[str]:
    """Return the ids of all checks on which this one depends, directly or through other checks."""
    found: list[str] = []
    waiting = list(check.requirement.depends_on)
    checks = all_checks()
    while waiting:
        identifier = waiting.pop(0)
        if identifier not in found and identifier in checks:
            found.append(identifier)
            waiting += checks[identifier].requirement.depends_on
    return found
