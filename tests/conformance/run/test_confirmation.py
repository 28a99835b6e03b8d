"""A red result is judged once more, alone: only a finding that comes again, or that obtained something, is reported as one."""

import asyncio

import httpx
import pytest
from core_worlds import answer, check_of, run_with
from engine_checks import BURST, engine_for, fails, passes, raises, verdicts, warns

from oauth_litmus import expect
from oauth_litmus.check import Need
from oauth_litmus.run import confirmation
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.verdict import Blocked, Verdict


def only_among_others(ending):
    """A check that ends like this while others run, and passes alone."""
    calls = []

    async def check(target):
        calls.append(target.run)
        if len(calls) == 1:
            await ending(target)
        else:
            await passes(target)

    return check


def sends(target, request="POST", name=None):
    """Record an exchange of the check, and return its number."""
    transcript = target.run.transcript
    number = transcript.next_number()
    transcript.record(
        number, name or target.check, httpx.Request(request, "https://as.example.com/token"), b"", "no answer"
    )
    return number


async def obtains(target):
    expect.that(False, expected="400", got="tokens", at=answer(number=sends(target)), obtained=True)


async def obtains_by_the_request_of_another(target):
    expect.that(False, expected="400", got="tokens", at=answer(number=sends(target, name="A-01")), obtained=True)


async def changes_state_and_warns(target):
    sends(target)
    await warns(target)


async def crashes(target):
    raise KeyError("code")


BESIDE = check_of(passes, "A-99")
"""A second check: a check that is the only one of a run has run alone already."""


@pytest.mark.parametrize("ending", [fails, crashes, raises(Blocked("no answer")), changes_state_and_warns])
async def test_a_result_that_does_not_come_again_alone_is_no_finding(judged, ending):
    engine = await judged(check_of(only_among_others(ending), "A-01"), BESIDE)

    result = engine.results["A-01"]
    assert (result.verdict, result.findings) == (Verdict.PASS, ())
    assert result.seen_under_load.verdict is not Verdict.PASS


async def test_a_result_that_comes_again_is_confirmed(judged):
    engine = await judged(check_of(fails, "A-01"), BESIDE)

    assert engine.results["A-01"].verdict is Verdict.FAIL
    assert engine.results["A-01"].seen_under_load is None
    assert engine.results["A-01"].unconfirmed == ""


async def test_a_finding_that_obtained_something_counts_however_it_came(judged):
    engine = await judged(check_of(only_among_others(obtains), "A-01"), BESIDE)

    assert engine.results["A-01"].verdict is Verdict.FAIL
    assert engine.results["A-01"].decision.reason == "tokens; it did not come again when the check ran alone"


async def test_an_obtained_finding_that_another_check_explains_does_not_count(judged):
    engine = await judged(check_of(only_among_others(obtains_by_the_request_of_another), "A-02"), BESIDE)

    assert engine.results["A-02"].verdict is Verdict.PASS
    assert engine.results["A-02"].seen_under_load.decision.reason == "tokens"


async def test_a_warning_of_a_check_that_only_looks_is_not_repeated(judged):
    engine = await judged(check_of(only_among_others(warns), "A-01"), BESIDE)

    assert engine.results["A-01"].verdict is Verdict.WARN


async def test_a_blocked_check_that_fails_alone_is_a_failure(judged):
    calls = []

    async def check(target):
        calls.append(1)
        if len(calls) == 1:
            raise Blocked("no answer")
        await fails(target)

    engine = await judged(check_of(check, "A-01"), BESIDE)

    assert engine.results["A-01"].verdict is Verdict.FAIL
    assert engine.results["A-01"].seen_under_load.verdict is Verdict.BLOCKED


async def test_a_failure_stays_where_the_check_cannot_be_judged_alone(judged):
    calls = []

    async def check(target):
        calls.append(1)
        if len(calls) > 1:
            raise Blocked("the limit of logins is used up")
        await fails(target)

    engine = await judged(check_of(check, "A-01"), BESIDE)

    assert engine.results["A-01"].verdict is Verdict.FAIL
    assert "BLOCKED: the limit of logins is used up" in engine.results["A-01"].unconfirmed


async def test_an_obtained_finding_that_cannot_be_judged_alone_is_unconfirmed(judged):
    calls = []

    async def check(target):
        calls.append(1)
        if len(calls) > 1:
            raise Blocked("the limit of logins is used up")
        await obtains(target)

    engine = await judged(check_of(check, "A-01"), BESIDE)

    assert engine.results["A-01"].decision.reason == "tokens"
    assert "BLOCKED: the limit of logins is used up" in engine.results["A-01"].unconfirmed


async def test_alone_a_check_shares_nothing_with_the_others(judged):
    made = []

    async def check(target):
        made.append(await target.once("a client", lambda: asyncio.sleep(0, object())))
        await fails(target)

    engine = await judged(check_of(check, "A-01"), BESIDE)

    assert engine.results["A-01"].verdict is Verdict.FAIL
    assert len(set(made)) == 2


