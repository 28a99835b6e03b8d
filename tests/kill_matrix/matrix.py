"""Which checks a broken server is run against, and how."""

from __future__ import annotations

import asyncio
import inspect
import os
import pickle
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

from filelock import FileLock

from litmus_fixtures.broken_servers.registry import BrokenServer, all_broken_servers, replaced
from litmus_fixtures.demo_settings import SHORT, on_valkey
from litmus_fixtures.operator_profile import profile_of
from litmus_fixtures.served import served_relay
from litmus_fixtures.straw_world import straw_world
from litmus_fixtures.worlds import world
from oauth_litmus.check import Check, Need
from oauth_litmus.checks import all_checks
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.run_state.run import Run
from oauth_litmus.verdict import Verdict

FULL = bool(os.environ.get("LITMUS_FULL_MATRIX"))
NEAR, FAR = 10, 2
"""Exchanges that a check may cost where a broken server does not name it: in the categories of the named ones, and elsewhere.

What costs more is run against every broken server in the full matrix.
"""
EVERYBODY = "discovery and preflight"


@dataclass(frozen=True)
class Seen:
    """What the suite said of one server."""

    fails: frozenset[str]
    warns: frozenset[str]
    blocked: frozenset[str]
    errors: frozenset[str]
    diagnosis: str


def settings_of(server: BrokenServer) -> dict[str, str]:
    return dict(server.settings)


@dataclass(frozen=True)
class GoodRun:
    """What a good run showed: its verdicts, the seams that every check entered, and what each cost."""

    entered: Mapping[str, frozenset[str]]
    seen: Seen
    cost: Mapping[str, float]
    """Exchanges of every check: its own, and a fair share of what it has in common with others."""


async def judged_in_process(
    server: BrokenServer | None, ids: tuple[str, ...], settings: Mapping[str, Any] | None = None, replicas: int = 0
) -> Seen:
    async with world(server, settings=settings, replicas=replicas) as run:
        return _seen(await judge(run, Selection(only=ids)))


async def judged_over_sockets(server: BrokenServer, ids: tuple[str, ...]) -> Seen:
    further: list[dict[str, str]] = [{}] * (server.replicas - 1)
    with (
        on_valkey() as store,
        served_relay({**SHORT, **store, **settings_of(server)}, broken=server.name, replicas=further) as served,
    ):
        profile = profile_of(served.settings, served.simulator, replicas=served.replicas)
        async with connected(Options(served.issuer, profile, budget=Budget(60, burst=True))) as run:
            return _seen(await judge(run, Selection(only=ids)))


async def good_run(settings: Mapping[str, str], straw: str | None = None) -> GoodRun:
    """A run of everything against the good server, or against a straw server; what checks share counts for each of them."""
    entered: defaultdict[str, set[str]] = defaultdict(set)
    with _recording(entered):
        async with straw_world(straw) if straw else world(settings=settings) as run:
            bill = _Bill(run)
            with patch.object(run, "once", bill.weighed):
                seen = _seen(await judge(run, Selection()))
            _inherit(run, entered)
            cost = bill.fair_shares()
    return GoodRun({check: frozenset(seams) for check, seams in entered.items()}, seen, cost)


