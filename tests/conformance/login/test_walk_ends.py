"""The walk through an authorization request: where it ends, and what was refused without any defect."""

from operator import attrgetter

import pytest
from core_worlds import ISSUER, REDIRECT_URI, Places
from starlette.responses import Response
from walking import CODE, CONSENT, UPSTREAM, page, request, target, to

from oauth_litmus.browser.cookies import stem
from oauth_litmus.login.drivers import NoLogin, RedirectsDriver
from oauth_litmus.login.walk import MAX_STEPS
from oauth_litmus.verdict import Blocked, NotApplicable

# Ending


@pytest.mark.parametrize("location", ["/authorize", "/a"])
async def test_a_circle_of_redirects_ends(location):
    home = Places(authorize=to(location), a=to("/authorize"))
    attempt = await target(home).authorization.attempt(request())

    assert attempt.unfinished
    assert len(attempt.answers) == MAX_STEPS


async def test_a_circle_of_pages_ends():
    home = Places(authorize=page(CONSENT), consent=page(CONSENT))
    attempt = await target(home).authorization.attempt(request())

    assert attempt.unfinished


async def test_an_error_page_ends_the_walk_though_it_has_a_form():
    home = Places(authorize=page(CONSENT, 400))
    attempt = await target(home).authorization.attempt(request())

    assert (attempt.unfinished, attempt.went_on, attempt.last.status) == (False, False, 400)


async def test_what_is_no_page_ends_the_walk():
    attempt = await target(Places(authorize=Response(CONSENT, media_type="text/plain"))).authorization.attempt(
        request()
    )

    assert (attempt.unfinished, attempt.pages) == (False, [])


async def test_a_page_that_needs_typing_is_told_as_one_that_cannot_be_answered():
    login = "<form method=post action=/in><input name=user><input name=pw type=password><button>Log in</button></form>"
    made = target(Places(authorize=page(login)))

    with pytest.raises(
        Blocked,
        match=r"stuck at http://127\.0\.0\.1:8000/authorize, with fields user, pw \(password\); buttons 'Log in'",
    ):
        made.authorization.code_of(await made.authorization.attempt(request()))


async def test_fields_of_the_profile_are_typed():
    login = "<form method=post action=/in><input name=user><input name=pw type=password><button>Log in</button></form>"
    home = Places(authorize=page(login), **{"in": to(CODE)})
    await target(home, driver=RedirectsDriver({"user": "ann", "pw": "x y"})).authorization.attempt(request())

    assert home.asked[1] == ("POST", "/in", "user=ann&pw=x+y")


async def test_without_a_login_the_walk_ends_before_the_upstream():
    upstream = Places()
    attempt = await target(Places(authorize=to(f"{UPSTREAM}/login")), upstream, driver=NoLogin()).authorization.attempt(
        request()
    )

    assert (attempt.unfinished, attempt.upstream_url) == (True, f"{UPSTREAM}/login")
    assert not upstream.asked


async def test_only_the_first_answer_can_be_asked_for():
    home = Places(authorize=to("/login"), login=to(CODE))
    attempt = await target(home).authorization.first_answer(request())

    assert (len(attempt.answers), attempt.response) == (1, None)


async def test_a_walk_can_stop_before_the_upstream():
    upstream = Places()
    attempt = await target(Places(authorize=to(f"{UPSTREAM}/login")), upstream).authorization.hold_upstream(request())

    assert (attempt.upstream_url, upstream.asked) == (f"{UPSTREAM}/login", [])


async def test_a_held_callback_can_be_delivered_later():
    home = Places(authorize=to(f"{UPSTREAM}/login"), callback=to(CODE))
    made = target(home, Places(login=to(f"{ISSUER}/callback?code=up")))
    held = await made.callbacks.hold(request())
    before = list(home.paths)
    attempt = await made.callbacks.deliver(held)

    assert (before, home.paths, attempt.code) == (["/authorize"], ["/authorize", "/callback"], "abc")


async def test_a_held_form_can_be_sent_from_another_browser():
    home = Places(authorize=page(CONSENT), consent=to(f"{UPSTREAM}/login"))
    made = target(home, Places())
    held = await made.authorization.hold_form(request())
    attempt = await made.authorization.submit(held, held.submission, browser=made.new_browser())

    assert (home.paths, attempt.upstream_url) == (["/authorize", "/consent"], f"{UPSTREAM}/login")


@pytest.mark.parametrize("hold", ["authorization.hold_upstream", "authorization.hold_form", "callbacks.hold"])
async def test_a_login_that_does_not_come_so_far_is_blocked(hold):
    made = target(Places(authorize=to(CODE)))

    with pytest.raises(Blocked, match="set-up: "):
        await attrgetter(hold)(made)(request())


async def test_a_server_without_an_authorization_endpoint_has_no_logins():
    with pytest.raises(NotApplicable, match="names no authorization_endpoint"):
        await target(Places(), authorization_endpoint=None).authorization.attempt(request())


async def test_a_server_that_does_not_answer_is_blocked():
    with pytest.raises(Blocked, match="nothing listens"):
        await target(Places(authorize=to(f"{UPSTREAM}/login"))).authorization.attempt(request())


# The positive control of negative probes


@pytest.mark.parametrize("refusal", [page("no", 400), page("no"), to(f"{REDIRECT_URI}?error=invalid_scope")])
async def test_where_the_faultless_request_is_refused_too_nothing_is_judged(refusal):
    with pytest.raises(Blocked, match="without the defect is refused too"):
        await target(Places(authorize=refusal)).authorization.control(request())


LOG_IN = "<a href=/google>Log in with Google</a>"


@pytest.mark.parametrize("start", [page(LOG_IN), to("/login"), to(CODE)])
async def test_where_the_faultless_request_is_taken_the_defect_is_judged(start):
    assert await target(Places(authorize=start, login=page(LOG_IN))).authorization.control(request()) is None


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
