"""The walk through an authorization request: where it goes, where it never goes, and where it ends."""

from urllib.parse import urlencode

import pytest
from core_worlds import CLIENT, ISSUER, REDIRECT_URI, Places, run_with, target_of
from starlette.responses import HTMLResponse, RedirectResponse, Response

from litmus_fixtures.in_process import Applications
from oauth_litmus.authorization import AuthorizationRequest
from oauth_litmus.cookies import stem
from oauth_litmus.login.drivers import NoLogin, RedirectsDriver
from oauth_litmus.login.walk import MAX_STEPS
from oauth_litmus.verdict import Blocked, NotApplicable

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


# Landing


@pytest.mark.parametrize("status", [302, 303, 307, 308])
async def test_a_redirect_to_the_client_is_read_and_not_followed(status):
    home = Places(authorize=to(CODE, status))
    attempt = await target(home).attempt(request())

    assert (attempt.code, attempt.response.get("state"), home.paths) == ("abc", "s", ["/authorize"])


@pytest.mark.parametrize(
    "location",
    [
        REDIRECT_URI,
        f"{REDIRECT_URI}?error=access_denied",
        f"{REDIRECT_URI}#access_token=x",
    ],
)
async def test_whatever_is_added_lands_at_the_registered_uri(location):
    attempt = await target(Places(authorize=to(location))).attempt(request())

    assert attempt.response.location == location


@pytest.mark.parametrize(
    "location",
    [
        f"{REDIRECT_URI}/?code=abc",
        f"{REDIRECT_URI}x?code=abc",
        f"{REDIRECT_URI}&code=abc",
        f"{REDIRECT_URI};code=abc",
        "https://client.example.com/CB?code=abc",
        "https://client.example.com:443/cb?code=abc",
        "http://client.example.com/cb?code=abc",
        "https://client.example.com@evil.example/cb?code=abc",
    ],
)
async def test_what_only_resembles_the_registered_uri_is_somewhere_else(location):
    attempt = await target(Places(authorize=to(location))).attempt(request())

    assert (attempt.response, attempt.left_for) == (None, location)


@pytest.mark.parametrize("answered", ["?error=invalid_request", "?code=abc"])
async def test_an_answer_at_the_address_that_was_asked_for_is_not_followed_as_a_login(answered):
    asked_for = "http://user@127.0.0.1:52731/cb"
    attempt = await target(Places(authorize=to(f"{asked_for}{answered}"))).attempt(
        request().but(redirect_uri=asked_for)
    )

    assert (attempt.left_for, attempt.upstream_url, len(attempt.answers)) == (f"{asked_for}{answered}", None, 1)


async def test_a_registered_query_is_kept():
    registered = f"{REDIRECT_URI}?tenant=1"
    attempt = await target(Places(authorize=to(f"{registered}&code=abc"))).attempt(request(registered))

    assert attempt.code == "abc"


async def test_a_code_that_goes_to_a_stranger_is_a_code():
    attempt = await target(Places(authorize=to("https://evil.example/cb?code=abc"))).attempt(request())

    assert (attempt.response, attempt.code) == (None, "abc")


async def test_a_refresh_lands_like_a_redirect():
    home = Places(authorize=page(f'<meta http-equiv="refresh" content="0;url={CODE.replace("&", "&amp;")}">'))
    attempt = await target(home).attempt(request())

    assert attempt.code == "abc"


async def test_an_answer_that_posts_itself_is_not_sent_to_the_client():
    home = Places(
        authorize=page(f"<form method=post action={REDIRECT_URI}><input type=hidden name=code value=abc></form>")
    )
    attempt = await target(home).attempt(request())

    assert (attempt.left_for, len(attempt.answers), attempt.pages[0].forms[0].fields[0].value) == (
        REDIRECT_URI,
        1,
        "abc",
    )


# Going on


async def test_a_request_may_be_posted_by_a_page_of_the_client():
    home = Places(authorize=to(CODE, 303))
    asked = request()
    attempt = await target(home).post(asked, query={"redirect_uri": "https://evil.example/cb"})

    assert home.asked == [("POST", "/authorize", urlencode(asked.parameters))]
    assert attempt.last.url == f"{ISSUER}/authorize?redirect_uri=https%3A%2F%2Fevil.example%2Fcb"
    assert attempt.code == "abc"


async def test_a_relative_redirect_is_followed_at_home():
    home = Places(authorize=to("login?x=1"), login=to(CODE))
    attempt = await target(home).attempt(request())

    assert (attempt.code, attempt.start_url) == ("abc", f"{ISSUER}/login?x=1")


async def test_a_consent_page_is_answered_as_its_form_would_be():
    home = Places(authorize=page(CONSENT), consent=to(CODE))
    attempt = await target(home).attempt(request())

    assert home.asked[1] == ("POST", "/consent", "csrf=t&go=yes")
    assert (attempt.code, attempt.went_on, len(attempt.pages)) == ("abc", True, 1)