class GoodRuns:
    """The good runs of one session, each recorded once for all its workers: a run of everything costs as much as fifteen mutants."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    async def against(self, server: BrokenServer) -> GoodRun:
        """The one to compare a broken server with.

        Which seams a check enters depends on the class of access token; other settings change what happens in them.
        """
        return await self.of(settings_of(server).get("ACCESS_TOKENS", "supabase"), server.straw)

    async def of(self, tokens: str, straw: str | None = None) -> GoodRun:
        """The run of this kind of server; whoever asks first makes it."""
        recorded = self._folder / (straw or tokens)
        with FileLock(f"{recorded}.lock"):
            if not recorded.exists():
                made = await good_run({} if straw else {"ACCESS_TOKENS": tokens}, straw)
                recorded.write_bytes(pickle.dumps(made))
        return pickle.loads(recorded.read_bytes())


def checks_against(server: BrokenServer, good: GoodRun) -> tuple[str, ...]:
    """Those that the broken server names, and those that enter the broken seam and are not dear; all in the full matrix.

    Over sockets, where time passes, only categories of the named ones count. Of replicas, whose instances share what the
    good run has one of, every check enters the seam.
    """
    if FULL:
        return tuple(all_checks())
    named = server.fails | server.warns
    near = {check.category for check in all_checks().values() if check.id in named}
    before_all = server.seam_name in good.entered.get(EVERYBODY, frozenset())

    def may_see_it(check: Check) -> bool:
        far = FAR if server.ring == "process" else -1
        dear = NEAR if check.category in near else far
        return good.cost[check.id] <= dear and (
            server.seam_name in good.entered.get(check.id, frozenset())
            or (before_all and not check.needs)
            or (bool(server.replicas) and Need.REPLICAS in check.needs)
        )

    return tuple(check.id for check in all_checks().values() if check.id in named or may_see_it(check))


def _seen(engine: Any) -> Seen:
    by_verdict: defaultdict[Verdict, set[str]] = defaultdict(set)
    for identifier, result in engine.results.items():
        by_verdict[result.verdict].add(identifier)
    return Seen(
        frozenset(by_verdict[Verdict.FAIL]),
        frozenset(by_verdict[Verdict.WARN]),
        frozenset(by_verdict[Verdict.BLOCKED]),
        frozenset(by_verdict[Verdict.ERROR]),
        engine.readiness.diagnosis,
    )


@contextmanager
def _recording(entered: dict[str, set[str]]) -> Iterator[None]:
    with ExitStack() as stack:
        for seam in {server.seam_name: server.seam for server in all_broken_servers().values()}.items():
            stack.enter_context(replaced(seam[1], _recorder(*seam, entered)))
        yield


def _recorder(name: str, seam: Callable[..., Any], entered: dict[str, set[str]]) -> Callable[..., Any]:
    known = all_checks().keys()

    # In process the application runs in the task of the check that asked; the engine names tasks by their check.
    def note() -> None:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        check = task.get_name() if task else EVERYBODY
        entered[check if check in known else EVERYBODY].add(name)

    @wraps(seam)
    async def recording_later(*args: object, **kwargs: object) -> object:
        note()
        return await seam(*args, **kwargs)

    @wraps(seam)
    def recording(*args: object, **kwargs: object) -> object:
        note()
        return seam(*args, **kwargs)

    # An async function stays one: routes are told apart by that.
    return recording_later if inspect.iscoroutinefunction(seam) else recording


class _Bill:
    """Who pays for the exchanges of a run. What checks share is made by the first that asks, and would look free for the others."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._shared: list[tuple[Hashable, str, int]] = []
        self._once = run.shared.once

    async def weighed(self, key: Hashable, make: Callable[[], Awaitable[Any]], asker: str = "") -> Any:
        """What the run has once, with what making it costs."""

        async def made() -> Any:
            before = self._sent_by(asker)
            try:
                return await make()
            finally:
                self._shared.append((key, asker, self._sent_by(asker) - before))

        return await self._once(key, made, asker)

    def _sent_by(self, check: str) -> int:
        return len(self._run.transcript.of(check))

    def fair_shares(self) -> dict[str, float]:
        """The exchanges of every check, those of what is shared divided among all that asked for it."""
        shares: defaultdict[str, float] = defaultdict(float)
        for key, maker, exchanges in self._shared:
            askers = set(self._run.shared.askers[key])
            shares[maker] -= exchanges
            for asker in askers:
                shares[asker] += exchanges / len(askers)
        return {check: max(0.0, self._sent_by(check) + shares[check]) for check in all_checks()}


def _inherit(run: Run, entered: dict[str, set[str]]) -> None:
    for askers in run.shared.askers.values():
        for asker in askers[1:]:
            entered[asker] |= entered[askers[0]]
