"""An access token that is handed in: what is judged with it, what is not and how to get there, and that no report shows it."""

import json
from dataclasses import asdict

import pytest
from core_worlds import connected_to

from litmus_fixtures.straw_server.app import create_app
from litmus_fixtures.straw_server.choices import VARIANTS
from litmus_fixtures.straw_world import ORIGIN, straw_profile, straw_secrets, straw_world
from oauth_litmus.client import Target
from oauth_litmus.login.drivers import NoLogin
from oauth_litmus.login.installed import driver_for
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import judge
from oauth_litmus.target.login_settings import HandedInToken, ProfileError
from oauth_litmus.target.profile import Profile
from oauth_litmus.verdict import Verdict

BEARER = {"BEARER-01", "BEARER-02", "BEARER-05", "BEARER-06", "BEARER-09"}
VARIANT = "configured"


@pytest.fixture
def configured(monkeypatch):
    for name, value in straw_secrets().items():
        monkeypatch.setenv(name, value)
    return straw_profile(VARIANT)


async def judged_with(profile, token, tmp_path):
    """A run without logins, at the server that issued this token."""
    file = tmp_path / "token"
    file.write_text(f"{token}\n")
    async with straw_world(VARIANT, profile=profile.with_access_token_in(file)) as run:
        return await judge(run, Selection(only=("BEARER-05",)))


async def judged_with_own_token(profile, tmp_path):
    """The same, with a token that a login a moment ago brought."""
    applications = {ORIGIN: create_app(VARIANTS[VARIANT], ORIGIN)}
    url = f"{ORIGIN}{VARIANTS[VARIANT].path}"
    async with connected_to(applications, url=url, profile=profile) as run:
        async with run.clock.running():
            tokens = await Target(run, "TEST-01").grants.fresh()
        file = tmp_path / "token"
        file.write_text(f"{tokens.access_token}\n")
    profile = profile.with_access_token_in(file)
    async with connected_to(applications, url=url, profile=profile) as run:
        engine = await judge(run, Selection())
    return tokens.access_token, engine


async def test_the_checks_of_the_resource_are_judged_and_no_login_is_made(configured, tmp_path):
    _, engine = await judged_with_own_token(configured, tmp_path)

    results = engine.results
    assert {results[identifier].verdict for identifier in BEARER} <= {Verdict.PASS, Verdict.WARN}
    assert not {identifier: result.decision for identifier, result in results.items() if result.verdict.is_red}


async def test_what_needs_a_login_says_how_to_unlock_it(configured, tmp_path):
    _, engine = await judged_with_own_token(configured, tmp_path)

    for identifier in ("REPLAY-01", "PKCE-03", "BEARER-04", "COOKIE-01"):
        result = engine.results[identifier]
        assert result.verdict is Verdict.SKIP
        assert "give --login redirects" in result.decision.reason


async def test_the_token_is_in_no_exchange(configured, tmp_path):
    token, engine = await judged_with_own_token(configured, tmp_path)

    whole = json.dumps([asdict(exchange) for exchange in engine.run.transcript.numbered(range(1, 10_000))], default=str)
    assert token not in whole
    assert token[: len(token) // 2] not in whole


async def test_a_token_that_is_refused_is_one_diagnosis_without_it(configured, tmp_path):
    engine = await judged_with(configured, "noSuchToken", tmp_path)

    assert "refuses the provided access token: 401" in engine.readiness.diagnosis
    assert "noSuchToken" not in engine.readiness.diagnosis
    assert engine.results["BEARER-05"].verdict is Verdict.BLOCKED


def test_with_a_token_the_run_makes_no_login_unless_a_driver_is_named(tmp_path):
    profile = Profile().with_access_token_in(tmp_path / "token")

    assert isinstance(driver_for(profile), NoLogin)
    assert driver_for(profile, "redirects").name == "redirects"


def test_a_token_comes_from_the_environment_too(monkeypatch):
    monkeypatch.setenv("STAGING_TOKEN", "abc.def")

    assert HandedInToken(access_token_env="STAGING_TOKEN").value() == "abc.def"


def test_what_can_be_no_token_is_refused_and_not_shown(monkeypatch):
    monkeypatch.setenv("STAGING_TOKEN", "Bearer abc")

    with pytest.raises(ProfileError, match="STAGING_TOKEN holds no access token") as refusal:
        HandedInToken(access_token_env="STAGING_TOKEN").value()
    assert "abc" not in str(refusal.value)
