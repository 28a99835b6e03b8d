"""A whole run from one address against ordinary limits, on a clock that is moved: no 429, no verdict lost, no time wasted."""

import random
from collections import Counter
from dataclasses import replace

import pytest

import litmus_fixtures.worlds
from litmus_fixtures.worlds import world
from oauth_litmus.check import Need
from oauth_litmus.checks import all_checks
from oauth_litmus.http.wire import Wire
from oauth_litmus.limits.rates import Kind
from oauth_litmus.run.engine import SLOTS
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options, judge
from oauth_litmus.target.profile import Limits

PER_MINUTE = 10
LIMITED = {f"LIMIT_{action}": f"{PER_MINUTE}/60" for action in ("REGISTER", "AUTHORIZE", "START", "CALLBACK")}
LIFETIMES = {"CODE_TTL": 300, "PENDING_LOGIN_TTL": 600, "REFRESH_TOKEN_TTL": 600}
MAX_WAIT = 700.0
QUARTER_OF_AN_HOUR = 900.0


def with_latency(monkeypatch, clock):
    """Let each request take some hundredths of a second, now more and now less: without, all is done in one moment."""
    send, drawn = Wire.send, random.Random(2)

    async def slowly(wire, *arguments, **options):
        if clock.ready:  # the preflight is no check, and does not wait
            await clock.until(clock.now() + drawn.uniform(0.004, 0.08))
        return await send(wire, *arguments, **options)

    monkeypatch.setattr(Wire, "send", slowly)


async def judged(monkeypatch, *only, declared):
    """The verdicts by check, the run, and the seconds that it took by its own clock."""

    def from_one_address(url, profile, budget):
        known = profile if declared else profile.model_copy(update={"limits": Limits()})
        budget = replace(budget, burst=False)
        return Options(url, known, budget=budget, source_addresses="single", selection=Selection(only))

    monkeypatch.setattr(litmus_fixtures.worlds, "Options", from_one_address)
    async with world(settings={**LIMITED, **LIFETIMES}, max_wait=MAX_WAIT) as run:
        begun = run.clock.now()
        if declared:
            with_latency(monkeypatch, run.clock)
        engine = await judge(run, Selection(only))
        verdicts = {identifier: str(result.verdict) for identifier, result in engine.results.items()}
        return verdicts, run, run.clock.now() - begun


def least_seconds(run):
    """The seconds that the limits alone impose on the requests of a run."""
    return max((count - 1) // PER_MINUTE * 60.0 for kind, count in run.pacer.spent.items() if kind in _LIMITED_KINDS)


_LIMITED_KINDS = (Kind.REGISTER, Kind.AUTHORIZE, Kind.START, Kind.CALLBACK)


@pytest.mark.parametrize(
    ("declared", "only"), [(True, ()), (False, ("core",))], ids=["declared", "undeclared, of core alone"]
)
async def test_the_limits_of_a_deployment_cost_time_and_no_verdict(monkeypatch, declared, only):
    verdicts, run, seconds = await judged(monkeypatch, *only, declared=declared)

    assert Counter(verdicts.values()).keys() <= {"PASS", "WARN", "SKIP", "N/A"}
    # Requests that are under way when the run meets an undeclared limit are refused too; later ones are not.
    assert max(run.pacer.refused.values()) <= (0 if declared else SLOTS)
    assert seconds <= 1.2 * max(MAX_WAIT, least_seconds(run))


async def test_core_alone_is_judged_whole_in_a_quarter_of_an_hour(monkeypatch):
    verdicts, run, seconds = await judged(monkeypatch, "core", declared=True)

    not_given = {identifier for identifier, check in all_checks().items() if Need.BURST in check.needs}
    assert {identifier for identifier, verdict in verdicts.items() if verdict == "SKIP"} <= not_given
    assert set(verdicts.values()) <= {"PASS", "WARN", "SKIP", "N/A"}
    assert not sum(run.pacer.refused.values())
    assert seconds < QUARTER_OF_AN_HOUR
