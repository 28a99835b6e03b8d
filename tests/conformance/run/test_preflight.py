"""Before judging: what an ordinary login shows of the server, and what it cannot be without."""

import pytest
from core_worlds import ISSUER, Places, connected_to
from preflight_server import ALL_WELL, OAUTH, REGISTRATION, UPSTREAM, Server, flown, with_clients
from small_server import SmallServer
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from oauth_litmus.client import Target
from oauth_litmus.login.drivers import NoLogin
from oauth_litmus.run.preflight import Readiness
from oauth_litmus.target.profile import Profile
from oauth_litmus.verdict import Skipped


async def test_an_ordinary_login_shows_what_there_is():
    server = SmallServer(ISSUER)
    readiness, run = await flown(server)

    assert readiness.diagnosis == ""
    assert run.server.seen.refresh_token is True
    assert run.server.seen.expires_in == 3600
    assert run.server.seen.access_token_is_jwt is False
    assert run.server.seen.upstream_url is None


async def test_a_jwt_is_seen_to_be_one():
    token = {"access_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", "token_type": "Bearer"}
    _, run = await flown(Server({"token": JSONResponse(token)}))

    assert run.server.seen.access_token_is_jwt is True
    assert run.server.seen.refresh_token is False


async def test_a_token_that_is_no_text_is_no_jwt():
    token = Response(b'{"access_token": "\\ud800"}', media_type="application/json")
    _, run = await flown(Server({"token": token}))

    assert run.server.seen.access_token_is_jwt is False


async def test_a_refused_registration_is_the_diagnosis():
    refused = JSONResponse({"error": "access_denied"}, 403)
    readiness, _ = await flown(Server({"register": refused}))

    assert readiness.diagnosis == "no client: set-up: the registration of a client was answered 403 access_denied"


async def test_a_server_without_registration_needs_a_client():
    readiness, _ = await flown(Server(registration=False))

    assert readiness.registration == "no client: the metadata names no registration_endpoint"


async def test_a_configured_client_needs_no_registration():
    declared = {"clients": [{"client_id": "known", "redirect_uris": ["https://client.example.com/cb"]}]}
    readiness, _ = await flown(Server(registration=False), profile=Profile.model_validate(declared))

    assert readiness.diagnosis == ""


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"authorization": HTMLResponse("no", 500)}, "set-up: the login ended without a code (answered 500)"),
        ({"authorization": RedirectResponse("/authorization")}, "the login did not end within 25 navigations"),
        ({"token": JSONResponse({"error": "server_error"}, 500)}, "the token request was answered 500 server_error"),
        ({OAUTH: {"issuer": ISSUER, **REGISTRATION}}, "the metadata names no authorization_endpoint"),
    ],
)
async def test_a_login_that_does_not_work_is_the_diagnosis(answers, sentence):
    readiness, _ = await flown(Server(answers))

    assert readiness.diagnosis.startswith("an ordinary login does not work: ")
    assert sentence in readiness.diagnosis


async def test_a_refresh_that_is_refused_is_the_diagnosis():
    answers = [{"access_token": "at", "refresh_token": "rt"}, {"error": "invalid_grant"}]

    def in_turn(asked):
        document = answers.pop(0)
        return JSONResponse(document, 400 if "error" in document else 200)

    readiness, _ = await flown(Server({"token": in_turn}))

    assert readiness.diagnosis == "an ordinary refresh was answered 400 invalid_grant"


async def test_a_resource_that_refuses_a_fresh_token_is_the_diagnosis():
    refuses = Response(status_code=401, headers={"www-authenticate": 'Bearer error="invalid_token"'})
    readiness, run = await flown(Server({"mcp": refuses}), profile=Profile(resource=f"{ISSUER}/mcp"))

    assert readiness.resource == (
        'the protected resource refuses a fresh access token: 401 Bearer error="invalid_token"'
    )
    assert run.server.seen.resource_answers is False


@pytest.mark.parametrize("status", [200, 400, 404, 405, 406])
async def test_what_a_resource_says_beyond_authorization_is_its_own_affair(status):
    def guarded(asked):
        return Response(status_code=status if asked.headers.get("authorization") else 401)

    readiness, _ = await flown(Server({"mcp": guarded}), profile=Profile(resource=f"{ISSUER}/mcp"))

    assert readiness.resource == ""


async def test_a_resource_that_is_away_is_the_diagnosis_and_not_a_crash():
    readiness, _ = await flown(Server(), profile=Profile(resource="http://localhost:1/mcp"))

    assert readiness.resource.startswith("the protected resource does not answer: ")


async def test_without_a_login_only_the_registration_is_seen():
    readiness, run = await flown(Server(), driver=NoLogin())

    assert readiness == ALL_WELL
    assert run.server.seen.refresh_token is None