async def test_alone_means_one_check_after_the_other(judged):
    running, most = [], []

    async def check(target):
        running.append(1)
        most.append(len(running))
        for _ in range(5):
            await asyncio.sleep(0)
        running.pop()
        await fails(target)

    await judged(*(check_of(check, f"A-0{number}") for number in range(3)))

    assert most == [1, 2, 3, 1, 1, 1]


async def test_a_check_behind_a_confirmed_failure_is_not_repeated(judged):
    calls = []

    async def check(target):
        calls.append(1)
        await fails(target)

    engine = await judged(check_of(check, "A-02", depends_on=("A-01",)), check_of(fails, "A-01"))

    assert verdicts(engine) == {"A-02": "BLOCKED", "A-01": "FAIL"}
    assert len(calls) == 1


async def test_a_failure_that_does_not_come_again_blocks_nothing(judged):
    engine = await judged(check_of(only_among_others(fails), "A-01"), check_of(fails, "A-02", depends_on=("A-01",)))

    assert verdicts(engine) == {"A-01": "PASS", "A-02": "FAIL"}


async def test_one_obstacle_of_many_checks_is_tried_twice(judged):
    calls = []

    async def check(target):
        calls.append(target.check)
        raise Blocked(f"the code is {len(calls)} s old")

    engine = await judged(*(check_of(check, f"A-0{number}") for number in range(6)))

    assert len(calls) == 6 + confirmation.SAME_OBSTACLE
    untried = [result for result in engine.results.values() if result.unconfirmed]
    assert {result.unconfirmed for result in untried} == {"2 checks with the same reason were blocked alone too"}
    assert len(untried) == 4


async def test_no_more_checks_are_confirmed_than_the_bound(judged, monkeypatch):
    monkeypatch.setattr(confirmation, "MOST", 2)
    engine = await judged(*(check_of(fails, f"A-0{number}") for number in range(4)))

    assert [bool(result.unconfirmed) for result in engine.results.values()].count(True) == 2


async def test_confirmation_ends_when_its_time_is_used_up(judged, monkeypatch):
    monkeypatch.setattr(confirmation, "LEAST_TIME", 0.0)
    run = run_with(budget=Budget())
    run.began += 3600
    engine = await judged(check_of(fails, "A-01"), BESIDE, run=run)

    assert engine.results["A-01"].unconfirmed == "the time for confirmation was used up by other checks"


async def test_bursts_are_repeated_as_bursts(judged):
    paced = []

    async def burst(target):
        paced.append(target.paced)
        await fails(target)

    await judged(check_of(burst, "B-01", needs=BURST), BESIDE, run=run_with(budget=Budget(burst=True)))

    assert paced == [False, False]


async def test_a_person_is_not_asked_to_log_in_once_more(judged):
    run = run_with()
    run.by_hand = frozenset({"A-01"})
    engine = await judged(check_of(fails, "A-01", needs=frozenset({Need.LOGIN})), BESIDE, run=run)

    assert engine.results["A-01"].unconfirmed == "a person would have to log in once more"


async def test_without_confirmation_each_check_runs_once(judged):
    engine = await judged(
        check_of(only_among_others(fails), "A-01"), BESIDE, run=run_with(budget=Budget(confirm=False))
    )

    assert verdicts(engine)["A-01"] == "FAIL"


async def test_a_check_that_is_the_only_one_has_run_alone_already(judged):
    engine = await judged(check_of(only_among_others(fails), "A-01"))

    assert verdicts(engine) == {"A-01": "FAIL"}


async def test_every_result_is_told_once_and_finally(monkeypatch):
    told = []
    checks = [check_of(only_among_others(fails), "A-01"), check_of(fails, "A-02"), BESIDE]
    engine = engine_for(monkeypatch, *checks, on_result=lambda result: told.append((result.check.id, result.verdict)))
    await engine.judge(checks)

    assert sorted(told) == [("A-01", "PASS"), ("A-02", "FAIL"), ("A-99", "PASS")]


async def test_a_run_that_is_interrupted_leaves_its_findings_unconfirmed(monkeypatch):
    never, alone = asyncio.Event(), asyncio.Event()
    calls = []

    async def check(target):
        calls.append(1)
        if len(calls) > 1:
            alone.set()
            await never.wait()
        await fails(target)

    told = []
    checks = [check_of(check, "A-01"), BESIDE]
    engine = engine_for(monkeypatch, *checks, on_result=lambda result: told.append(result.check.id))
    judging = asyncio.ensure_future(engine.judge(checks))
    await alone.wait()
    judging.cancel()
    await asyncio.wait([judging], timeout=5)
    engine.interrupt(checks)

    assert engine.results["A-01"].verdict is Verdict.FAIL
    assert "interrupted" in engine.results["A-01"].unconfirmed
    assert sorted(told) == ["A-01", "A-99"]
