"""Select the checks to run against a broken server, and run them."""

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
"""The most exchanges of a check that runs against a broken server which does not name it.

NEAR applies to the categories of the named checks, FAR to all other categories. In the full matrix, the more expensive
checks also run against every broken server.
"""
BEFORE_CHECKS = "discovery and preflight"


@dataclass(frozen=True)
class Seen:
    """The verdicts of the suite on one server."""

    fails: frozenset[str]
    warns: frozenset[str]
    blocked: frozenset[str]
    errors: frozenset[str]
    diagnosis: str


def settings_of(server: BrokenServer) -> dict[str, str]:
    return dict(server.settings)


@dataclass(frozen=True)
class GoodRun:
    """The results of a good run: its verdicts, the seams that each check entered, and the cost of each check."""

    entered: Mapping[str, frozenset[str]]
    seen: Seen
    cost: Mapping[str, float]
    """The exchanges of each check: its own, and a fair share of the exchanges that several checks share."""


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
    """Run all checks against the good server or a straw server. A seam in shared work counts for each check that uses the work."""
    entered: defaultdict[str, set[str]] = defaultdict(set)
    with _recording(entered):
        async with straw_world(straw) if straw else world(settings=settings) as run:
            bill = _Bill(run)
            with patch.object(run.shared, "once", bill.weighed):
                seen = _seen(await judge(run, Selection()))
            _inherit(run, entered)
            cost = bill.fair_shares()
    return GoodRun({check: frozenset(seams) for check, seams in entered.items()}, seen, cost)


class GoodRuns:
    """The good runs of one session. Each is recorded once for all workers, because it costs as much as fifteen mutants."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(exist_ok=True)

    async def against(self, server: BrokenServer) -> GoodRun:
        """Return the good run to compare a broken server with.

        The class of access token decides which seams a check enters. Other settings only change what happens in them.
        """
        return await self.of(settings_of(server).get("ACCESS_TOKENS", "supabase"), server.straw)

    async def of(self, tokens: str, straw: str | None = None) -> GoodRun:
        """Return the good run of this kind of server. The first caller runs it."""
        recorded = self._folder / (straw or tokens)
        with FileLock(f"{recorded}.lock"):
            if not recorded.exists():
                made = await good_run({} if straw else {"ACCESS_TOKENS": tokens}, straw)
                recorded.write_bytes(pickle.dumps(made))
        return pickle.loads(recorded.read_bytes())


def checks_against(server: BrokenServer, good: GoodRun) -> tuple[str, ...]:
    """Return the named checks, and the cheap checks that enter the broken seam; in the full matrix, all checks.

    Over sockets, where waits take real time, only checks in the categories of the named checks count. If the server has
    replicas, all replica checks count as entering the seam, because the good run has one instance.
    """
    if FULL:
        return tuple(all_checks())
    named = server.fails | server.warns
    near = {check.category for check in all_checks().values() if check.id in named}
    before_checks = server.seam_name in good.entered.get(BEFORE_CHECKS, frozenset())

    def may_see_it(check: Check) -> bool:
        far = FAR if server.ring == "process" else -1
        dear = NEAR if check.category in near else far
        return good.cost[check.id] <= dear and (
            server.seam_name in good.entered.get(check.id, frozenset())
            or (before_checks and not check.needs)
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

    # In process, the application runs in the task of the check that sent the request. The engine names tasks by check.
    def note() -> None:
        try:
            task = asyncio.current_task()
        except RuntimeError:
            task = None
        check = task.get_name() if task else BEFORE_CHECKS
        entered[check if check in known else BEFORE_CHECKS].add(name)

    @wraps(seam)
    async def recording_later(*args: object, **kwargs: object) -> object:
        note()
        return await seam(*args, **kwargs)

    @wraps(seam)
    def recording(*args: object, **kwargs: object) -> object:
        note()
        return seam(*args, **kwargs)

    # An async function must stay async, because the router distinguishes endpoints by that.
    return recording_later if inspect.iscoroutinefunction(seam) else recording


class _Bill:
    """Assign the exchanges of a run to checks. The first check makes shared work, which would look free for the others."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._shared: list[tuple[Hashable, str, int]] = []
        self._once = run.shared.once

    async def weighed(self, key: Hashable, make: Callable[[], Awaitable[Any]], asker: str = "") -> Any:
        """Make shared work once, and record what it costs."""

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
        """Return the exchanges of each check. Shared exchanges are divided among all checks that use them."""
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
