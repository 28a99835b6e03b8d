"""A server that asks people to log in before it looks at the request is judged by what it says after the login."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

import pytest
from core_worlds import ISSUER, connected_to
from small_server import SmallServer
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import judge
from oauth_litmus.verdict import Verdict


@dataclass
class LoginFirst(SmallServer):
    issuer: str = ISSUER
    refuses_an_empty_scope: bool = False
    reads_the_last_of_two: bool = False

    def application(self):
        application = super().application()
        application.routes.append(Route("/login", self.login, methods=["POST"]))
        return application

    async def authorize(self, request: Request) -> Response:
        query = request.url.query
        if "user" not in request.cookies:
            return HTMLResponse(f'<form method=post action="/login?{query}"><button>Log in</button></form>')
        pairs = parse_qsl(query, keep_blank_values=True)
        repeated = len({name for name, _ in pairs}) < len(pairs) and not self.reads_the_last_of_two
        empty = ("scope", "") in pairs and self.refuses_an_empty_scope
        if repeated or empty or dict(pairs).get("response_type") != "code":
            return HTMLResponse("<p>this cannot be granted", 400)
        return await super().authorize(request)

    async def login(self, request: Request) -> Response:
        answer = RedirectResponse(f"/authorize?{request.url.query}", 303)
        answer.set_cookie("user", "ada")
        return answer


async def judged(server, *names):
    async with connected_to({ISSUER: server.application()}) as run:
        return (await judge(run, Selection(only=names))).results


@pytest.mark.parametrize(("refuses", "verdict"), [(False, Verdict.PASS), (True, Verdict.FAIL)])
async def test_an_empty_parameter_that_is_refused_after_the_login_is_seen(refuses, verdict):
    results = await judged(LoginFirst(refuses_an_empty_scope=refuses), "AUTHZ-09")

    assert results["AUTHZ-09"].verdict is verdict


@pytest.mark.parametrize(("reads", "verdict"), [(False, Verdict.PASS), (True, Verdict.WARN)])
async def test_repeated_parameters_that_are_refused_after_the_login_are_refused(reads, verdict):
    results = await judged(LoginFirst(reads_the_last_of_two=reads), "AUTHZ-04")

    assert results["AUTHZ-04"].verdict is verdict


async def test_that_it_looks_late_is_told_once():
    results = await judged(LoginFirst(), "AUTHZ-02", "PKCE-01", "REDIR-01", "REDIR-03")

    assert {name: result.verdict for name, result in results.items()} == {
        "AUTHZ-02": Verdict.WARN,
        "PKCE-01": Verdict.PASS,
        "REDIR-01": Verdict.WARN,
        "REDIR-03": Verdict.PASS,
    }
    assert results["PKCE-01"].decision.reason == "the refusal comes after the login: see AUTHZ-02"


async def test_the_check_tells_it_where_no_other_check_does():
    results = await judged(LoginFirst(), "PKCE-01")

    assert results["PKCE-01"].verdict is Verdict.WARN
