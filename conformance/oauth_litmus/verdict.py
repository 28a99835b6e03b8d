"""Verdicts, what a check may find, and the one function that turns findings into a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What is said of one requirement after one run."""

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
        """Whether the target's behaviour was seen and judged."""
        return self in (Verdict.PASS, Verdict.FAIL, Verdict.WARN)


class Level(StrEnum):
    """How strongly the cited text binds (RFC 2119); recommended practice has no normative keyword."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    RECOMMENDED_PRACTICE = "RECOMMENDED-PRACTICE"
    MAY = "MAY"


class Severity(StrEnum):
    """How a finding weighs.

    VIOLATION counts by the level of the requirement: FAIL for a MUST, WARN below. UNSAFE is FAIL at every level: unsafe or
    malformed output, or a breach of a value that the target itself declared. IMPRECISION is WARN: the security outcome is
    right, and only the precision of the protocol is off.
    """

    VIOLATION = "violation"
    UNSAFE = "unsafe"
    IMPRECISION = "imprecision"


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, in the words of the person who must mend it."""

    severity: Severity
    expected: str
    got: str
    exchanges: tuple[int, ...] = ()
    told_by: str = ""
    """The check that tells of this trait of a server for all the others which meet it; empty: nobody else does."""


class Violation(Exception):
    """Ends a check: what the requirement asks for was seen to be broken."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"expected {finding.expected}; got {finding.got}")
        self.finding = finding


class NotApplicable(Exception):
    """Ends a check: the server does not offer the feature, by its own metadata or its profile."""


class Skipped(Exception):
    """Ends a check: this run was not given what the check needs. The reason says how to give it."""


class Blocked(Exception):
    """Ends a check: offered, but it could not be judged (a set-up step failed, or the answers are inconclusive)."""

    def __init__(self, reason: str, exchanges: tuple[int, ...] = ()) -> None:
        super().__init__(reason)
        self.exchanges = exchanges


class ConnectionCut(Blocked):
    """The server closed the connection in place of an answer: a finding only where it does so again and again."""


@dataclass
class Judgement:
    """What one running check has found so far. `judged` counts the expectations that were decided."""

    findings: list[Finding] = field(default_factory=list[Finding])
    judged: int = 0
    left_out: int = 0
    """Probes of the same thing that a run of `core` alone does without."""
    measured: dict[int, str] = field(default_factory=dict[int, str])
    """By exchange, what was measured of it without which its answer cannot be weighed."""


@dataclass(frozen=True)
class Decision:
    """A verdict with its reason; that of a PASS is what was measured, and empty where nothing had to be."""

    verdict: Verdict
    reason: str = ""


def decide(level: Level, judgement: Judgement, ending: BaseException | None, *, strict: bool = False) -> Decision:
    """Decide the verdict of one check from its findings and from how it ended.

    A finding that fails the requirement stands however the check ended afterwards. A check that ended by itself without
    having judged anything is an ERROR of the suite: an assertion that never ran must not look like a pass.
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
        return Decision(Verdict.ERROR, "the check ended without having judged anything")
    left_out = judgement.left_out
    short = [f"without {left_out} further probes, which a complete run sends"] if left_out else []
    return Decision(Verdict.PASS, "; ".join([*judgement.measured.values(), *short]))


def _fails(finding: Finding, level: Level, *, strict: bool) -> bool:
    match finding.severity:
        case Severity.UNSAFE:
            return True
        case Severity.VIOLATION:
            return level is Level.MUST or strict
        case Severity.IMPRECISION:
            return strict