@pytest.mark.parametrize(("status", "method", "body"), [(307, "POST", "csrf=t&go=yes"), (308, "POST", "csrf=t&go=yes")])
async def test_307_and_308_keep_method_and_body(status, method, body):
    home = Places(authorize=page(CONSENT), consent=to("/moved", status), moved=to(CODE))
    await target(home).attempt(request())

    assert home.asked[2] == (method, "/moved", body)


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_other_redirects_go_on_with_get(status):
    home = Places(authorize=page(CONSENT), consent=to("/moved", status), moved=to(CODE))
    await target(home).attempt(request())

    assert home.asked[2] == ("GET", "/moved", "")


async def test_a_form_that_gets_replaces_the_query():
    home = Places(authorize=page("<form action='/go?old=1'><input name=new value=2 type=hidden></form>"), go=to(CODE))
    attempt = await target(home).attempt(request())

    assert attempt.answers[1].url == f"{ISSUER}/go?new=2"


async def test_a_login_goes_through_the_upstream_and_back():
    home = Places(authorize=to(f"{UPSTREAM}/login", st="1"), callback=to(CODE))
    upstream = Places(login=to(f"{ISSUER}/callback?code=up"))
    attempt = await target(home, upstream).attempt(request())

    assert (attempt.upstream_url, attempt.callback_url) == (f"{UPSTREAM}/login", f"{ISSUER}/callback?code=up")
    assert attempt.code == "abc"


async def test_cookies_come_back_to_who_set_them_and_to_nobody_else():
    seen = {}

    def remember(name, response):
        def answering(asked):
            seen[name] = dict(asked.cookies)
            return response

        return answering

    home = Places(authorize=to(f"{UPSTREAM}/login", st="1"), callback=remember("home", to(CODE)))
    upstream = Places(login=remember("upstream", to(f"{ISSUER}/callback")))
    await target(home, upstream).attempt(request())

    assert seen == {"upstream": {}, "home": {"st": "1"}}


async def test_headers_of_a_probe_go_to_the_server_only():
    seen = {}

    def remember(name, response):
        def answering(asked):
            seen[name] = asked.headers.get("x-forwarded-for")
            return response

        return answering

    home = Places(authorize=remember("home", to(f"{UPSTREAM}/login")), callback=to(CODE))
    upstream = Places(login=remember("upstream", to(f"{ISSUER}/callback")))
    await target(home, upstream).attempt(request(), headers={"x-forwarded-for": "192.0.2.1"})

    assert seen == {"home": "192.0.2.1", "upstream": None}


# Never going


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/cb",
        "https://www.example.com/",
        "http://host.invalid/",
        "http://host.test/",
        "com.example.app:/cb",
        "javascript:alert(1)",
        "data:text/html,hello",
        "//evil.example/cb",
        "http://[broken/",
    ],
)
async def test_a_foreign_address_is_noted_and_never_followed(location):
    home = Places(authorize=to(location))
    attempt = await target(home).attempt(request())

    assert attempt.left_for.endswith(location)
    assert home.paths == ["/authorize"]
    assert not attempt.went_on


async def test_once_the_upstream_is_known_no_other_host_is_on_the_way():
    home = Places(authorize=to("http://other.localhost:7777/login"))
    made = target(home)
    made.server.seen.upstream_url = f"{UPSTREAM}/login"
    attempt = await made.attempt(request())

    assert attempt.left_for == "http://other.localhost:7777/login"


async def test_a_form_that_leads_to_a_stranger_is_not_sent():
    home = Places(authorize=page("<form method=post action=https://evil.example/x><button>Continue</button></form>"))
    attempt = await target(home).attempt(request())

    assert (attempt.left_for, attempt.reached("https://evil.example/x")) == ("https://evil.example/x", True)


# Ending


@pytest.mark.parametrize("location", ["/authorize", "/a"])
async def test_a_circle_of_redirects_ends(location):
    home = Places(authorize=to(location), a=to("/authorize"))
    attempt = await target(home).attempt(request())

    assert attempt.unfinished
    assert len(attempt.answers) == MAX_STEPS


async def test_a_circle_of_pages_ends():
    home = Places(authorize=page(CONSENT), consent=page(CONSENT))
    attempt = await target(home).attempt(request())

    assert attempt.unfinished


async def test_an_error_page_ends_the_walk_though_it_has_a_form():
    home = Places(authorize=page(CONSENT, 400))
    attempt = await target(home).attempt(request())

    assert (attempt.unfinished, attempt.went_on, attempt.last.status) == (False, False, 400)


async def test_what_is_no_page_ends_the_walk():
    attempt = await target(Places(authorize=Response(CONSENT, media_type="text/plain"))).attempt(request())

    assert (attempt.unfinished, attempt.pages) == (False, [])


