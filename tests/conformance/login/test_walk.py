"""The walk through an authorization request: where it goes, and where it never goes."""

from urllib.parse import urlencode

import pytest
from core_worlds import ISSUER, REDIRECT_URI, Places
from walking import CODE, CONSENT, UPSTREAM, page, request, target, to

# Landing


@pytest.mark.parametrize("status", [302, 303, 307, 308])
async def test_a_redirect_to_the_client_is_read_and_not_followed(status):
    home = Places(authorize=to(CODE, status))
    attempt = await target(home).authorization.attempt(request())

    assert (attempt.code, attempt.response.get("state"), home.paths) == ("abc", "s", ["/authorize"])


@pytest.mark.parametrize(
    "location",
    [
        REDIRECT_URI,
        f"{REDIRECT_URI}?error=access_denied",
        f"{REDIRECT_URI}#access_token=x",
    ],
)
async def test_an_address_with_an_addition_lands_at_the_registered_uri(location):
    attempt = await target(Places(authorize=to(location))).authorization.attempt(request())

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
    attempt = await target(Places(authorize=to(location))).authorization.attempt(request())

    assert (attempt.response, attempt.left_for) == (None, location)


@pytest.mark.parametrize("answered", ["?error=invalid_request", "?code=abc"])
async def test_an_answer_at_the_address_that_was_asked_for_is_not_followed_as_a_login(answered):
    asked_for = "http://user@127.0.0.1:52731/cb"
    attempt = await target(Places(authorize=to(f"{asked_for}{answered}"))).authorization.attempt(
        request().but(redirect_uri=asked_for)
    )

    assert (attempt.left_for, attempt.upstream_url, len(attempt.answers)) == (f"{asked_for}{answered}", None, 1)


async def test_a_registered_query_is_kept():
    registered = f"{REDIRECT_URI}?tenant=1"
    attempt = await target(Places(authorize=to(f"{registered}&code=abc"))).authorization.attempt(request(registered))

    assert attempt.code == "abc"


async def test_a_code_that_goes_to_a_stranger_is_a_code():
    attempt = await target(Places(authorize=to("https://evil.example/cb?code=abc"))).authorization.attempt(request())

    assert (attempt.response, attempt.code) == (None, "abc")


async def test_a_refresh_lands_like_a_redirect():
    home = Places(authorize=page(f'<meta http-equiv="refresh" content="0;url={CODE.replace("&", "&amp;")}">'))
    attempt = await target(home).authorization.attempt(request())

    assert attempt.code == "abc"


async def test_an_answer_that_posts_itself_is_not_sent_to_the_client():
    home = Places(
        authorize=page(f"<form method=post action={REDIRECT_URI}><input type=hidden name=code value=abc></form>")
    )
    attempt = await target(home).authorization.attempt(request())

    assert (attempt.left_for, len(attempt.answers), attempt.pages[0].forms[0].fields[0].value) == (
        REDIRECT_URI,
        1,
        "abc",
    )


# Going on


async def test_a_request_may_be_posted_by_a_page_of_the_client():
    home = Places(authorize=to(CODE, 303))
    asked = request()
    attempt = await target(home).authorization.post(asked, query={"redirect_uri": "https://evil.example/cb"})

    assert home.asked == [("POST", "/authorize", urlencode(asked.parameters))]
    assert attempt.last.url == f"{ISSUER}/authorize?redirect_uri=https%3A%2F%2Fevil.example%2Fcb"
    assert attempt.code == "abc"


async def test_a_relative_redirect_is_followed_at_home():
    home = Places(authorize=to("login?x=1"), login=to(CODE))
    attempt = await target(home).authorization.attempt(request())

    assert (attempt.code, attempt.start_url) == ("abc", f"{ISSUER}/login?x=1")


async def test_a_consent_page_is_answered_as_its_form_would_be():
    home = Places(authorize=page(CONSENT), consent=to(CODE))
    attempt = await target(home).authorization.attempt(request())

    assert home.asked[1] == ("POST", "/consent", "csrf=t&go=yes")
    assert (attempt.code, attempt.went_on, len(attempt.pages)) == ("abc", True, 1)


@pytest.mark.parametrize(("status", "method", "body"), [(307, "POST", "csrf=t&go=yes"), (308, "POST", "csrf=t&go=yes")])
async def test_307_and_308_keep_method_and_body(status, method, body):
    home = Places(authorize=page(CONSENT), consent=to("/moved", status), moved=to(CODE))
    await target(home).authorization.attempt(request())

    assert home.asked[2] == (method, "/moved", body)


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_other_redirects_go_on_with_get(status):
    home = Places(authorize=page(CONSENT), consent=to("/moved", status), moved=to(CODE))
    await target(home).authorization.attempt(request())

    assert home.asked[2] == ("GET", "/moved", "")


async def test_a_form_that_gets_replaces_the_query():
    home = Places(authorize=page("<form action='/go?old=1'><input name=new value=2 type=hidden></form>"), go=to(CODE))
    attempt = await target(home).authorization.attempt(request())

    assert attempt.answers[1].url == f"{ISSUER}/go?new=2"


async def test_a_login_goes_through_the_upstream_and_back():
    home = Places(authorize=to(f"{UPSTREAM}/login", st="1"), callback=to(CODE))
    upstream = Places(login=to(f"{ISSUER}/callback?code=up"))
    attempt = await target(home, upstream).authorization.attempt(request())

    assert (attempt.upstream_url, attempt.callback_url) == (f"{UPSTREAM}/login", f"{ISSUER}/callback?code=up")
    assert attempt.code == "abc"


async def test_cookies_come_back_only_to_the_host_that_set_them():
    seen = {}

    def remember(name, response):
        def answering(asked):
            seen[name] = dict(asked.cookies)
            return response

        return answering

    home = Places(authorize=to(f"{UPSTREAM}/login", st="1"), callback=remember("home", to(CODE)))
    upstream = Places(login=remember("upstream", to(f"{ISSUER}/callback")))
    await target(home, upstream).authorization.attempt(request())

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
    await target(home, upstream).authorization.attempt(request(), headers={"x-forwarded-for": "192.0.2.1"})

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
    attempt = await target(home).authorization.attempt(request())

    assert attempt.left_for.endswith(location)
    assert home.paths == ["/authorize"]
    assert not attempt.went_on


async def test_once_the_upstream_is_known_no_other_host_is_on_the_way():
    home = Places(authorize=to("http://other.localhost:7777/login"))
    made = target(home)
    made.server.seen.upstream_url = f"{UPSTREAM}/login"
    attempt = await made.authorization.attempt(request())

    assert attempt.left_for == "http://other.localhost:7777/login"


async def test_a_form_that_leads_to_a_stranger_is_not_sent():
    home = Places(authorize=page("<form method=post action=https://evil.example/x><button>Continue</button></form>"))
    attempt = await target(home).authorization.attempt(request())

    assert (attempt.left_for, attempt.reached("https://evil.example/x")) == ("https://evil.example/x", True)


# Answers at an address that was asked for, and is not the client's


@pytest.mark.parametrize("asked", ["http://127.0.0.2:52731/cb", "http://127.0.0.1:99999/cb"])
async def test_a_code_at_the_address_that_was_asked_for_is_no_step_of_a_login(asked):
    home = Places(authorize=to(f"{asked}?code=abc"))

    attempt = await target(home).authorization.attempt(request().but(redirect_uri=asked))

    assert (attempt.left_for, attempt.code, attempt.upstream_url) == (f"{asked}?code=abc", "abc", None)
