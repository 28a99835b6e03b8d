"""Verdicts, the findings and endings of a check, and the one function that turns them into a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from oauth_litmus.wording import counted


class Verdict(StrEnum):
    """The result of one requirement in one run."""

    PASS = "PASS"
    FAIL = "FAIL"
    WARN = "WARN"
    NOT_APPLICABLE = "N/A"
    SKIP = "SKIP"
    BLOCKED = "BLOCKED"
    ERROR = "ERROR"

    @property
    def is_red(self) -> bool:
        """Whether this verdict makes the run fail."""
        return self in (Verdict.FAIL, Verdict.BLOCKED, Verdict.ERROR)

    @property
    def was_judged(self) -> bool:
        """Whether the check observed and judged the target's behaviour."""
        return self in (Verdict.PASS, Verdict.FAIL, Verdict.WARN)


class Level(StrEnum):
    """How strongly the cited text binds (RFC 2119). Recommended practice has no normative keyword."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    RECOMMENDED_PRACTICE = "RECOMMENDED-PRACTICE"


class Severity(StrEnum):
    """How severe a finding is.

    VIOLATION depends on the level of the requirement: FAIL for a MUST, WARN for a lower level. UNSAFE is FAIL at every level:
    the output is unsafe or malformed, or the target breaks a value that it declared itself. IMPRECISION is WARN: the
    security outcome is right, and only protocol details are wrong.
    """

    VIOLATION = "violation"
    UNSAFE = "unsafe"
    IMPRECISION = "imprecision"


@dataclass(frozen=True)
class Finding:
    """One deviation from the expected behaviour, worded for the person who must fix it."""

    severity: Severity
    expected: str
    got: str
    exchanges: tuple[int, ...] = ()
    told_by: str = ""
    """Id of the check that reports this server trait for all checks that meet it; empty if each check reports it itself."""
    obtained: bool = False
    """Whether the check got something that the server must not give: tokens, a code, or access. Load does not explain that."""


class Violation(Exception):
    """Ends a check: the server broke the requirement."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"expected {finding.expected}; got {finding.got}")
        self.finding = finding


class NotApplicable(Exception):
    """Ends a check: the server does not offer the feature, according to its metadata or its profile."""


class Skipped(Exception):
    """Ends a check: this run lacks something that the check needs. The reason says how to provide it."""


class Blocked(Exception):
    """Ends a check: the server offers the feature, but a set-up step failed or the answers are inconclusive."""

    def __init__(self, reason: str, exchanges: tuple[int, ...] = ()) -> None:
        super().__init__(reason)
        self.exchanges = exchanges


class ConnectionCut(Blocked):
    """The server closed the connection instead of answering. It is a finding only if a retry is cut, too."""


@dataclass
class Judgement:
    """The findings of one running check so far. `judged` counts the expectations that were evaluated."""

    findings: list[Finding] = field(default_factory=list[Finding])
    judged: int = 0
    left_out: int = 0
    """Number of further probes that the check skips, because the run selects `core` alone."""
    measured: dict[int, str] = field(default_factory=dict[int, str])
    """Measurements by exchange number; a reader needs them to interpret the answer."""


@dataclass(frozen=True)
class Decision:
    """A verdict with its reason. The reason of a PASS states measurements and skipped probes; it is often empty."""

    verdict: Verdict
    reason: str = ""


def decide(level: Level, judgement: Judgement, ending: BaseException | None, *, strict: bool = False) -> Decision:
    """Decide the verdict of one check from its findings and from how it ended.

    A finding that fails the requirement counts, however the check ended afterwards. A check that ended normally without
    judging anything is an ERROR of the suite: an assertion that never ran must not look like a pass.
    """
    failing = [finding for finding in judgement.findings if _fails(finding, level, strict=strict)]
    if failing:
        return Decision(Verdict.FAIL, failing[0].got)
    match ending:
        case None | Violation():
            pass
        case NotApplicable():
            return Decision(Verdict.NOT_APPLICABLE, str(ending))
        case Skipped():
            return Decision(Verdict.SKIP, str(ending))
        case Blocked():
            return Decision(Verdict.BLOCKED, str(ending))
        case _:
            return Decision(Verdict.ERROR, f"{type(ending).__name__}: {ending}")
    if judgement.findings:
        return Decision(Verdict.WARN, judgement.findings[0].got)
    if judgement.judged == 0:
        return Decision(Verdict.ERROR, "the check ended without judging anything")
    left_out = judgement.left_out
    short = [f"{counted(left_out, 'further probe')} skipped; a complete run sends them"] if left_out else []
    return Decision(Verdict.PASS, "; ".join([*judgement.measured.values(), *short]))


def _fails(finding: Finding, level: Level, *, strict: bool) -> bool:
    match finding.severity:
        case Severity.UNSAFE:
            return True
        case Severity.VIOLATION:
            return level is Level.MUST or strict
        case Severity.IMPRECISION:
            return strict
