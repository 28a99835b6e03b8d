"""The suite judges a server that nobody here wrote; what it finds is pinned by check, with the clause.

A test module makes a subclass of `Findings` and a fixture `server_url`. A finding that is new, or that is gone, fails with a sentence.
"""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import pytest

from oauth_litmus.check import Need
from oauth_litmus.checks import all_checks
from oauth_litmus.run.engine import Engine, Result
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.target.profile import load_profile
from oauth_litmus.verdict import Verdict

Pins = dict[str, tuple[str, str]]
"""The clause, and what the server does, by check."""

HERE = Path(__file__).parent
DOCUMENTATION = HERE.parents[1] / "docs" / "interop"
MAX_WAIT = 15


TOO_SLOW = "judge less at once"
"""What the suite says of what ended before its request was sent."""


class Findings:
    """What the suite says of one server; each finding was looked at by hand, and is seen again in `test_…_raw.py`."""

    SERVER: ClassVar[str]
    """Names the profile in `profiles/` and the page in `docs/interop/`."""
    FAILS: ClassVar[Pins]
    WARNS: ClassVar[Pins]
    FAILS_OF_BURSTS: ClassVar[Pins] = {}
    WARNS_OF_BURSTS: ClassVar[Pins] = {}
    BLOCKED: ClassVar[frozenset[str]] = frozenset()
    """By the failure of a check that they depend on: one fault is one finding."""
    LEAST_PASSED: ClassVar[int]
    """Fewer verdicts than this would mean that the suite has stopped to judge."""

    @pytest.fixture(scope="class")
    @classmethod
    def calm(cls, server_url) -> Engine:
        """Every check, without bursts."""
        return judged(server_url, cls.SERVER, all_checks(), burst=False)

    @pytest.fixture(scope="class")
    @classmethod
    def stormy(cls, server_url) -> Engine:
        """The checks that send more than a server's limits allow."""
        bursts = [check.id for check in all_checks().values() if Need.BURST in check.needs]
        return judged(server_url, cls.SERVER, bursts, burst=True)

    def pins(self) -> Pins:
        return {**self.FAILS, **self.WARNS, **self.FAILS_OF_BURSTS, **self.WARNS_OF_BURSTS}

    @pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.WARN], ids=str)
    def test_the_findings_are_the_known_ones(self, calm, verdict):
        assert differences(calm, verdict, self.FAILS if verdict is Verdict.FAIL else self.WARNS) == []

    @pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.WARN], ids=str)
    def test_the_findings_of_bursts_are_the_known_ones(self, stormy, verdict):
        pinned = self.FAILS_OF_BURSTS if verdict is Verdict.FAIL else self.WARNS_OF_BURSTS

        assert differences(stormy, verdict, pinned) == []

    @pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.ERROR], ids=str)
    def test_everything_that_is_offered_can_be_judged(self, calm, stormy, verdict):
        known = self.BLOCKED if verdict is Verdict.BLOCKED else ()

        assert differences(calm, verdict, known) + differences(stormy, verdict, ()) == []

    def test_most_checks_pass(self, calm):
        assert calm.readiness.diagnosis == ""
        assert len(with_verdict(calm, Verdict.PASS)) >= self.LEAST_PASSED

    def test_every_pin_cites_a_clause_of_its_requirement(self):
        checks = all_checks()

        for name, (clause, _) in self.pins().items():
            assert clause in checks[name].requirement.clauses, name

    def test_the_documentation_tells_of_every_pin_and_of_no_other(self):
        lines = (DOCUMENTATION / f"{self.SERVER}.md").read_text().splitlines()
        rows = [line.split("|")[1] for line in lines if line.startswith("|")]
        told = {name for cell in rows for name in re.findall(r"[A-Z]+-\d\d[a-z]?", cell)}

        assert told == set(self.pins())


def judged(server_url: str, server: str, names: Iterable[str], *, burst: bool) -> Engine:
    """Judge the server at this URL by its profile, and what a busy machine was too slow for again."""
    profile = load_profile(HERE / "profiles" / f"{server}.toml")

    async def run(only: Iterable[str]) -> Engine:
        options = Options(server_url, profile, budget=Budget(max_wait=MAX_WAIT, burst=burst))
        async with connected(options) as opened:
            return await judge(opened, Selection(only=tuple(only)))

    engine = asyncio.run(run(names))
    late = [
        name for name, result in with_verdict(engine, Verdict.BLOCKED).items() if TOO_SLOW in result.decision.reason
    ]
    if late:
        engine.results.update(asyncio.run(run(late)).results)
    return engine


def with_verdict(engine: Engine, verdict: Verdict) -> dict[str, Result]:
    return {name: result for name, result in engine.results.items() if result.verdict is verdict}


def differences(engine: Engine, verdict: Verdict, pinned: Iterable[str]) -> list[str]:
    """A sentence for each finding that is new, and for each that is gone."""
    found, known = with_verdict(engine, verdict), set(pinned)
    new = [
        f"{name} is a new {verdict} ({found[name].decision.reason}): confirm it with a raw exchange, then pin it"
        for name in sorted(found.keys() - known)
    ]
    gone = [
        f"{name} is no {verdict} any more but {engine.results[name].verdict}: the server or the check has changed"
        for name in sorted(known - found.keys())
    ]
    return new + gone
