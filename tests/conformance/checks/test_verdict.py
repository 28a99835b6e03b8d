"""The one function that decides verdicts."""

import pytest

from oauth_litmus.verdict import (
    Blocked,
    Decision,
    Finding,
    Judgement,
    Level,
    NotApplicable,
    Severity,
    Skipped,
    Verdict,
    Violation,
    decide,
)

BELOW_MUST = (Level.SHOULD, Level.RECOMMENDED_PRACTICE)
REASONS = {
    NotApplicable("no such endpoint"): Verdict.NOT_APPLICABLE,
    Skipped("give --burst"): Verdict.SKIP,
    Blocked("the login failed"): Verdict.BLOCKED,
    RuntimeError("oops"): Verdict.ERROR,
}


def found(*severities):
    findings = [Finding(severity, "this", f"that ({severity})") for severity in severities]
    return Judgement(findings, len(findings) + 1)


def verdict(level, judgement, ending=None, *, strict=False):
    return decide(level, judgement, ending, strict=strict).verdict


@pytest.mark.parametrize("level", Level)
def test_what_was_judged_and_found_in_order_passes(level):
    assert decide(level, Judgement(judged=1), None) == Decision(Verdict.PASS)


def test_a_broken_must_fails():
    assert verdict(Level.MUST, found(Severity.VIOLATION)) is Verdict.FAIL


@pytest.mark.parametrize("level", BELOW_MUST)
def test_a_broken_should_warns(level):
    assert verdict(level, found(Severity.VIOLATION)) is Verdict.WARN


@pytest.mark.parametrize("level", Level)
def test_what_is_unsafe_fails_at_every_level(level):
    assert verdict(level, found(Severity.UNSAFE)) is Verdict.FAIL


@pytest.mark.parametrize("level", Level)
def test_what_is_imprecise_warns_at_every_level(level):
    assert verdict(level, found(Severity.IMPRECISION)) is Verdict.WARN


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("level", Level)
def test_strictly_every_finding_fails(level, severity):
    assert verdict(level, found(severity), strict=True) is Verdict.FAIL


@pytest.mark.parametrize(("ending", "expected"), REASONS.items())
def test_a_check_that_could_not_judge_says_why(ending, expected):
    decision = decide(Level.MUST, Judgement(), ending)

    assert decision.verdict is expected
    assert str(ending) in decision.reason


@pytest.mark.parametrize("ending", REASONS)
def test_a_finding_that_fails_stands_however_the_check_ended(ending):
    assert verdict(Level.MUST, found(Severity.VIOLATION), ending) is Verdict.FAIL


@pytest.mark.parametrize(("ending", "expected"), REASONS.items())
def test_a_finding_that_only_warns_does_not_stand_for_what_could_not_be_judged(ending, expected):
    assert verdict(Level.MUST, found(Severity.IMPRECISION), ending) is expected


def test_a_crash_is_told_with_its_kind():
    assert decide(Level.MUST, Judgement(), KeyError("code")).reason == "KeyError: 'code'"


def test_a_check_that_judged_nothing_is_an_error_of_the_suite():
    assert verdict(Level.MUST, Judgement()) is Verdict.ERROR


def test_the_reason_of_a_failure_is_what_failed_and_not_what_came_before():
    judgement = found(Severity.IMPRECISION, Severity.VIOLATION)

    assert decide(Level.MUST, judgement, None).reason == "that (violation)"


def test_a_violation_tells_what_was_expected_and_what_came():
    assert str(Violation(Finding(Severity.UNSAFE, "400", "tokens"))) == "expected 400; got tokens"


def test_red_is_what_a_run_must_not_end_with():
    assert {each for each in Verdict if each.is_red} == {Verdict.FAIL, Verdict.BLOCKED, Verdict.ERROR}


def test_judged_is_what_was_seen_of_the_target():
    assert {each for each in Verdict if each.was_judged} == {Verdict.PASS, Verdict.FAIL, Verdict.WARN}
