"""A short run against a torture server, as from the command line."""

import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from freezegun import freeze_time

from litmus_fixtures.straw_world import straw_profile
from oauth_litmus.clock import SteppedClock
from oauth_litmus.run.engine import Engine
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.target.discovery import NoServerError
from oauth_litmus.verdict import Verdict

FEW = ("META-04", "REPLAY-01", "REPLAY-06", "BEARER-04", "TOKEN-01", "HEADERS-01")
TIMEOUT = 0.4


def profile_of(**changes):
    """Return the operator's profile with short timeouts and without rate limits, which the torture server does not have."""
    straw = straw_profile("managed")
    http = straw.http.model_copy(update={"timeout": changes.pop("timeout", TIMEOUT), **changes.pop("http", {})})
    return straw.model_copy(update={"limits": type(straw.limits)(), "http": http, **changes})


@dataclass
class Outcome:
    engine: Engine
    left_behind: list[str]

    @property
    def verdicts(self):
        return {name: str(result.verdict) for name, result in self.engine.results.items()}

    @property
    def reasons(self):
        return {name: result.decision.reason for name, result in self.engine.results.items()}

    def of(self, *wanted):
        return {name for name, verdict in self.verdicts.items() if verdict in wanted}

    @property
    def diagnosis(self):
        return self.engine.readiness.diagnosis


async def judged(torture, *only, profile=None, budget=None, url=None, sources="single"):
    """Judge these checks. Each must have a verdict, and none may be an ERROR of the suite itself."""
    only = only or FEW
    options = Options(
        url or torture.origin, profile or profile_of(), selection=Selection(only), budget=budget or Budget(5.0),
        source_addresses=sources,
    )  # fmt: skip
    async with connected(options) as run:
        engine = await judge(run, options.selection)
        assert set(engine.results) == {check.id for check in options.selection.checks()}
        assert Verdict.ERROR not in {result.verdict for result in engine.results.values()}, engine.results
        return Outcome(engine, run.clients.left_behind)


@contextmanager
def stepped_clock():
    """A frozen clock that only the suite moves."""
    with freeze_time("2026-07-01 12:00:00", real_asyncio=True) as frozen:

        def move_to(instant):
            frozen.tick(timedelta(microseconds=math.ceil((instant - time.time()) * 1e6)))

        yield SteppedClock(24, move_to)


async def complaint(torture, **more):
    """Return the error message that the suite gives instead of a run."""
    try:
        await judged(torture, **more)
    except NoServerError as error:
        return str(error)
    raise AssertionError("there was a run")