async def test_a_page_that_needs_typing_is_told_as_one_that_cannot_be_answered():
    login = "<form method=post action=/in><input name=user><input name=pw type=password><button>Log in</button></form>"
    made = target(Places(authorize=page(login)))

    with pytest.raises(
        Blocked,
        match=r"stuck at http://127\.0\.0\.1:8000/authorize, with fields user, pw \(password\); buttons 'Log in'",
    ):
        made.code_of(await made.attempt(request()))


async def test_fields_of_the_profile_are_typed():
    login = "<form method=post action=/in><input name=user><input name=pw type=password><button>Log in</button></form>"
    home = Places(authorize=page(login), **{"in": to(CODE)})
    await target(home, driver=RedirectsDriver({"user": "ann", "pw": "x y"})).attempt(request())

    assert home.asked[1] == ("POST", "/in", "user=ann&pw=x+y")


async def test_without_a_login_the_walk_ends_before_the_upstream():
    upstream = Places()
    attempt = await target(Places(authorize=to(f"{UPSTREAM}/login")), upstream, driver=NoLogin()).attempt(request())

    assert (attempt.unfinished, attempt.upstream_url) == (True, f"{UPSTREAM}/login")
    assert not upstream.asked


async def test_only_the_first_answer_can_be_asked_for():
    home = Places(authorize=to("/login"), login=to(CODE))
    attempt = await target(home).authorize(request())

    assert (len(attempt.answers), attempt.response) == (1, None)


async def test_a_walk_can_stop_before_the_upstream():
    upstream = Places()
    attempt = await target(Places(authorize=to(f"{UPSTREAM}/login")), upstream).hold_upstream(request())

    assert (attempt.upstream_url, upstream.asked) == (f"{UPSTREAM}/login", [])


async def test_a_held_callback_can_be_delivered_later():
    home = Places(authorize=to(f"{UPSTREAM}/login"), callback=to(CODE))
    made = target(home, Places(login=to(f"{ISSUER}/callback?code=up")))
    held = await made.hold_callback(request())
    before = list(home.paths)
    attempt = await made.deliver_callback(held)

    assert (before, home.paths, attempt.code) == (["/authorize"], ["/authorize", "/callback"], "abc")


async def test_a_held_form_can_be_sent_from_another_browser():
    home = Places(authorize=page(CONSENT), consent=to(f"{UPSTREAM}/login"))
    made = target(home, Places())
    held = await made.hold_form(request())
    attempt = await made.submit(held, held.submission, browser=made.browser())

    assert (home.paths, attempt.upstream_url) == (["/authorize", "/consent"], f"{UPSTREAM}/login")


@pytest.mark.parametrize("hold", ["hold_upstream", "hold_form", "hold_callback"])
async def test_a_login_that_does_not_come_so_far_is_blocked(hold):
    made = target(Places(authorize=to(CODE)))

    with pytest.raises(Blocked, match="set-up: "):
        await getattr(made, hold)(request())


async def test_a_server_without_an_authorization_endpoint_has_no_logins():
    with pytest.raises(NotApplicable, match="names no authorization_endpoint"):
        await target(Places(), authorization_endpoint=None).attempt(request())


async def test_a_server_that_does_not_answer_is_blocked():
    with pytest.raises(Blocked, match="nothing listens"):
        await target(Places(authorize=to(f"{UPSTREAM}/login"))).attempt(request())


# The positive control of negative probes


@pytest.mark.parametrize("refusal", [page("no", 400), to(f"{REDIRECT_URI}?error=invalid_scope")])
async def test_where_the_faultless_request_is_refused_too_nothing_is_judged(refusal):
    with pytest.raises(Blocked, match="without the defect is refused too"):
        await target(Places(authorize=refusal)).control(request())


@pytest.mark.parametrize("start", [page("log in"), to("/login"), to(CODE)])
async def test_where_the_faultless_request_is_taken_the_defect_is_judged(start):
    assert await target(Places(authorize=start, login=page("log in"))).control(request()) is None


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("st-1a2b3c4d", "st"),
        ("__Host-st_0123456789abcdef", "__Host-st"),
        ("state.a1b2c3", "state"),
        ("session-id", "session-id"),
        ("csrf_token", "csrf_token"),
        ("st", "st"),
    ],
)
def test_a_cookies_name_is_told_without_the_part_that_varies(name, kept):
    assert stem(name) == kept


# Answers at an address that was asked for, and is not the client's


@pytest.mark.parametrize("asked", ["http://127.0.0.2:52731/cb", "http://127.0.0.1:99999/cb"])
async def test_a_code_at_the_address_that_was_asked_for_is_no_step_of_a_login(asked):
    home = Places(authorize=to(f"{asked}?code=abc"))

    attempt = await target(home).attempt(request().but(redirect_uri=asked))

    assert (attempt.left_for, attempt.code, attempt.upstream_url) == (f"{asked}?code=abc", "abc", None)
