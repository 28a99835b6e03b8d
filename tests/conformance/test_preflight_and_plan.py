"""Before judging: what an ordinary login shows of the server, and which checks this run cannot judge, with the reason."""

from dataclasses import replace

import pytest
from core_worlds import ISSUER, Places, check_of, connected_to, run_with
from small_server import SmallServer
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from oauth_litmus.check import Need, all_checks
from oauth_litmus.client import Target
from oauth_litmus.listener import Listener
from oauth_litmus.login.drivers import NoLogin
from oauth_litmus.plan import Selection, UnknownSelectionError, cannot_judge
from oauth_litmus.preflight import Readiness, fly
from oauth_litmus.profile import Limits, Profile
from oauth_litmus.run import Budget
from oauth_litmus.upstream_control import UpstreamControl
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

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


# The preflight


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
        ({"authorization": RedirectResponse("/authorization")}, "25 navigations did not end it"),
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

    assert readiness.diagnosis == "an ordinary refresh is answered 400 invalid_grant"


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


# The plan


def run_for(*, metadata=None, driver=None, profile=None, budget=None, **seen):
    run = run_with(metadata=metadata, driver=driver, profile=profile, budget=budget)
    for name, value in seen.items():
        setattr(run.server.seen, name, value)
    return run


def reason_for(need, run, readiness=ALL_WELL):
    return cannot_judge(check_of(None, "TEST-01", needs=frozenset({need})), run, readiness)


TWO_SCOPES = Profile(scopes=("a", "b"))
WITH_RESOURCE = Profile(resource=f"{ISSUER}/mcp")
OWN = Profile(own_server=True)
FAR = "https://as.example.com"


def everything():
    """A run in which nothing is missing."""
    introspection = {"introspection_endpoint": f"{ISSUER}/introspection"}
    methods = {"token_endpoint_auth_methods_supported": ["none", "client_secret_post"]}
    metadata = {**ENDPOINTS, **REGISTRATION, **introspection, **methods}
    profile = Profile(
        scopes=("a", "b"),
        resource=f"{ISSUER}/mcp",
        operations={"a": "GET /mcp"},
        replicas=("http://127.0.0.2:8000", "http://127.0.0.3:8000"),
    )
    run = run_for(
        metadata=metadata,
        profile=profile,
        budget=Budget(burst=True),
        upstream_url=f"{UPSTREAM}/login",
        refresh_token=True,
        access_token_is_jwt=True,
    )
    run.upstream, run.separate_sources, run.listener = UpstreamControl(UPSTREAM, None), True, Listener("http://x", True)
    return run


@pytest.mark.parametrize("need", Need)
def test_where_nothing_is_missing_everything_is_judged(need):
    assert reason_for(need, everything()) is None


MISSING = [
    (
        Need.REGISTRATION,
        run_for(),
        Readiness("no client: x"),
        Skipped,
        "configure a client in the profile, as [[clients]]",
    ),
    (Need.REGISTRATION, run_for(metadata=REGISTRATION), Readiness("no client: x"), Blocked, "preflight: no client: x"),
    (Need.DYNAMIC_REGISTRATION, run_for(), ALL_WELL, NotApplicable, "names no registration_endpoint"),
    (Need.DYNAMIC_REGISTRATION, run_for(metadata=REGISTRATION), Readiness("x"), Blocked, "preflight: x"),
    (Need.LOGIN, run_for(driver=NoLogin()), ALL_WELL, Skipped, "give --login redirects"),
    (Need.LOGIN, run_for(), Readiness(login="no way"), Blocked, "preflight: no way"),
    (Need.LOGIN, run_for(metadata=REGISTRATION), Readiness("no client"), Blocked, "preflight: no client"),
    (Need.REFRESH, run_for(refresh_token=False), ALL_WELL, NotApplicable, "issues no refresh token"),
    (Need.REFRESH, run_for(refresh_token=True), Readiness(refresh="no"), Blocked, "preflight: no"),
    (Need.REFRESH, run_for(driver=NoLogin()), ALL_WELL, Skipped, "--login redirects"),
    (Need.SCOPES, run_for(profile=Profile(scopes=("a",))), ALL_WELL, Skipped, 'as `scopes = ["a", "b"]`'),
    (Need.RESOURCE, run_for(), ALL_WELL, Skipped, 'as `resource = "URL"`'),
    (Need.RESOURCE, run_for(profile=WITH_RESOURCE), Readiness(resource="shut"), Blocked, "preflight: shut"),
    (Need.JWT_ACCESS_TOKENS, run_for(access_token_is_jwt=False), ALL_WELL, NotApplicable, "opaque"),
    (Need.REVOCATION, run_for(), ALL_WELL, NotApplicable, "names no revocation_endpoint"),
    (
        Need.CONFIDENTIAL_CLIENT,
        run_for(metadata={"token_endpoint_auth_methods_supported": ["none", "private_key_jwt"]}),
        ALL_WELL,
        NotApplicable,
        "lists no client secret",
    ),
    (Need.RELAY, run_for(), ALL_WELL, NotApplicable, "there is no upstream provider"),
    (Need.RELAY, run_for(driver=NoLogin()), ALL_WELL, Skipped, "--login redirects"),
    (Need.UPSTREAM_CONTROL, run_for(), ALL_WELL, Skipped, "as `upstream_control = URL`"),
    (Need.BURST, run_for(), ALL_WELL, Skipped, "give --burst"),
    (Need.SECOND_SOURCE, run_for(), ALL_WELL, Skipped, "a second source address"),
]


