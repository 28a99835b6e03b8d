"""A small server for the preflight, and the preflight against it."""

from core_worlds import ISSUER, Places, connected_to
from starlette.responses import JSONResponse, RedirectResponse

from oauth_litmus.client import Target
from oauth_litmus.run.preflight import Readiness, fly
from oauth_litmus.target.profile import Profile

UPSTREAM = "http://localhost:9999"
OAUTH = ".well-known/oauth-authorization-server"
ENDPOINTS = {f"{name}_endpoint": f"{ISSUER}/{name}" for name in ("authorization", "token", "revocation")}
REGISTRATION = {"registration_endpoint": f"{ISSUER}/register"}
ALL_WELL = Readiness()


async def flown(server, *, driver=None, profile=None, upstream=None):
    """The preflight against a server of this process, and the run that flew it."""
    applications = {ISSUER: server.application()}
    if upstream is not None:
        applications[UPSTREAM] = upstream.application()
    async with connected_to(applications, driver=driver, profile=profile) as run, run.clock.running():
        return await fly(Target(run, "preflight")), run


class Server(Places):
    """A server that does as it is told; what a test does not say works."""

    def __init__(self, answers=None, *, registration=True):
        documents = {"issuer": ISSUER, **ENDPOINTS, **(REGISTRATION if registration else {})}
        ordinary = {
            OAUTH: documents,
            "register": self.registers,
            "authorization": self.sends_a_code,
            "token": JSONResponse({"access_token": "at", "refresh_token": "rt", "expires_in": 60}),
        }
        super().__init__({**ordinary, **(answers or {})})

    @staticmethod
    def registers(asked):
        return JSONResponse({"client_id": "c1"}, 201)

    @staticmethod
    def sends_a_code(asked):
        query = asked.query_params
        return RedirectResponse(f"{query['redirect_uri']}?code=abc&state={query['state']}", 302)


def with_clients(*methods):
    uris = ["https://client.example.com/cb"]
    clients = [{"client_id": method, "auth_method": method, "redirect_uris": uris} for method in methods]
    return Profile.model_validate({"clients": clients})
