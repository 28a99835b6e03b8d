"""Opaque tokens hide for which resource they are; what they open, and what they are refreshed for, shows it."""

import json
from dataclasses import dataclass, field

import pytest
from core_worlds import ISSUER, connected_to
from small_server import SmallServer
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import judge
from oauth_litmus.verdict import Verdict

RESOURCE = f"{ISSUER}/mcp"


@dataclass
class Bound(SmallServer):
    """Its tokens are for the resources that were asked for, if it knows the parameter."""

    issuer: str = ISSUER
    knows_resources: bool = True
    narrows_for_ever: bool = False
    granted: dict[str, list[str]] = field(default_factory=dict)
    """The resources of each code and of each refresh token."""
    opens: dict[str, list[str]] = field(default_factory=dict)

    def application(self):
        application = super().application()
        document = {"resource": RESOURCE, "authorization_servers": [ISSUER]}
        metadata = Route("/.well-known/oauth-protected-resource/mcp", lambda _: JSONResponse(document))
        application.routes.extend([metadata, Route("/mcp", self.resource)])
        return application

    def resource(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        taken = RESOURCE in self.opens.get(token, []) or (token in self.opens and not self.knows_resources)
        return JSONResponse({}, 200 if taken else 401, {"www-authenticate": 'Bearer error="invalid_token"'})

    async def finish(self, request: Request) -> Response:
        answer = await super().finish(request)
        self.granted[[*self.codes][-1]] = request.query_params.getlist("resource")
        return answer

    async def token(self, request: Request) -> Response:
        form = await request.form()
        granted = self.granted.get(str(form.get("code") or form.get("refresh_token")), [])
        wanted = [str(form["resource"])] if "resource" in form else granted
        if self.knows_resources and not set(wanted) <= set(granted):
            return JSONResponse({"error": "invalid_target"}, 400)
        answer = await super().token(request)
        if answer.status_code == 200:
            tokens = json.loads(answer.body)
            self.opens[tokens["access_token"]] = wanted
            self.granted[tokens["refresh_token"]] = wanted if self.narrows_for_ever else granted
        return answer


async def verdict(server, name):
    async with connected_to({ISSUER: server.application()}, url=RESOURCE) as run:
        return (await judge(run, Selection(only=(name,)))).results[name].verdict


@pytest.mark.parametrize(("knows", "expected"), [(True, Verdict.PASS), (False, Verdict.NOT_APPLICABLE)])
async def test_a_token_for_another_resource_that_is_refused_is_judged(knows, expected):
    assert await verdict(Bound(knows_resources=knows), "BEARER-08") is expected


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        ({}, Verdict.PASS),
        ({"narrows_for_ever": True}, Verdict.WARN),
        ({"knows_resources": False}, Verdict.PASS),
    ],
)
async def test_one_of_two_resources_is_not_for_ever(switches, expected):
    assert await verdict(Bound(**switches), "RES-05") is expected
