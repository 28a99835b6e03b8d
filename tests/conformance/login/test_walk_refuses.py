"""The walk through an authorization request on which a person refuses the client."""

from core_worlds import REDIRECT_URI, Places
from walking import UPSTREAM, page, request, target, to

TWO_BUTTONS = """<p>Let the client at client.example.com in?</p><form method=post action=/consent>
<button name=go value=no>Deny</button><button name=go value=yes>Allow</button></form>"""


async def test_a_refusal_is_pressed_on_the_page_that_asks_about_the_client():
    home = Places(authorize=to("/login"), login=page("<form action=/ask><button>Sign in</button></form>"))
    home.answers |= {"ask": page(TWO_BUTTONS), "consent": to(f"{REDIRECT_URI}?error=access_denied")}
    attempt, was_refused = await target(home).authorization.refuse(request())

    assert home.asked[-1] == ("POST", "/consent", "go=no")
    assert (was_refused, attempt.response.error) == (True, "access_denied")


async def test_cancel_beside_a_password_is_no_refusal_of_the_client():
    login = """<p>Sign in for client.example.com</p><form method=post action=/login><input name=p type=password>
    <button>Cancel</button><button>Sign in</button></form>"""
    home = Places(authorize=page(login))
    attempt, was_refused = await target(home).authorization.refuse(request())

    assert (was_refused, attempt.code, home.paths) == (False, None, ["/authorize"])


async def test_a_page_that_asks_again_after_a_refusal_is_not_approved():
    home = Places(authorize=page(TWO_BUTTONS), consent=page(TWO_BUTTONS))
    attempt, was_refused = await target(home).authorization.refuse(request())

    assert (was_refused, attempt.response, home.paths) == (True, None, ["/authorize", *["/consent"] * 3])
    assert {body for _, _, body in home.asked[1:]} == {"go=no"}


async def test_a_refusal_ends_the_walk_before_the_upstream_login():
    home, upstream = Places(authorize=page(TWO_BUTTONS), consent=to(f"{UPSTREAM}/login")), Places()
    attempt, _ = await target(home, upstream).authorization.refuse(request())

    assert (attempt.upstream_url, upstream.paths) == (f"{UPSTREAM}/login", [])