@pytest.mark.parametrize(("need", "run", "readiness", "kind", "words"), MISSING)
def test_what_is_missing_is_said_with_how_to_give_it(need, run, readiness, kind, words):
    reason = reason_for(need, run, readiness)

    assert type(reason) is kind
    assert words in str(reason)


@pytest.mark.parametrize(
    ("issuer", "profile", "allowed"),
    [
        ("http://127.0.0.1:8000", Profile(), True),
        ("http://localhost:8000", Profile(), True),
        ("http://[::1]:8000", Profile(), True),
        (FAR, OWN, True),
        (FAR, Profile(), False),
        ("http://127.evil.example", Profile(), False),
        ("http://127.0.0.1.nip.io", Profile(), False),
        ("http://localhost.evil.example", Profile(), False),
    ],
)
def test_bursts_beyond_this_machine_need_the_operators_word(issuer, profile, allowed):
    run = run_with(issuer=issuer, profile=profile, budget=Budget(burst=True))

    assert (reason_for(Need.BURST, run) is None) is allowed


def test_every_need_of_every_check_can_be_planned():
    run = everything()

    assert all(
        isinstance(cannot_judge(check, run, ALL_WELL), Skipped | NotApplicable | None)
        for check in all_checks().values()
    )


@pytest.mark.parametrize(("seconds", "allowed"), [(60.0, True), (60.5, False), (0.0, True)])
def test_a_check_that_waits_longer_than_allowed_says_what_to_give(seconds, allowed):
    check = replace(check_of(None, "TEST-01"), waits=lambda server: seconds)
    reason = cannot_judge(check, run_for(budget=Budget(max_wait=60)), ALL_WELL)

    assert (reason is None) is allowed
    assert allowed or "give --max-wait" in str(reason)


@pytest.mark.parametrize("separate", [True, False])
@pytest.mark.parametrize("name", ["RATE-02", "RATE-07", "RATE-09"])
def test_a_window_need_not_end_where_each_check_has_an_address_of_its_own(name, separate):
    limits = Limits(authorize="100/900", token="50/900")
    run = run_for(profile=Profile(limits=limits), metadata={**ENDPOINTS, **REGISTRATION}, budget=Budget(burst=True))
    run.server.separate_sources = separate
    reason = cannot_judge(all_checks()[name], run, ALL_WELL)

    assert reason is None if separate else "waits 900 s" in str(reason)


def test_a_lifetime_that_is_not_declared_says_how_to_declare_it():
    check = replace(check_of(None, "TEST-01"), waits=lambda server: server.code_ttl + 1)
    reason = cannot_judge(check, run_for(), ALL_WELL)

    assert isinstance(reason, Skipped)
    assert "as `[lifetimes] code = SECONDS`" in str(reason)


# The selection


def ids(**wanted):
    return [check.id for check in Selection(**wanted).checks()]


def test_a_selection_by_id_asks_for_no_capitals():
    assert ids(only=("replay-01",)) == ["REPLAY-01"]


