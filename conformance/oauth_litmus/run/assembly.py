"""Builds a run from the options and from what discovery found."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.checks import all_checks
from oauth_litmus.http.source_addresses import can_be_bound, loopback_addresses
from oauth_litmus.http.wire import NoAnswerError
from oauth_litmus.limits.pacer import Pacer
from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.installed import driver_for
from oauth_litmus.login.manual import ManualDriver
from oauth_litmus.oauth.clients import Client
from oauth_litmus.run.logins_by_hand import every_possible_asker
from oauth_litmus.run_state.run import Run
from oauth_litmus.target.discovery import NoServerError
from oauth_litmus.target.profile import from_environment
from oauth_litmus.target.server import Server
from oauth_litmus.target.upstream_control import UpstreamControl
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauth_litmus.clock import Clock
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.transcript import Transcript
    from oauth_litmus.http.wire import Wire
    from oauth_litmus.limits.rates import Rate
    from oauth_litmus.run.options import Options
    from oauth_litmus.target.profile import Profile
    from oauth_litmus.target.server import Discovered
    from oauth_litmus.target.upstream_control import Call


def assemble(
    options: Options, run_id: str, discovered: Discovered, wire: Wire, clock: Clock, transcript: Transcript
) -> Run:
    """Build the run against a server that was found.

    Raises:
        NoServerError: `--source-address loopback` is given, but the target is not at 127.0.0.1.
        ProfileError: an environment variable that holds a secret is not set.
    """
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
        run.by_hand = every_possible_asker(all_checks())
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


def _registration_headers(profile: Profile, transcript: Transcript) -> dict[str, str]:
    if profile.initial_access_token_env is None:
        return {}
    token = from_environment(profile.initial_access_token_env)
    transcript.redactor.learn(token)
    return {"authorization": f"Bearer {token}"}
