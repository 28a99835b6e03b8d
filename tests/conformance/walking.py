"""A server of a few places, and a walk that begins at its authorization endpoint."""

from core_worlds import CLIENT, ISSUER, REDIRECT_URI, run_with, target_of
from starlette.responses import HTMLResponse, RedirectResponse

from litmus_fixtures.in_process import Applications
from oauth_litmus.oauth.authorization_request import AuthorizationRequest

UPSTREAM = "http://localhost:9999"
CODE = f"{REDIRECT_URI}?code=abc&state=s"
CONSENT = "<form method=post action=/consent><input name=csrf value=t type=hidden><button name=go value=yes>Allow</button></form>"


def to(location, status=302, **cookies):
    response = RedirectResponse("", status)
    response.headers["location"] = location
    for name, value in cookies.items():
        response.set_cookie(name, value)
    return response


def page(html, status=200):
    return HTMLResponse(html, status)


def target(home, upstream=None, *, driver=None, **metadata):
    applications = {ISSUER: home.application()}
    if upstream is not None:
        applications[UPSTREAM] = upstream.application()
    endpoints = {"authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token", **metadata}
    run = run_with(metadata=endpoints, transports=lambda _: Applications(applications), driver=driver)
    return target_of(run)


def request(*redirect_uris):
    made = AuthorizationRequest.of(CLIENT, scope=None, resource=None)
    return made.landing_at(*redirect_uris) if redirect_uris else made
