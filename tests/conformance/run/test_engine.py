"""The engine: checks at once, one verdict each, one fault one finding, bursts last, and a clean end."""

import asyncio

import pytest
from core_worlds import answer, check_of, run_with, stepped_clock

from oauth_litmus import expect
from oauth_litmus.check import Need
from oauth_litmus.clock import WallClock
from oauth_litmus.run import engine as engine_module
from oauth_litmus.run.engine import Engine, all_dependencies
from oauth_litmus.run.preflight import Readiness
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.verdict import Blocked, Level, NotApplicable, Skipped, Verdict

BURST = frozenset({Need.BURST})


@pytest.fixture
def judged(monkeypatch):
    """The verdicts of these checks, each by id; the checks know each other's ids."""

    async def judge(*checks, run=None, **more):
        engine = engine_for(monkeypatch, *checks, run=run, **more)
        results = await engine.judge(checks)
        assert [result.check for result in results] == list(checks)
        return engine

    return judge


def engine_for(monkeypatch, *checks, run=None, on_result=lambda result: None):
    monkeypatch.setattr(engine_module, "all_checks", lambda: {check.id: check for check in checks})
    return Engine(run or run_with(budget=Budget(burst=True)), on_result)


def verdicts(engine):
    return {identifier: str(result.verdict) for identifier, result in engine.results.items()}


async def passes(target):
    expect.that(True, expected="a", got="b")


async def fails(target):
    expect.that(False, expected="400", got="200", at=answer(number=5))


async def warns(target):
    expect.ideally(False, expected="a", got="b")


async def crashes(target):
    raise KeyError("code")


async def judges_nothing(target):
    return None


def raises(reason):
    async def does(target):
        raise reason

    return does


# One check, one verdict


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


async def test_a_violation_in_what_checks_share_is_everybodys(judged):
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


# One fault, one finding


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


# At once, and bursts last


async def test_checks_run_at_once(judged):
    everybody = asyncio.Barrier(5)

    async def meets_the_others(target):
        await asyncio.wait_for(everybody.wait(), 5)
        await passes(target)

    engine = await judged(*(check_of(meets_the_others, f"A-0{number}") for number in range(5)))

    assert set(verdicts(engine).values()) == {"PASS"}


@pytest.mark.parametrize("separate", [True, False])
async def test_bursts_begin_when_no_other_check_can_go_on(judged, separate):
    order = []

    async def works(target):
        for _ in range(20):
            await asyncio.sleep(0)
        order.append("worked")
        await passes(target)

    async def bursts(target):
        order.append("burst")
        assert not target.paced
        await passes(target)

    run = run_with(budget=Budget(burst=True))
    run.server.separate_sources = separate
    checks = [check_of(bursts, "B-01", needs=BURST), check_of(works, "A-01"), check_of(works, "A-02")]
    await judged(*checks, run=run)

    assert order == ["worked", "worked", "burst"]


@pytest.mark.parametrize(("separate", "expected"), [(True, ["burst", "slept"]), (False, ["slept", "burst"])])
async def test_from_addresses_of_their_own_bursts_use_the_waits_of_others(judged, separate, expected):
    order = []

    async def sleeps(target):
        await target.until(target.now() + 60)
        order.append("slept")
        await passes(target)

    async def bursts(target):
        order.append("burst")
        await passes(target)

    with stepped_clock() as clock:
        run = run_with(clock=clock, budget=Budget(burst=True))
        run.server.separate_sources = separate
        await judged(check_of(sleeps, "A-01"), check_of(bursts, "B-01", needs=BURST), run=run)

    assert order == expected


async def test_from_one_address_bursts_come_one_after_the_other(judged):
    under_way = []
    most = []

    async def bursts(target):
        under_way.append(1)
        most.append(len(under_way))
        for _ in range(10):
            await asyncio.sleep(0)
        under_way.pop()
        await passes(target)

    await judged(*(check_of(bursts, f"B-0{number}", needs=BURST) for number in range(3)))

    assert most == [1, 1, 1]


async def test_every_check_has_a_source_of_its_own(judged):
    run = run_with()
    numbers = iter(range(1, 9))
    run.sources, run.server.separate_sources = (lambda: f"127.2.0.{next(numbers)}"), True
    seen = []

    async def looks(target):
        seen.append(target.source)
        seen.append(target.from_another_source().source)
        await passes(target)

    await judged(check_of(looks, "A-01"), check_of(looks, "A-02"), run=run)

    assert len(set(seen)) == 4


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
