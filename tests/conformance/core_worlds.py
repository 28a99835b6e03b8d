"""Parts for the tests of the suite's core: plain answers, a clock that only the suite moves, and runs in process."""

import math
import time
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import httpx
from freezegun import freeze_time
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from litmus_fixtures.in_process import Application, Applications
from oauth_litmus.browser.model import Browser
from oauth_litmus.check import Check, Need
from oauth_litmus.client import Target
from oauth_litmus.clock import Clock, SteppedClock, WallClock
from oauth_litmus.http.answer import Answer, AuthorizationResponse
from oauth_litmus.http.transcript import Transcript
from oauth_litmus.http.wire import TransportFactory, Wire
from oauth_litmus.limits.pacer import Pacer
from oauth_litmus.login.drivers import LoginDriver, RedirectsDriver
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.oauth.authorization_request import AuthorizationRequest
from oauth_litmus.oauth.clients import Client
from oauth_litmus.requirements import Requirement
from oauth_litmus.run.runner import Options, connected
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.run_state.run import Run
from oauth_litmus.target.profile import Profile
from oauth_litmus.target.server import Discovered, Server
from oauth_litmus.verdict import Level

ISSUER = "http://127.0.0.1:8000"
REDIRECT_URI = "https://client.example.com/cb"
CLIENT = Client("c1", (REDIRECT_URI,))


class Places:
    """A server that answers by path, and remembers what it was asked."""

    def __init__(self, answers: Mapping[str, object] | None = None, **more: object) -> None:
        self.answers = {**(answers or {}), **more}
        self.asked: list[tuple[str, str, str]] = []

    async def answer(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.asked.append((request.method, request.url.path, body))
        given = self.answers.get(request.url.path.strip("/"), Response(status_code=404))
        if isinstance(given, dict):
            return JSONResponse(given)
        return given if isinstance(given, Response) else given(request)  # type: ignore[operator]

    def application(self) -> Application:
        return Starlette(routes=[Route("/{path:path}", self.answer, methods=["DELETE", "GET", "POST"])])

    @property
    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]


def answer(
    status: int = 200,
    document: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    url: str = f"{ISSUER}/token",
    number: int = 1,
    at: float = 0.0,
) -> Answer:
    """An answer as it would have come."""
    response = Response(status_code=status) if document is None else JSONResponse(document, status)
    received = httpx.Headers({**dict(response.headers), **(headers or {})})
    return Answer(number, "POST", url, status, received, bytes(response.body), at, at)


def tokens(access_token: str = "at-1", number: int = 1) -> Answer:
    return answer(200, {"access_token": access_token, "token_type": "Bearer"}, number=number)


def refusal(error: str = "invalid_grant", status: int = 400) -> Answer:
    return answer(status, {"error": error})


def redirected(location: str, **facts: object) -> Attempt:
    """An attempt that ended at the client."""
    last = answer(302, headers={"location": location})
    return ended(last, response=AuthorizationResponse.at(location, last), **facts)


def ended(*answers: Answer, **facts: object) -> Attempt:
    request = AuthorizationRequest.of(CLIENT, scope=None, resource=None)
    return Attempt(request, Browser(lambda: 0.0), list(answers), **facts)  # type: ignore[arg-type]


@contextmanager
def stepped_clock(slots: int = 24) -> Generator[SteppedClock]:
    """A frozen clock that only the suite moves."""
    with freeze_time("2026-07-01 12:00:00", real_asyncio=True) as frozen:

        def move_to(instant: float) -> None:
            frozen.tick(timedelta(microseconds=math.ceil((instant - time.time()) * 1e6)))

        yield SteppedClock(slots, move_to)


def run_with(
    *,
    clock: Clock | None = None,
    metadata: Mapping[str, object] | None = None,
    profile: Profile | None = None,
    transports: TransportFactory | None = None,
    driver: LoginDriver | None = None,
    budget: Budget | None = None,
    issuer: str = ISSUER,
) -> Run:
    """A run against a server of which just this is known."""
    clock, transcript = clock or WallClock(24), Transcript()
    documents = {"issuer": issuer, **(metadata or {})}
    found = Discovered(issuer, documents, answer(200, documents), f"{issuer}/.well-known/x", issuer)
    return Run(
        run_id="1a2b3c4d",
        server=Server(profile or Profile(), found),
        wire=Wire(transports or _nowhere, clock, transcript, {}),
        pacer=Pacer(clock, {}),
        clock=clock,
        transcript=transcript,
        driver=driver or RedirectsDriver(),
        budget=budget or Budget(),
    )


@asynccontextmanager
async def connected_to(
    applications: Mapping[str, Application],
    *,
    url: str = ISSUER,
    profile: Profile | None = None,
    driver: LoginDriver | None = None,
    budget: Budget | None = None,
) -> AsyncGenerator[Run]:
    """A run that found its server among applications of this process; its clock stands until nothing else can go on."""
    with stepped_clock() as clock:
        options = Options(url, profile or Profile(), driver, budget=budget or Budget(), source_addresses="single")
        async with connected(options, transports=lambda _: Applications(applications), clock=clock) as run:
            yield run


def check_of(
    function: object,
    identifier: str,
    *,
    level: Level = Level.MUST,
    needs: frozenset[Need] = frozenset(),
    depends_on: tuple[str, ...] = (),
) -> Check:
    """A check outside the registry."""
    requirement = Requirement(
        id=identifier, title="t", level=level, clauses=("RFC 6749 §1",), statement="s", depends_on=depends_on
    )
    return Check(requirement, function, needs, 0, None)  # type: ignore[arg-type]


def target_of(run: Run, check: str = "TEST-01") -> Target:
    return Target(run, check)


def _nowhere(address: str | None) -> httpx.AsyncBaseTransport:
    raise AssertionError("this run sends nothing")
