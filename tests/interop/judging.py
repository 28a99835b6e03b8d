"""Run the suite against a server of another project and compare its findings with the pinned ones.

A test module defines a subclass of `Findings` and a fixture `server_url`. A new finding and a missing one fail with a sentence.
"""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import pytest

from oauth_litmus.check import Need
from oauth_litmus.checks import all_checks
from oauth_litmus.run.engine import Engine
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.results import Result
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.target.profile import load_profile
from oauth_litmus.verdict import Verdict

Pins = dict[str, tuple[str, str]]
"""For each check, the clause and a description of what the server does."""

HERE = Path(__file__).parent
DOCUMENTATION = HERE.parents[1] / "docs" / "interop"
MAX_WAIT = 15


TOO_SLOW = "judge less at once"
"""Part of the suite's message if a lifetime ended before the suite could send its request."""


class Findings:
    """The pinned findings about one server. Each was verified by hand and is confirmed in `test_…_raw*.py`."""

    SERVER: ClassVar[str]
    """The name of the profile in `profiles/` and of the page in `docs/interop/`."""
    FAILS: ClassVar[Pins]
    WARNS: ClassVar[Pins]
    FAILS_OF_BURSTS: ClassVar[Pins] = {}
    WARNS_OF_BURSTS: ClassVar[Pins] = {}
    BLOCKED: ClassVar[frozenset[str]] = frozenset()
    """Checks that depend on a failed check: one fault is one finding."""
    LEAST_PASSED: ClassVar[int]
    """The least number of passed checks; with fewer, the suite no longer judges this server."""

    @pytest.fixture(scope="class")
    @classmethod
    def without_bursts(cls, server_url) -> Engine:
        """A run of all checks, without bursts."""
        return judged(server_url, cls.SERVER, all_checks(), burst=False)

    @pytest.fixture(scope="class")
    @classmethod
    def with_bursts(cls, server_url) -> Engine:
        """A run of the checks that need bursts, which exceed a server's rate limits."""
        bursts = [check.id for check in all_checks().values() if Need.BURST in check.needs]
        return judged(server_url, cls.SERVER, bursts, burst=True)

    def pins(self) -> Pins:
        return {**self.FAILS, **self.WARNS, **self.FAILS_OF_BURSTS, **self.WARNS_OF_BURSTS}

    @pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.WARN], ids=str)
    def test_the_findings_are_the_pinned_ones(self, without_bursts, verdict):
        assert differences(without_bursts, verdict, self.FAILS if verdict is Verdict.FAIL else self.WARNS) == []

    @pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.WARN], ids=str)
    def test_the_findings_with_bursts_are_the_pinned_ones(self, with_bursts, verdict):
        pinned = self.FAILS_OF_BURSTS if verdict is Verdict.FAIL else self.WARNS_OF_BURSTS

        assert differences(with_bursts, verdict, pinned) == []

    @pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.ERROR], ids=str)
    def test_no_other_check_is_blocked_or_has_an_error(self, without_bursts, with_bursts, verdict):
        known = self.BLOCKED if verdict is Verdict.BLOCKED else ()

        assert differences(without_bursts, verdict, known) + differences(with_bursts, verdict, ()) == []

    def test_most_checks_pass(self, without_bursts):
        assert without_bursts.readiness.diagnosis == ""
        assert len(with_verdict(without_bursts, Verdict.PASS)) >= self.LEAST_PASSED

    def test_every_pin_cites_a_clause_of_its_requirement(self):
        checks = all_checks()

        for name, (clause, _) in self.pins().items():
            assert clause in checks[name].requirement.clauses, name

    def test_the_documentation_lists_exactly_the_pins(self):
        lines = (DOCUMENTATION / f"{self.SERVER}.md").read_text().splitlines()
        rows = [line.split("|")[1] for line in lines if line.startswith("|")]
        told = {name for cell in rows for name in re.findall(r"[A-Z]+-\d\d[a-z]?", cell)}

        assert told == set(self.pins())


def judged(server_url: str, server: str, names: Iterable[str], *, burst: bool) -> Engine:
    """Judge the server at this URL with its profile; repeat checks for which the machine was too slow."""
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
    """Return a sentence for each new finding and for each missing one."""
    found, known = with_verdict(engine, verdict), set(pinned)
    new = [
        f"{name} is a new {verdict} ({found[name].decision.reason}): confirm it with a raw exchange, then pin it"
        for name in sorted(found.keys() - known)
    ]
    gone = [
        f"{name} is now {engine.results[name].verdict}, not {verdict}: the server or the check has changed"
        for name in sorted(known - found.keys())
    ]
    return new + gone
