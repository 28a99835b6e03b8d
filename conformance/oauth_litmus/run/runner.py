"""A whole run from the user's options: connect, discover, plan, judge, and tidy up."""

from __future__ import annotations

import asyncio
import platform
import re
import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from oauth_litmus import __version__
from oauth_litmus.check import Need
from oauth_litmus.checks import all_checks
from oauth_litmus.client import Target
from oauth_litmus.clock import Clock, WallClock, stopwatch
from oauth_litmus.http.listener import Listener, listening
from oauth_litmus.http.source_addresses import can_be_bound, loopback_addresses
from oauth_litmus.http.transcript import DISCOVERY, Transcript
from oauth_litmus.http.wire import ConnectionSettings, NoAnswerError, TransportFactory, Wire
from oauth_litmus.limits.pacer import Pacer
from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.drivers import LoginDriver
from oauth_litmus.login.installed import driver_for
from oauth_litmus.login.leg import Closing
from oauth_litmus.login.manual import ManualDriver
from oauth_litmus.oauth.clients import Client
from oauth_litmus.oauth.handed_in import HandedIn
from oauth_litmus.run.engine import SLOTS, Engine, OnResult
from oauth_litmus.run.logins_by_hand import ask_for_logins, everybody
from oauth_litmus.run.plan import Selection, cannot_judge
from oauth_litmus.run.tidying import tidy_up
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.run_state.run import Run
from oauth_litmus.target.discovery import NoServerError, normalise
from oauth_litmus.target.locate import find
from oauth_litmus.target.profile import Profile, ProfileError, from_environment
from oauth_litmus.target.server import Discovered, Server
from oauth_litmus.target.upstream_control import Call, UpstreamControl
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from oauth_litmus.http.answer import Answer
    from oauth_litmus.limits.rates import Rate

SourceMode = Literal["auto", "single", "loopback"]


@dataclass(frozen=True)
class Options:
    """The options of the command line, including the loaded profile."""

    url: str
    profile: Profile = field(default_factory=Profile)
    driver: LoginDriver | None = None
    selection: Selection = field(default_factory=Selection)
    budget: Budget = field(default_factory=Budget)
    rates: Mapping[Kind, Rate] = field(default_factory=dict["Kind", "Rate"])
    source_addresses: SourceMode = "auto"
    strict: bool = False


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
    http = profile.http
    try:
        connection = ConnectionSettings(http.proxy, http.ca_file, http.client_certificate, http.client_key)
        transports = transports or connection.transports()
        transports(None)
    except OSError as error:
        raise ProfileError(f"cannot use the certificate files of the profile: {error}") from error
    except (ImportError, ValueError) as error:
        raise ProfileError(f"cannot use the proxy of the profile: {error}") from error
    for secret in [
        *(from_environment(name) for name in http.secret_headers.values()),
        *(value for _, value in profile.login.secrets()),
    ]:
        transcript.redactor.learn(secret)
    transcript.redactor.hide(profile.login.secret_names())
    handed_in = _handed_in(profile, transcript)
    headers = {
        "user-agent": f"oauth-litmus/{__version__} (Python {platform.python_version()}; run {run_id})",
        **http.headers,
    }
    transcript.redactor.publish(run_id)
    # The operator also controls the upstream, which may be behind the same edge and need the same secret headers.
    known = profile.trusted_with(options.url).and_of(profile.upstream_control)
    wire = Wire(
        transports, clock, transcript, headers, secret_headers=http.secrets(), known=known, timeout=http.timeout
    )
    _publish_addresses(transcript, options.url, profile.issuer, profile.resource, *profile.replicas)
    stack = AsyncExitStack()
    try:
        began = stopwatch()
        discovered = await find(options.url, profile, wire, longest=options.budget.longest)
        _publish_addresses(transcript, discovered.issuer, discovered.resource, *discovered.metadata.values())
        run = _run(replace(options, driver=driver), run_id, discovered, wire, clock, transcript)
        run.began = began
        stack.push_async_callback(run.health.close)
        await _see_replicas(run, options.selection)
        run.handed_in = handed_in
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


def _publish_addresses(transcript: Transcript, *addresses: object) -> None:
    """Exempt the parts of the server's own URLs from redaction: a tenant's or project's id may look like a secret."""
    for address in addresses:
        if isinstance(address, str):
            for part in re.split(r"[/.:?#]", address):
                if part:
                    transcript.redactor.publish(part)


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


def _run(
    options: Options, run_id: str, discovered: Discovered, wire: Wire, clock: Clock, transcript: Transcript
) -> Run:
    profile = options.profile
    server = Server(profile, discovered)
    sources, server.separate_sources = _sources(options, server)
    run = Run(
        run_id=run_id,
        server=server,
        wire=wire,
        pacer=Pacer(clock, {**_declared_rates(profile), **options.rates}, profile.limits.token_failures),
        clock=clock,
        transcript=transcript,
        driver=options.driver or driver_for(profile),
        budget=options.budget,
        sources=sources,
        strict=options.strict,
        configured_clients=tuple(_configured(profile, transcript)),
        registration_headers=_registration_headers(profile, transcript),
    )
    if isinstance(run.driver, ManualDriver) and run.driver.max_logins:
        run.redirect_uri = run.driver.redirect_uri
        run.by_hand = everybody(all_checks())
    if profile.upstream_control:
        run.upstream = UpstreamControl(profile.upstream_control, _control_call(wire))
    return run


def _control_call(wire: Wire) -> Call:
    async def call(method: str, url: str, body: bytes) -> Answer:
        headers = {"content-type": "application/json"}
        try:
            return await wire.send(method, url, check="upstream control", headers=headers, body=body)
        except NoAnswerError as error:
            raise Blocked(f"the upstream control does not answer: {error}", (error.number,)) from error

    return call


def _sources(options: Options, server: Server) -> tuple[Callable[[], str | None], bool]:
    if options.source_addresses == "single":
        return (lambda: None), False
    host = urlsplit(server.issuer).hostname or ""
    if host in ("127.0.0.1", "localhost") and can_be_bound():
        return loopback_addresses(), True
    if options.source_addresses == "loopback":
        raise NoServerError(f"--source-address loopback needs a target at 127.0.0.1; the target is {server.issuer}")
    return (lambda: None), False


def _declared_rates(profile: Profile) -> dict[Kind, Rate]:
    declared = profile.limits.declared()
    return {kind: declared[kind] for kind in Kind if kind in declared}


def _configured(profile: Profile, transcript: Transcript) -> list[Client]:
    clients: list[Client] = []
    for entry in profile.clients:
        secret = from_environment(entry.secret_env) if entry.secret_env else None
        transcript.redactor.learn(secret, "client_secret")
        transcript.redactor.publish(entry.client_id)
        clients.append(Client(entry.client_id, entry.redirect_uris, entry.auth_method, secret, entry.scope))
    return clients


def _handed_in(profile: Profile, transcript: Transcript) -> HandedIn | None:
    token = profile.tokens.value()
    transcript.redactor.learn(token, "access_token")
    return HandedIn(token) if token else None


def _registration_headers(profile: Profile, transcript: Transcript) -> dict[str, str]:
    if profile.initial_access_token_env is None:
        return {}
    token = from_environment(profile.initial_access_token_env)
    transcript.redactor.learn(token)
    return {"authorization": f"Bearer {token}"}


__all__ = ["Engine", "NoServerError", "Options", "connected", "judge", "normalise"]
