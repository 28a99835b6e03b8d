"""The examples of docs/login.md work as they stand: every profile loads, and the example of a login driver logs in."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
from core_worlds import CLIENT, ISSUER, REDIRECT_URI, Places, run_with, target_of
from starlette.responses import HTMLResponse, RedirectResponse

from litmus_fixtures.in_process import Applications
from oauth_litmus.login.installed import driver_for
from oauth_litmus.oauth.authorization_request import AuthorizationRequest
from oauth_litmus.target.login_settings import ProfileError
from oauth_litmus.target.profile import Profile

DOCS = Path(__file__).parents[3] / "docs" / "login.md"


def shown(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)


def profile_naming(driver: str) -> Profile:
    return Profile.model_validate({"login": {"driver": driver}})


@pytest.fixture
def own_driver(tmp_path, monkeypatch):
    """The driver of the docs as a module that can be imported."""
    (example,) = shown("python")
    (tmp_path / "my_login.py").write_text(example)
    monkeypatch.syspath_prepend(tmp_path)
    yield "my_login:QuestionDriver"
    sys.modules.pop("my_login", None)


@pytest.mark.parametrize("profile", shown("toml"))
def test_every_profile_that_is_shown_loads(profile):
    Profile.model_validate(tomllib.loads(profile))


async def test_the_driver_that_is_shown_answers_its_page(own_driver):
    question = "<p>What is the colour of the sky?</p><form method=post action=/answer><input name=answer><button>Go on</button></form>"
    home = Places(authorize=HTMLResponse(question), answer=RedirectResponse(f"{REDIRECT_URI}?code=abc&state=s", 302))
    endpoints = {"authorization_endpoint": f"{ISSUER}/authorize", "token_endpoint": f"{ISSUER}/token"}
    driver = driver_for(profile_naming(own_driver))
    run = run_with(metadata=endpoints, transports=lambda _: Applications({ISSUER: home.application()}), driver=driver)

    done = await target_of(run).authorization.attempt(AuthorizationRequest.of(CLIENT, scope=None, resource=None))

    assert done.code == "abc"
    assert home.asked[-1] == ("POST", "/answer", "answer=blue")


@pytest.mark.parametrize(
    ("driver", "said"),
    [
        ("no_such_module:Driver", "cannot be used: ModuleNotFoundError"),
        ("my_login:NoSuchDriver", "cannot be used: AttributeError"),
        ("builtins:repr", "returned no login driver: missing name, walks, press"),
        (":", "cannot be used"),
        ("magic", "there is no login driver 'magic'"),
    ],
)
def test_a_driver_that_cannot_be_had_is_said(own_driver, driver, said):
    with pytest.raises(ProfileError, match=said):
        driver_for(profile_naming(driver))
