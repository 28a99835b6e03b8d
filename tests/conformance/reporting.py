"""Hand-made results for the tests of reports: an engine that has ended, without a server behind it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import httpx

from oauth_litmus.check import Check
from oauth_litmus.checks import all_checks
from oauth_litmus.clock import WallClock
from oauth_litmus.http.answer import Answer
from oauth_litmus.http.transcript import Transcript
from oauth_litmus.http.wire import Wire
from oauth_litmus.limits.pacer import Pacer
from oauth_litmus.login.drivers import RedirectsDriver
from oauth_litmus.report.building import Circumstances, build_report
from oauth_litmus.report.model import Report
from oauth_litmus.report.waivers import Waiver
from oauth_litmus.run.engine import Engine
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.preflight import Readiness
from oauth_litmus.run.results import Result
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.run_state.run import Run
from oauth_litmus.target.profile import Profile
from oauth_litmus.target.server import Discovered, Server
from oauth_litmus.verdict import Decision, Finding, Severity, Verdict

ISSUER = "https://auth.example.com"
STARTED = datetime(2026, 7, 1, 12, tzinfo=UTC)
TODAY = date(2026, 7, 1)


def check(identifier: str) -> Check:
    return all_checks()[identifier]


def ended(
    identifier: str, verdict: Verdict, reason: str = "", *findings: Finding, blocked_by: str | None = None
) -> Result:
    numbers = tuple(number for finding in findings for number in finding.exchanges)
    return Result(check(identifier), Decision(verdict, reason), findings, numbers, 0.25, blocked_by)


def failed(identifier: str, got: str = "tokens (200)", *exchanges: int) -> Result:
    finding = Finding(Severity.VIOLATION, "400 with error=invalid_grant", got, exchanges)
    return ended(identifier, Verdict.FAIL, got, finding)


def engine_with(
    results: Sequence[Result],
    *,
    profile: Profile | None = None,
    given: str = ISSUER,
    transcript: Transcript | None = None,
) -> Engine:
    """An engine that has judged just these."""
    transcript, clock = transcript or Transcript(), WallClock(1)
    answer = Answer(1, "GET", ISSUER, 200, httpx.Headers(), b"", 0.0, 0.0)
    found = Discovered(given, {}, answer, f"{given}/.well-known/oauth-authorization-server", given)
    run = Run(
        run_id="1a2b3c4d",
        server=Server(profile or Profile(), found),
        wire=Wire(_nowhere, clock, transcript, {}),
        pacer=Pacer(clock, {}),
        clock=clock,
        transcript=transcript,
        driver=RedirectsDriver(),
        budget=Budget(),
    )
    engine = Engine(run)
    engine.results = {result.check.id: result for result in results}
    engine.readiness = Readiness()
    return engine


def report_of(
    results: Sequence[Result],
    *,
    waivers: Sequence[Waiver] = (),
    required: Sequence[str] = (),
    show_exchanges: bool = False,
    engine: Engine | None = None,
) -> Report:
    selection = Selection(only=tuple(result.check.id for result in results))
    circumstances = Circumstances(
        selection,
        STARTED,
        12.5,
        waivers,
        tuple(required),
        frozenset(required),
        show_exchanges=show_exchanges,
        today=TODAY,
    )
    return build_report(engine or engine_with(results), circumstances)


def record(
    transcript: Transcript,
    name: str,
    url: str,
    *,
    body: bytes = b"",
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> int:
    """Have an exchange recorded, as the wire does; its number."""
    number = transcript.next_number()
    transcript.record(number, name, httpx.Request("POST", url), body, httpx.Response(200, headers=headers), content)
    return number


def _nowhere(address: str | None) -> httpx.AsyncBaseTransport:
    raise AssertionError("a test of reports sends nothing")
