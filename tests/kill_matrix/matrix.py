"""Which checks a broken server is run against, and how."""

from __future__ import annotations

import asyncio
import inspect
import os
import pickle
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from filelock import FileLock

from litmus_fixtures.broken_servers.registry import BrokenServer, all_broken_servers, replaced
from litmus_fixtures.demo_settings import SHORT, on_valkey
from litmus_fixtures.operator_profile import profile_of
from litmus_fixtures.served import served_relay
from litmus_fixtures.straw_world import straw_world
from litmus_fixtures.worlds import world
from oauth_litmus.check import all_checks
from oauth_litmus.plan import Selection
from oauth_litmus.run import Budget, Run
from oauth_litmus.runner import Options, connected, judge
from oauth_litmus.verdict import Verdict

FULL = bool(os.environ.get("LITMUS_FULL_MATRIX"))
DEAR = 6
"""Exchanges beyond which a check is run against broken servers that name it, and otherwise in the full matrix only."""
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
    cost: Mapping[str, int]
    """Exchanges of every check."""


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


async def good_run(settings: Mapping[str, str], straw: str | None = None, replicas: int = 0) -> GoodRun:
    """A run of everything against the good server, or against a straw server; what checks share counts for each of them."""
    entered: defaultdict[str, set[str]] = defaultdict(set)
    with _recording(entered):
        async with straw_world(straw) if straw else world(settings=settings, replicas=replicas) as run:
            seen = _seen(await judge(run, Selection()))
            _inherit(run, entered)
            cost = {identifier: len(run.transcript.of(identifier)) for identifier in all_checks()}
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
        return await self.of(settings_of(server).get("ACCESS_TOKENS", "supabase"), server.straw, server.replicas)

    async def of(self, tokens: str, straw: str | None = None, replicas: int = 0) -> GoodRun:
        """The run of this kind of server; whoever asks first makes it."""
        recorded = self._folder / f"{straw or tokens}-{replicas}"
        with FileLock(f"{recorded}.lock"):
            if not recorded.exists():
                made = await good_run({} if straw else {"ACCESS_TOKENS": tokens}, straw, replicas)
                recorded.write_bytes(pickle.dumps(made))
        return pickle.loads(recorded.read_bytes())


def checks_against(server: BrokenServer, good: GoodRun) -> tuple[str, ...]:
    """Those that the broken server names, and those that entered the broken seam and are not dear; all in the full matrix.

    Over sockets, where time passes, those that entered the seam are taken from the categories of the named ones alone.
    """
    if FULL:
        return tuple(all_checks())
    named = server.fails | server.warns
    near = {check.category for check in all_checks().values() if server.ring == "process" or check.id in named}
    before_all = server.seam_name in good.entered.get(EVERYBODY, frozenset())
    return tuple(
        identifier
        for identifier, check in all_checks().items()
        if identifier in named
        or (
            check.category in near
            and good.cost[identifier] <= DEAR
            and server.seam_name in good.entered.get(identifier, frozenset())
        )
        or (before_all and not check.needs)
    )


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


def _inherit(run: Run, entered: dict[str, set[str]]) -> None:
    for askers in run.asked.values():
        for asker in askers[1:]:
            entered[asker] |= entered[askers[0]]
