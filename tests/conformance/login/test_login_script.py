"""The script of steps: which page a step belongs to, what it fills in and presses, and what is said where none fits."""

import pytest
from core_worlds import CLIENT, ISSUER, REDIRECT_URI, Places, run_with, target_of
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse

from litmus_fixtures.in_process import Applications
from oauth_litmus.login.installed import driver_for
from oauth_litmus.oauth.authorization_request import AuthorizationRequest
from oauth_litmus.target.login_settings import Login, ProfileError
from oauth_litmus.target.profile import Profile

UPSTREAM = "http://localhost:9999"
CODE = RedirectResponse(f"{REDIRECT_URI}?code=abc&state=s", 302)
PROVIDERS = (
    "<title>Sign in</title><a href=/google>Continue with Google</a>"
    "<form method=post action=/password><input name=email><input name=pin type=password><button>Log in</button></form>"
)
ACCOUNTS = (
    "<title>Choose an account</title><form method=post action=/account>"
    "<button name=who value=1>ada@example.org</button><button name=who value=2>bob@example.org</button></form>"
)
NEWS = "<title>What is new</title><form method=post action=/news><button>Later</button><button>Show me</button></form>"
CONSENT = (
    "<h1>Acme wants to go in</h1><form method=post action=/consent>"
    "<button name=answer value=no>Deny</button><button name=answer value=yes>Allow</button></form>"
)


def page(html):
    return HTMLResponse(html)


def to(path):
    return RedirectResponse(path, 302)


def target(home, *steps, **login):
    profile = Profile(login=Login.model_validate({"steps": steps, **login}))
    endpoints = {"authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token"}
    driver = driver_for(profile)
    return target_of(
        run_with(metadata=endpoints, transports=lambda _: Applications({ISSUER: home.application()}), driver=driver)
    )


async def attempt(home, *steps, **login):
    return await target(home, *steps, **login).authorization.attempt(
        AuthorizationRequest.of(CLIENT, scope=None, resource=None)
    )


def login_with_a_choice_of_everything(**more):
    return Places(
        authorize=page(PROVIDERS),
        google=page(ACCOUNTS),
        account=more.pop("account", page(CONSENT)),
        news=page(CONSENT),
        consent=CODE,
        **more,
    )


CHOICES = (
    {"match": {"title": "Sign in"}, "click": {"link": "Google"}},
    {"match": {"title": "Choose an account"}, "click": "bob@example.org"},
    {"match": {"title": "What is new"}, "click": "Later", "optional": True},
    {"match": {"heading": "Acme wants"}, "click": {"button": "Allow"}},
)


async def test_provider_account_and_consent_are_chosen_as_the_script_says():
    home = login_with_a_choice_of_everything()

    done = await attempt(home, *CHOICES)

    assert done.code == "abc"
    assert home.asked[-2:] == [("POST", "/account", "who=2"), ("POST", "/consent", "answer=yes")]


async def test_an_optional_page_is_answered_where_it_comes():
    home = login_with_a_choice_of_everything(account=page(NEWS))

    done = await attempt(home, *CHOICES)

    assert done.code == "abc"
    assert "/news" in home.paths


@pytest.mark.parametrize(
    "match",
    [
        {"url": "*/authorize?*"},
        {"url_regex": "authorize"},
        {"title": "sign  IN"},
        {"text": "Continue with Google"},
        {"selector": "form input[type=password]"},
        {"title": "Sign in", "text": "Google"},
    ],
)
async def test_a_page_is_told_by_everything_that_is_given(match):
    home = Places(authorize=page(PROVIDERS), google=CODE)

    assert (await attempt(home, {"match": match, "click": "Continue with Google"})).code == "abc"


async def test_what_is_filled_in_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("LITMUS_PIN", "1234")
    home = Places(authorize=page(PROVIDERS), password=CODE)
    step = {"match": {"title": "Sign in"}, "fill": {"email": "ada@example.org"}, "fill_secret": {"pin": "LITMUS_PIN"}}

    done = await attempt(home, {**step, "click": "Log in"})

    assert done.code == "abc"
    assert home.asked[-1] == ("POST", "/password", "email=ada%40example.org&pin=1234")


async def test_a_step_without_click_presses_the_button_of_its_form():
    home = Places(authorize=page(PROVIDERS), password=CODE)

    done = await attempt(home, {"match": {"title": "Sign in"}, "fill": {"email": "ada", "pin": "1"}})

    assert done.code == "abc"


async def test_a_page_that_no_step_matches_is_described_with_the_step_to_write():
    home = Places(
        authorize=page("<title>Who are you?</title><form method=post><input name=badge required><button>Enter</button>")
    )

    done = await attempt(home, {"match": {"title": "Sign in"}, "click": "Log in"})

    assert done.code is None
    assert (
        "stuck at http://127.0.0.1:8000/authorize 'Who are you?', with fields badge; buttons 'Enter'"
        in done.trail.stuck
    )
    assert (
        '[[login.steps]] match = { url = "*/authorize*" }, fill = { badge = "…" }, click = "Enter"' in done.trail.stuck
    )
    assert "the page of step 1 never appeared: correct its `match`, or set `optional = true`" in done.trail.stuck


async def test_a_button_that_is_not_there_is_said_with_the_step_that_wants_it():
    home = Places(authorize=page(ACCOUNTS))

    done = await attempt(home, {"name": "account", "match": {"title": "Choose"}, "click": "eve@example.org"})

    assert "step 1 ('account') found its page, which has no button or link 'eve@example.org'" in done.trail.stuck


async def test_a_field_that_is_not_there_is_said_without_its_value():
    home = Places(authorize=page(PROVIDERS))

    done = await attempt(home, {"match": {"title": "Sign in"}, "fill": {"otp": "424242"}})

    assert "step 1 fills in otp, which no form of the page has" in done.trail.stuck
    assert "424242" not in done.trail.stuck


async def test_a_wrong_password_is_tried_once():
    home = Places(authorize=page(PROVIDERS), password=page(PROVIDERS))

    done = await attempt(home, fields={"email": "ada", "pin": "wrong"})

    assert home.paths.count("/password") == 1
    assert "are the credentials right?" in done.trail.stuck


async def test_a_step_is_taken_as_often_as_it_says():
    home = Places(authorize=page(ACCOUNTS), account=page(ACCOUNTS))

    await attempt(home, {"match": {"title": "Choose"}, "click": "bob@example.org", "times": 2})

    assert home.asked.count(("POST", "/account", "who=2")) >= 2


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({"match": {}}, "is empty"),
        ({"match": {"url_regex": "("}}, "not a regular expression"),
        ({"match": {"title": "x"}, "click": {"button": "a", "link": "b"}}, "give one of"),
        ({"match": {"title": "x"}, "clik": "a"}, "clik"),
    ],
)
def test_a_step_that_means_nothing_is_refused(step, said):
    with pytest.raises(ValidationError, match=said):
        Login.model_validate({"steps": [step]})


def test_a_variable_that_is_not_set_is_said_before_anything_is_sent(monkeypatch):
    monkeypatch.delenv("LITMUS_PIN", raising=False)
    profile = Profile(
        login=Login.model_validate({"steps": [{"match": {"title": "x"}, "fill_secret": {"pin": "LITMUS_PIN"}}]})
    )

    with pytest.raises(ProfileError, match="LITMUS_PIN, which is not set"):
        driver_for(profile)
