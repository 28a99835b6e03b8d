"""Whole runs in real time, from one address, against a relay with ordinary rate limits and lifetimes: `nox -s endurance`.

Each run takes between fifteen minutes and almost an hour. The runs can go in parallel, and no merge waits for them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from time import monotonic

import pytest

from litmus_fixtures.demo_settings import SHORT
from litmus_fixtures.operator_profile import profile_of
from litmus_fixtures.served import served_relay
from oauth_litmus.check import Need
from oauth_litmus.checks import all_checks
from oauth_litmus.limits.rates import Kind
from oauth_litmus.run.engine import SLOTS, Engine
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.run_state.run import Run
from oauth_litmus.target.profile import Limits
from oauth_litmus.verdict import Verdict

pytestmark = pytest.mark.sockets

PER_MINUTE = 10
LIMITED_ACTIONS = ("REGISTER", "AUTHORIZE", "START", "CALLBACK")
ORDINARY = {
    **{f"LIMIT_{action}": f"{PER_MINUTE}/60" for action in LIMITED_ACTIONS},
    "CODE_TTL": "300",
    "PENDING_LOGIN_TTL": "600",
    "REFRESH_TOKEN_TTL": "600",
}
UNLIMITED = {**SHORT, **{name: "0" for name in SHORT if name.startswith("LIMIT_")}}
MAX_WAIT = 700.0
QUARTER_OF_AN_HOUR = 900.0
LONGEST_OF_SHORT = max(float(SHORT[name]) for name in SHORT if name.endswith("_TTL"))


@dataclass(frozen=True)
class Judged:
    """A finished run, and the seconds that it took."""

    run: Run
    engine: Engine
    seconds: float

    def figures(self, title: str) -> str:
        """Return one line of figures for the documentation."""
        spent = {str(kind): count for kind, count in self.run.pacer.spent.items()}
        verdicts = Counter(str(result.verdict) for result in self.engine.results.values())
        refused = dict(self.run.pacer.refused)
        return f"{title}: {self.seconds:.0f} s, requests {spent}, refused {refused}, verdicts {dict(verdicts)}"

    def with_verdict(self, *verdicts: Verdict) -> dict[str, str]:
        """Return verdict and reason of the checks with these verdicts."""
        found = {name: result for name, result in self.engine.results.items() if result.verdict in verdicts}
        return {name: f"{result.verdict}: {result.decision.reason}" for name, result in found.items()}

    @property
    def unjudged_core(self) -> dict[str, str]:
        """Core checks that are SKIP, BLOCKED or ERROR, although the run had everything that they need."""
        checks = all_checks()
        return {
            identifier: reason
            for identifier, reason in self.with_verdict(Verdict.SKIP, Verdict.BLOCKED, Verdict.ERROR).items()
            if checks[identifier].requirement.core and not checks[identifier].needs & self._not_given
        }

    @property
    def _not_given(self) -> frozenset[Need]:
        """The needs that a run from one address does not meet, and the burst permission if the run does not have it."""
        return frozenset({Need.SECOND_SOURCE} if self.run.budget.burst else {Need.SECOND_SOURCE, Need.BURST})

    @property
    def waited_for_by_bursts(self) -> float:
        """Total seconds of the windows of bursts. From one address, bursts on one rate limit run one after another."""
        judged = [check for check in all_checks().values() if not check.needs & self._not_given]
        return sum(check.waits(self.run.server) for check in judged if Need.BURST in check.needs and check.waits)

    @property
    def imposed_by_limits(self) -> float:
        """The minimum seconds that the rate limits impose on the requests of the run."""
        kinds = (Kind.REGISTER, Kind.AUTHORIZE, Kind.START, Kind.CALLBACK)
        paced = max((self.run.pacer.spent.get(kind, 0) - 1) // PER_MINUTE * 60.0 for kind in kinds)
        return paced + self.waited_for_by_bursts


async def judged(
    values: dict[str, str],
    *,
    declared: bool = True,
    burst: bool = False,
    only: tuple[str, ...] = (),
    latency: float = 0.0,
    single: bool = True,
) -> Judged:
    with served_relay(values, latency=latency) as served:
        profile = profile_of(served.settings, served.simulator)
        if not declared:
            profile = profile.model_copy(update={"limits": Limits()})
        selection = Selection(only=only)
        options = Options(
            served.issuer,
            profile,
            selection=selection,
            budget=Budget(MAX_WAIT, burst=burst),
            source_addresses="single" if single else "auto",
        )
        begun = monotonic()
        async with connected(options) as run:
            engine = await judge(run, selection)
            return Judged(run, engine, monotonic() - begun)


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
async def test_a_complete_run_takes_no_longer_than_the_limits_impose(declared):
    seen = await judged(ORDINARY, declared=declared)

    print(seen.figures(f"complete, limits {'declared' if declared else 'undeclared'}"))
    assert seen.with_verdict(Verdict.FAIL, Verdict.BLOCKED, Verdict.ERROR) == {}
    assert seen.unjudged_core == {}
    assert max(seen.run.pacer.refused.values(), default=0) <= (0 if declared else SLOTS)
    assert seen.seconds <= 1.2 * max(MAX_WAIT, seen.imposed_by_limits)


async def test_a_complete_run_with_bursts_meets_a_429_in_bursts_alone():
    seen = await judged(ORDINARY, burst=True)

    print(seen.figures("complete with bursts, limits declared"))
    bursts = {identifier for identifier, check in all_checks().items() if Need.BURST in check.needs}
    refused = {
        identifier
        for identifier in all_checks()
        if any(exchange.response.startswith("429") for exchange in seen.run.transcript.of(identifier))
    }
    assert refused <= bursts
    assert seen.with_verdict(Verdict.FAIL, Verdict.BLOCKED, Verdict.ERROR) == {}
    assert seen.unjudged_core == {}
    assert seen.seconds <= 1.2 * seen.imposed_by_limits


async def test_core_alone_takes_less_than_a_quarter_of_an_hour():
    seen = await judged(ORDINARY, only=("core",))

    print(seen.figures("core, limits declared"))
    assert seen.unjudged_core == {}
    assert seen.seconds < QUARTER_OF_AN_HOUR


@pytest.mark.parametrize(
    ("latency", "at_most"), [(0.0, 30.0), (0.1, LONGEST_OF_SHORT + 30.0)], ids=["near", "100 ms each way"]
)
async def test_without_limits_a_run_takes_little_longer_than_its_longest_wait(latency, at_most):
    seen = await judged(UNLIMITED, burst=True, latency=latency, single=False)

    print(seen.figures(f"no limits, lifetimes of seconds, {latency * 1000:.0f} ms each way"))
    assert seen.with_verdict(Verdict.FAIL, Verdict.BLOCKED, Verdict.ERROR) == {}
    assert seen.seconds < at_most
