"""Checks that end in one way, and an engine that knows only them."""

from core_worlds import answer, run_with

from oauth_litmus import expect
from oauth_litmus.check import Need
from oauth_litmus.run import results as results_module
from oauth_litmus.run.engine import Engine
from oauth_litmus.run_state.budget import Budget

BURST = frozenset({Need.BURST})


def engine_for(monkeypatch, *checks, run=None, on_result=lambda result: None):
    monkeypatch.setattr(results_module, "all_checks", lambda: {check.id: check for check in checks})
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
