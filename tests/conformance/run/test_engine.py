"""The engine: one verdict for each check, and a clean end of the run."""

import asyncio

import pytest
from core_worlds import check_of, run_with, stepped_clock
from engine_checks import BURST, crashes, engine_for, fails, judges_nothing, passes, raises, verdicts, warns

from oauth_litmus import expect
from oauth_litmus.check import Need
from oauth_litmus.clock import WallClock
from oauth_litmus.run.preflight import Readiness
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.verdict import Blocked, Level, NotApplicable, Skipped, Verdict


@pytest.mark.parametrize(
    ("function", "verdict"),
    [
        (passes, Verdict.PASS),
        (fails, Verdict.FAIL),
        (warns, Verdict.WARN),
        (crashes, Verdict.ERROR),
        (judges_nothing, Verdict.ERROR),
        (raises(NotApplicable("no such endpoint")), Verdict.NOT_APPLICABLE),
        (raises(Skipped("give it")), Verdict.SKIP),
        (raises(Blocked("set-up failed", (7,))), Verdict.BLOCKED),
        (raises(ExceptionGroup("two", [ValueError(), KeyError()])), Verdict.ERROR),
    ],
)
async def test_each_ending_has_its_verdict(judged, function, verdict):
    engine = await judged(check_of(function, "A-01"))

    assert engine.results["A-01"].verdict is verdict


async def test_a_broken_should_warns(judged):
    engine = await judged(check_of(fails, "A-01", level=Level.SHOULD))

    assert engine.results["A-01"].verdict is Verdict.WARN


async def test_a_result_shows_the_exchanges_of_its_findings(judged):
    engine = await judged(check_of(fails, "A-01"), check_of(raises(Blocked("x", (7,))), "A-02"))

    assert (engine.results["A-01"].exchanges, engine.results["A-02"].exchanges) == ((5,), (7,))
    assert engine.results["A-01"].findings[0].got == "200"


async def test_a_crash_ends_one_check_and_not_the_run(judged):
    engine = await judged(check_of(crashes, "A-01"), check_of(passes, "A-02"))

    assert verdicts(engine) == {"A-01": "ERROR", "A-02": "PASS"}
    assert engine.results["A-01"].decision.reason == "KeyError: 'code'"


async def test_what_one_check_found_is_not_another_ones(judged):
    async def goes_on_for_a_while(target):
        for _ in range(20):
            await asyncio.sleep(0)
        expect.that(True, expected="a", got="b")

    engine = await judged(*(check_of(goes_on_for_a_while, f"A-0{n}") for n in range(5)), check_of(warns, "A-09"))

    assert verdicts(engine) == {**{f"A-0{n}": "PASS" for n in range(5)}, "A-09": "WARN"}


async def test_a_violation_in_a_shared_result_fails_every_check_that_uses_it(judged):
    async def asks(target):
        async def make():
            await asyncio.sleep(0)
            await fails(target)

        expect.that(True, expected="a", got="b")
        await target.once("shared", make)

    engine = await judged(check_of(asks, "A-01"), check_of(asks, "A-02"))

    assert verdicts(engine) == {"A-01": "FAIL", "A-02": "FAIL"}
    assert all(len(result.findings) == 1 for result in engine.results.values())


async def test_what_the_plan_rules_out_is_not_run(judged):
    engine = await judged(check_of(crashes, "A-01", needs=BURST), run=run_with())

    assert verdicts(engine) == {"A-01": "SKIP"}


async def test_every_result_is_told_as_it_comes(judged):
    told = []
    await judged(
        check_of(passes, "A-01"), check_of(fails, "A-02"), on_result=lambda result: told.append(result.check.id)
    )

    assert sorted(told) == ["A-01", "A-02"]


async def test_strictly_what_is_imprecise_fails(judged):
    run = run_with()
    run.strict = True

    assert verdicts(await judged(check_of(warns, "A-01"), run=run)) == {"A-01": "FAIL"}


async def test_durations_are_real(judged):
    with stepped_clock() as clock:

        async def waits(target):
            await target.until(target.now() + 86_400)
            await passes(target)

        engine = await judged(check_of(waits, "A-01"), run=run_with(clock=clock))

    assert 0 < engine.results["A-01"].duration < 5


# The end


async def test_a_run_that_is_cancelled_keeps_what_was_judged(monkeypatch):
    never = asyncio.Event()

    async def hangs(target):
        await target.until(target.now() + 3600)
        await never.wait()

    checks = [
        check_of(fails, "A-01"),
        check_of(hangs, "A-02"),
        check_of(passes, "A-03", depends_on=("A-01",)),
        check_of(passes, "B-01", needs=BURST),
    ]
    clock = WallClock(24)
    engine = engine_for(monkeypatch, *checks, run=run_with(clock=clock, budget=Budget(burst=True)))
    judging = asyncio.ensure_future(engine.judge(checks))
    for _ in range(20):
        await asyncio.sleep(0)
    judging.cancel()
    await asyncio.wait([judging], timeout=5)
    engine.interrupt(checks)

    assert judging.cancelled()
    assert clock.ready == 0
    assert verdicts(engine) == {"A-01": "FAIL", "A-02": "SKIP", "A-03": "BLOCKED", "B-01": "SKIP"}
    assert engine.interrupted
    assert "interrupted before this check had ended" in engine.results["A-02"].decision.reason


async def test_nothing_selected_is_nothing_judged(judged):
    assert verdicts(await judged()) == {}


async def test_checks_see_what_the_preflight_saw(monkeypatch):
    check = check_of(passes, "A-01", needs=frozenset({Need.LOGIN}))
    engine = engine_for(monkeypatch, check)
    engine.readiness = Readiness(login="no way")
    await engine.judge([check])

    assert engine.results["A-01"].decision.reason == "preflight: no way"
