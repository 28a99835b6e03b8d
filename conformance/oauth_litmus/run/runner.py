"""A whole run from the user's options: connect, discover, plan, judge, and tidy up."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus.check import Need
from oauth_litmus.client import Target
from oauth_litmus.clock import Clock, WallClock, stopwatch
from oauth_litmus.http.listener import Listener, listening
from oauth_litmus.http.transcript import DISCOVERY, Transcript
from oauth_litmus.http.wire import TransportFactory
from oauth_litmus.login.installed import driver_for
from oauth_litmus.login.leg import Closing
from oauth_litmus.run.assembly import assemble
from oauth_litmus.run.connection import handed_in_token, learn_secrets, open_wire, publish_addresses, transports_of
from oauth_litmus.run.engine import SLOTS, Engine, OnResult
from oauth_litmus.run.logins_by_hand import ask_for_logins
from oauth_litmus.run.options import Options
from oauth_litmus.run.plan import Selection, cannot_judge
from oauth_litmus.run.tidying import tidy_up
from oauth_litmus.run_state.run import Run
from oauth_litmus.target.discovery import NoServerError, normalise
from oauth_litmus.target.locate import find
from oauth_litmus.target.profile import ProfileError
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@asynccontextmanager
async def connected(
    options: Options,
    *,
    transports: TransportFactory | None = None,
    clock: Clock | None = None,
    listener: Listener | None = None,
) -> AsyncGenerator[Run]:
    """Find the server and yield a run that is connected to it; close every connection at the end.

    Args:
        options: the user's options.
        transports: makes the HTTP transports; by default they use the network.
        clock: the run's clock; real time by default.
        listener: records requests that the server under test sends; by default one that binds a port.

    Raises:
        NoServerError: there is no authorization server at the URL, or a replica does not answer for it.
        ProfileError: a certificate file, the proxy or the listener cannot be used, or a secret is missing in the environment.
    """
    profile, run_id = options.profile, secrets.token_hex(4)
    driver = options.driver or driver_for(profile)
    clock = clock or WallClock(SLOTS)
    transcript = Transcript()
    transports = transports or transports_of(profile)
    learn_secrets(profile, transcript)
    handed_in = handed_in_token(profile, transcript)
    wire = open_wire(options, run_id, clock, transcript, transports)
    publish_addresses(transcript, options.url, profile.issuer, profile.resource, *profile.replicas)
    stack = AsyncExitStack()
    try:
        began = stopwatch()
        discovered = await find(options.url, profile, wire, longest=options.budget.longest)
        publish_addresses(transcript, discovered.issuer, discovered.resource, *discovered.metadata.values())
        run = assemble(replace(options, driver=driver), run_id, discovered, wire, clock, transcript)
        run.began = began
        stack.push_async_callback(run.health.close)
        run.handed_in = handed_in
        await _see_replicas(run, options.selection)
        async with _listening(run, listener) as run.listener:
            yield run
    finally:
        await stack.aclose()
        await wire.close()
        if isinstance(driver, Closing):
            await driver.close()


async def _see_replicas(run: Run, selection: Selection) -> None:
    """If a selected check uses replicas, verify before the run that every replica answers for the issuer.

    Raises:
        NoServerError: a replica does not answer for the issuer; the message has a sentence for each such replica.
    """
    origins = dict.fromkeys(run.server.profile.replicas)
    if (
        len(origins) < 2
        or run.server.endpoints_elsewhere
        or not any(Need.REPLICAS in c.needs for c in selection.checks())
    ):
        return
    target, silent = Target(run, DISCOVERY), list[str]()
    async with run.clock.running():
        for origin in origins:
            try:
                await target.routes.to(origin)
            except Blocked as error:
                silent.append(str(error))
    if silent:
        raise NoServerError("\n".join(silent))


@asynccontextmanager
async def _listening(run: Run, given: Listener | None) -> AsyncGenerator[Listener | None]:
    if given is not None:
        yield given
        return
    settings, loopback = run.server.profile.listener, run.server.is_loopback
    opened = listening(settings.address, settings.url, loopback=loopback) if settings else listening(loopback=loopback)
    async with AsyncExitStack() as stack:
        try:
            listener = await stack.enter_async_context(opened)
        except OSError as error:
            where = settings.bind if settings else "loopback"
            raise ProfileError(f"cannot listen at {where}, the address for [listener]: {error}") from error
        yield listener


async def judge(run: Run, selection: Selection, on_result: OnResult = lambda result: None) -> Engine:
    """Run the preflight and every selected check, then remove the clients that the run registered.

    A cancellation ends the run early; the engine then holds the results so far.
    """
    engine = Engine(run, on_result)
    checks = selection.checks()
    run.quick = selection.only == ("core",)
    try:
        readiness = await engine.preflight()
        if run.by_hand:
            ask_for_logins(run, [check for check in checks if cannot_judge(check, run, readiness) is None])
        await engine.judge(checks)
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None:
            task.uncancel()
        engine.interrupt(checks)
    await tidy_up(run)
    return engine


__all__ = ["Engine", "NoServerError", "Options", "connected", "judge", "normalise"]