async def test_a_login_that_only_a_withheld_cookie_breaks_goes_on_with_it():
    def callback(asked):
        ok = asked.cookies.get("st") == "1"
        return RedirectResponse("https://client.example.com/cb?code=abc", 302) if ok else HTMLResponse("no", 400)

    def begins(asked):
        answer = RedirectResponse(f"{UPSTREAM}/login", 302)
        answer.set_cookie("st", "1", samesite="strict")
        return answer

    asks = HTMLResponse("<form action=/go><button>Continue</button></form>")
    upstream = Places(login=asks, go=RedirectResponse(f"{ISSUER}/callback", 302))
    readiness, run = await flown(Server({"authorization": begins, "callback": callback}), upstream=upstream)

    assert readiness.diagnosis == ""
    assert run.server.seen.cookie_withheld == ("st",)
    assert run.server.seen.upstream_url == f"{UPSTREAM}/login"


def test_the_diagnosis_is_the_first_stage_that_fails():
    assert Readiness(login="no login", refresh="no refresh").diagnosis == "no login"


def _refusing_resource_in(place):
    """A server that knows its resource by another name, and says so at this endpoint."""

    def authorize(asked):
        refused = place == "authorization" and "resource" in asked.query_params
        return HTMLResponse("no such resource", 400) if refused else Server.sends_a_code(asked)

    def token(asked):
        refused = place == "token" and "resource=" in server.asked[-1][2]
        tokens = {"access_token": "at", "token_type": "bearer"}
        return JSONResponse({"error": "invalid_target"} if refused else tokens, 400 if refused else 200)

    server = Server({"authorization": authorize, "token": token, "mcp": JSONResponse({})})
    return server


@pytest.mark.parametrize("place", ["authorization", "token"])
async def test_a_server_that_refuses_the_resource_is_judged_without_it(place):
    readiness, run = await flown(_refusing_resource_in(place), profile=Profile(resource=f"{ISSUER}/mcp"))

    assert readiness.diagnosis == ""
    assert run.server.seen.resource_refused
    assert Target(run, "test").authorization.request(await Target(run, "test").clients.shared()).get("resource") is None


async def test_a_login_that_fails_without_resource_too_is_not_put_down_to_it():
    broken = Server({"authorization": HTMLResponse("no", 400)})
    readiness, run = await flown(broken, profile=Profile(resource=f"{ISSUER}/mcp"))

    assert "the login ended without a code (answered 400)" in readiness.login
    assert not run.server.seen.resource_refused


def _asking_first(cookie):
    """A server whose form depends on this cookie."""

    def asks(asked):
        page = HTMLResponse(f'<form method=post action="/consent?{asked.url.query}"><button>Allow</button></form>')
        page.headers["set-cookie"] = cookie
        return page

    def consents(asked):
        return Server.sends_a_code(asked) if any("form" in name for name in asked.cookies) else HTMLResponse("no", 403)

    return Server({"authorization": asks, "consent": consents})


async def test_a_cookie_that_is_withheld_from_a_form_is_named_in_the_diagnosis():
    readiness, _ = await flown(_asking_first("form=1; Path=/elsewhere"))

    assert "answered 403; browsers do not send these cookies with the submitted form: form (" in readiness.login


async def test_a_cookie_that_no_browser_keeps_is_the_diagnosis_where_no_check_judges_it():
    readiness, _ = await flown(_asking_first("__Host-form=1; Path=/consent; Secure"))

    assert readiness.login.endswith("it continues only with a cookie that no browser sends back: __Host-form")


async def test_where_only_confidential_clients_are_configured_they_are_the_ordinary_ones():
    _, run = await flown(Server(registration=False), profile=with_clients("client_secret_basic"))

    assert (await Target(run, "test").clients.shared()).auth_method == "client_secret_basic"


async def test_a_second_client_that_is_not_configured_is_a_skip():
    _, run = await flown(Server(registration=False), profile=with_clients("none"))

    with pytest.raises(Skipped, match="configure it in the profile"):
        await Target(run, "test").clients.shared("b")


async def test_a_client_with_certain_redirect_uris_may_be_a_configured_one():
    loopback, two = ["http://127.0.0.1/cb"], ["https://client.example.com/a", "https://client.example.com/b"]
    clients = [{"client_id": "native", "redirect_uris": loopback}, {"client_id": "two", "redirect_uris": two}]
    _, run = await flown(Server(registration=False), profile=Profile.model_validate({"clients": clients}))
    target = Target(run, "test")

    assert (await target.clients.with_redirect_uris(*loopback)).client_id == "native"
    assert (await target.clients.with_redirect_uris(*reversed(two))).redirect_uri == two[1]
    with pytest.raises(Skipped, match="configure it in the profile"):
        await target.clients.with_redirect_uris(two[0])


async def test_the_id_in_an_issuers_path_is_shown():
    issuer = f"{ISSUER}/proj-0a1b2c3d4e5f6a7b8c9d0e1f"
    documents = {"issuer": issuer, "token_endpoint": f"{issuer}/token"}
    place = f"{OAUTH}/proj-0a1b2c3d4e5f6a7b8c9d0e1f"

    async with connected_to({ISSUER: Server({place: documents}).application()}, url=issuer) as run:
        assert issuer in run.transcript.redactor.text(f"GET {issuer}/token")