def test_a_selection_keeps_the_order_of_the_catalogue():
    assert ids(only=("REPLAY-04", "REPLAY-01")) == ["REPLAY-01", "REPLAY-04"]


def test_a_category_can_be_selected_but_for_some():
    selected = ids(only=("replay",), skip=("REPLAY-01",))

    assert "REPLAY-01" not in selected
    assert "REPLAY-04" in selected
    assert all(all_checks()[each].category == "replay" for each in selected)


def test_the_core_can_be_selected():
    assert ids(only=("core",)) == [check.id for check in all_checks().values() if check.requirement.core]


@pytest.mark.parametrize("wanted", [{"only": ("REPLAY-99",)}, {"skip": ("nonsense",)}, {"only": ("",)}])
def test_a_name_that_means_nothing_is_said(wanted):
    with pytest.raises(UnknownSelectionError, match="is no check, no category and not `core`"):
        ids(**wanted)


# What a server refuses of an ordinary login, and what a browser does not bring back


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
    assert Target(run, "test").request(await Target(run, "test").client()).get("resource") is None


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

    assert "answered 403; browsers keep from the form that was sent: form (" in readiness.login


async def test_a_cookie_that_no_browser_keeps_is_the_diagnosis_where_no_check_judges_it():
    readiness, _ = await flown(_asking_first("__Host-form=1; Path=/consent; Secure"))

    assert readiness.login.endswith("it goes on only with a cookie that no browser brings back: __Host-form")


async def test_what_the_server_does_not_offer_comes_before_what_the_run_lacks():
    readiness, run = await flown(Server(registration=False))
    check = check_of(None, "REG-03", needs=frozenset({Need.CONFIDENTIAL_CLIENT, Need.DYNAMIC_REGISTRATION}))

    assert isinstance(cannot_judge(check, run, readiness), NotApplicable)


async def test_an_advertised_secret_that_nobody_was_given_is_a_skip_that_says_how_to_give_one():
    _, run = await flown(Server(registration=False), profile=_with_clients("none"))
    reason = cannot_judge(check_of(None, "X-01", needs=frozenset({Need.CONFIDENTIAL_CLIENT})), run, ALL_WELL)

    assert isinstance(reason, Skipped)
    assert "[[clients]]" in str(reason)


async def test_where_only_confidential_clients_are_configured_they_are_the_ordinary_ones():
    _, run = await flown(Server(registration=False), profile=_with_clients("client_secret_basic"))

    assert (await Target(run, "test").client()).auth_method == "client_secret_basic"


def _with_clients(*methods):
    uris = ["https://client.example.com/cb"]
    clients = [{"client_id": method, "auth_method": method, "redirect_uris": uris} for method in methods]
    return Profile.model_validate({"clients": clients})


async def test_a_second_client_that_is_not_configured_is_a_skip():
    _, run = await flown(Server(registration=False), profile=_with_clients("none"))

    with pytest.raises(Skipped, match="configure it in the profile"):
        await Target(run, "test").client("b")


async def test_a_client_with_certain_redirect_uris_may_be_a_configured_one():
    loopback, two = ["http://127.0.0.1/cb"], ["https://client.example.com/a", "https://client.example.com/b"]
    clients = [{"client_id": "native", "redirect_uris": loopback}, {"client_id": "two", "redirect_uris": two}]
    _, run = await flown(Server(registration=False), profile=Profile.model_validate({"clients": clients}))
    target = Target(run, "test")

    assert (await target.client_with(*loopback)).client_id == "native"
    assert (await target.client_with(*reversed(two))).redirect_uri == two[1]
    with pytest.raises(Skipped, match="configure it in the profile"):
        await target.client_with(two[0])


async def test_the_id_in_an_issuers_path_is_shown():
    issuer = f"{ISSUER}/proj-0a1b2c3d4e5f6a7b8c9d0e1f"
    documents = {"issuer": issuer, "token_endpoint": f"{issuer}/token"}
    place = f"{OAUTH}/proj-0a1b2c3d4e5f6a7b8c9d0e1f"

    async with connected_to({ISSUER: Server({place: documents}).application()}, url=issuer) as run:
        assert issuer in run.transcript.redactor.text(f"GET {issuer}/token")
