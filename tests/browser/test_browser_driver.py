"""The login driver `browser`, with a real Chromium; skipped if none is installed."""

import asyncio
import json
import os
import shutil
import stat

import httpx
import pytest

from litmus_fixtures.demo_settings import SHORT
from litmus_fixtures.operator_profile import profile_of
from litmus_fixtures.served import served_relay
from oauth_litmus.browser.model import Browser
from oauth_litmus.browser.trail import Trail
from oauth_litmus.http.answer import Answer
from oauth_litmus.login.installed import driver_for
from oauth_litmus.login.leg import Leg, Step
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.target.login_settings import BrowserSettings, ProfileError
from oauth_litmus.verdict import Verdict

pytest.importorskip("playwright", reason="needs Playwright: pip install 'oauth-litmus[browser]'")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium, chromium-browser or google-chrome in PATH")
pytestmark = pytest.mark.sockets
PAGE = "http://127.0.0.1:1/login?ticket=secret"


@pytest.fixture(scope="module")
def relay():
    with served_relay(dict(SHORT)) as served:
        yield served


def profile_for(relay, **settings):
    profile = profile_of(relay.settings, relay.simulator)
    # Chromium has no sandbox when run as root; in a container that is safe.
    args = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
    browser = BrowserSettings(executable=CHROMIUM, args=args, **settings)
    return profile.model_copy(update={"login": profile.login.model_copy(update={"browser": browser})})


def run(relay, profile, driver, *only):
    async def judged():
        selection = Selection(only)
        options = Options(relay.issuer, profile, driver_for(profile, driver), selection, Budget(5))
        async with connected(options) as run:
            return await judge(run, selection)

    return asyncio.run(judged())


@needs_chromium
def test_cookies_get_the_same_verdicts_as_with_the_driver_redirects(relay):
    profile = profile_for(relay)

    walked, browsed = (run(relay, profile, driver, "cookie") for driver in ("redirects", "browser"))

    assert browsed.readiness.diagnosis == ""
    assert {i: r.verdict for i, r in browsed.results.items()} == {i: r.verdict for i, r in walked.results.items()}


@needs_chromium
def test_concurrent_callbacks_do_not_wait_for_a_free_browser_page(relay):
    engine = run(relay, profile_for(relay, pages=1), "browser", "LOGIN-13")

    assert engine.results["LOGIN-13"].verdict is Verdict.PASS


@needs_chromium
def test_the_session_is_stored_for_its_owner_only_and_reused(relay, tmp_path):
    state = tmp_path / "kept" / "state.json"
    profile = profile_for(relay, state=str(state))

    first = run(relay, profile, "browser", "COOKIE-01")
    second = run(relay, profile, "browser", "COOKIE-01")

    assert (first.readiness.diagnosis, second.readiness.diagnosis) == ("", "")
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    assert "cookies" in json.loads(state.read_text())


def test_a_session_file_that_others_can_read_is_refused(relay, tmp_path):
    state = tmp_path / "state.json"
    state.write_text('{"cookies": []}')
    state.chmod(0o644)

    with pytest.raises(ProfileError, match="others may read it: chmod 600"):
        driver_for(profile_for(relay, state=str(state)), "browser")


@needs_chromium
async def test_a_stuck_login_stores_a_screenshot_and_reports_its_path(relay, tmp_path):
    shots = tmp_path / "shots"
    profile = profile_for(relay, screenshots=str(shots), patience=1.0)
    html = b"<title>Who?</title><script>0</script><form><input name=otp required><button>Go</button></form>"
    page = Answer(1, "GET", PAGE, 200, httpx.Headers({"content-type": "text/html"}), html, 0.0, 0.0)
    trail = Trail()
    leg = Leg(Step(PAGE), page, lambda url: True, frozenset(), Browser(lambda: 0.0), trail, "LOGIN-01")
    driver = driver_for(profile, "browser")

    try:
        assert await driver.carry(leg) is None
    finally:
        await driver.close()

    assert [path.name for path in shots.iterdir()] == ["LOGIN-01-1.png"]
    assert f"a screenshot of the page is LOGIN-01-1.png in {shots}" in trail.stuck
    assert "'Who?', with fields otp; buttons 'Go'" in trail.stuck
    assert "secret" not in trail.stuck


def test_a_missing_browser_blocks_and_the_message_names_the_setting(relay):
    profile = profile_for(relay)
    missing = profile.login.browser.model_copy(update={"executable": "/no/such/chromium"})
    profile = profile.model_copy(update={"login": profile.login.model_copy(update={"browser": missing})})

    engine = run(relay, profile, "browser", "COOKIE-01")

    assert "the browser does not start" in engine.readiness.diagnosis
    assert "[login.browser] executable" in engine.readiness.diagnosis
