"""A check that depends on a failure is BLOCKED by it: one fault is one finding."""

import pytest
from core_worlds import check_of
from engine_checks import crashes, fails, passes, raises, verdicts, warns

from oauth_litmus.run.results import all_dependencies
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped


async def test_what_depends_on_a_failure_is_blocked_by_it(judged):
    engine = await judged(check_of(fails, "A-01"), check_of(fails, "A-02", depends_on=("A-01",)))

    blocked = engine.results["A-02"]
    assert verdicts(engine) == {"A-01": "FAIL", "A-02": "BLOCKED"}
    assert (blocked.blocked_by, blocked.findings) == ("A-01", ())
    assert blocked.decision.reason == "not judged, because A-01 failed"


@pytest.mark.parametrize("function", [passes, warns, fails, crashes, raises(Blocked("x"))])
async def test_whatever_it_seemed_to_show(judged, function):
    engine = await judged(check_of(fails, "A-01"), check_of(function, "A-02", depends_on=("A-01",)))

    assert engine.results["A-02"].blocked_by == "A-01"


@pytest.mark.parametrize(("reason", "verdict"), [(Skipped("x"), "SKIP"), (NotApplicable("x"), "N/A")])
async def test_what_was_not_judged_anyway_stays_so(judged, reason, verdict):
    engine = await judged(check_of(fails, "A-01"), check_of(raises(reason), "A-02", depends_on=("A-01",)))

    assert verdicts(engine)["A-02"] == verdict


@pytest.mark.parametrize("function", [passes, warns, crashes, raises(Blocked("x")), raises(Skipped("x"))])
async def test_only_a_failure_blocks(judged, function):
    engine = await judged(check_of(function, "A-01"), check_of(passes, "A-02", depends_on=("A-01",)))

    assert verdicts(engine)["A-02"] == "PASS"


async def test_a_chain_is_blocked_by_where_it_began(judged):
    chain = [check_of(fails, "A-01")] + [
        check_of(fails, f"A-0{number}", depends_on=(f"A-0{number - 1}",)) for number in (2, 3, 4)
    ]
    engine = await judged(*chain)

    assert {result.blocked_by for result in engine.results.values()} == {None, "A-01"}
    assert list(verdicts(engine).values()) == ["FAIL", "BLOCKED", "BLOCKED", "BLOCKED"]


async def test_a_chain_reaches_through_a_check_that_passed(judged):
    engine = await judged(
        check_of(fails, "A-01"),
        check_of(passes, "A-02", depends_on=("A-01",)),
        check_of(fails, "A-03", depends_on=("A-02",)),
    )

    assert engine.results["A-03"].blocked_by == "A-01"


async def test_a_circle_blocks_nobody_out_of_sight(judged):
    engine = await judged(check_of(fails, "A-01", depends_on=("A-02",)), check_of(fails, "A-02", depends_on=("A-01",)))

    assert verdicts(engine) == {"A-01": "FAIL", "A-02": "FAIL"}


async def test_a_dependency_that_was_not_selected_blocks_nothing(judged):
    engine = await judged(check_of(fails, "A-02", depends_on=("A-01",)))

    assert verdicts(engine) == {"A-02": "FAIL"}
    assert all_dependencies(engine.results["A-02"].check) == []
