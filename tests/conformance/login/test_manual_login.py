"""Logins that a person does: the listener on loopback, what is worth asking for, and a whole run by hand."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import pytest
from small_server import SmallServer, served

from oauth_litmus.checks import all_checks
from oauth_litmus.login.manual import ManualDriver
from oauth_litmus.run.engine import Engine
from oauth_litmus.run.logins_by_hand import logins_of, worth_asking_for
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.verdict import Blocked, Skipped, Verdict

AUTHORIZE = "https://auth.example.com/authorize?state=abc"


class Person:
    """Opens each URL in their browser some moments later, as a real one does."""

    def __init__(self, act: Callable[[str], None]) -> None:
        self.act = act
        self.heard: list[str] = []

    def driver(self, *, max_logins: int = 3, minutes: float = 0.2) -> ManualDriver:
        return ManualDriver(max_logins, minutes, say=self.heard.append, open_browser=self.act)


def visiting(*urls: str, answers: list[str] | None = None) -> Callable[[str], None]:
    def act(url: str) -> None:
        del url
        for address in urls:
            answer = httpx.get(address, trust_env=False)
            if answers is not None:
                answers.append(f"{answer.status_code} {answer.text}")

    return act


async def test_the_url_to_which_the_browser_came_back_is_returned():
    person = Person(lambda url: None)
    driver = person.driver()
    person_comes_back = f"{driver.redirect_uri}?code=c&state=abc"
    driver.open_browser = visiting(person_comes_back)

    assert await driver.finish(AUTHORIZE, driver.redirect_uri) == person_comes_back


async def test_the_person_is_told_the_url_and_can_close_the_page():
    answers: list[str] = []
    person = Person(lambda url: None)
    driver = person.driver()
    driver.open_browser = visiting(f"{driver.redirect_uri}?code=c&state=abc", answers=answers)

    await driver.finish(AUTHORIZE, driver.redirect_uri)

    assert AUTHORIZE in person.heard[0]
    assert "You can close this page" in answers[0]


async def test_a_browser_that_asks_for_an_icon_first_is_no_answer():
    answers: list[str] = []
    driver = Person(lambda url: None).driver()
    origin = driver.redirect_uri.removesuffix("/callback")
    icon, wrong, right = (
        f"{origin}/favicon.ico",
        driver.redirect_uri,
        f"{driver.redirect_uri}?error=access_denied&state=abc",
    )
    driver.open_browser = visiting(icon, wrong, right, answers=answers)

    assert await driver.finish(AUTHORIZE, driver.redirect_uri) == right
    assert [answer[:3] for answer in answers] == ["404", "404", "200"]


async def test_a_page_of_an_earlier_login_is_no_answer():
    driver = Person(lambda url: None).driver()
    earlier, later = (f"{driver.redirect_uri}?code=c&state={state}" for state in ("abc", "def"))
    driver.open_browser = visiting(earlier)
    await driver.finish(AUTHORIZE, driver.redirect_uri)
    driver.open_browser = visiting(earlier, later)

    assert await driver.finish(AUTHORIZE.replace("abc", "def"), driver.redirect_uri) == later


async def test_a_person_who_does_not_come_back_in_time_blocks_with_a_sentence():
    driver = Person(lambda url: None).driver(minutes=0.001)

    with pytest.raises(Blocked, match=r"the manual login was not finished within 0.001 minutes"):
        await driver.finish(AUTHORIZE, driver.redirect_uri)


async def test_a_person_is_asked_no_oftener_than_agreed():
    driver = Person(lambda url: None).driver(max_logins=0)

    with pytest.raises(Skipped, match="all 0 are used"):
        await driver.finish(AUTHORIZE, driver.redirect_uri)


async def test_a_client_that_is_redirected_elsewhere_cannot_be_logged_in_by_hand():
    with pytest.raises(Skipped, match="not to this machine"):
        await Person(lambda url: None).driver().finish(AUTHORIZE, "https://client.example.com/cb")


async def test_a_port_that_is_taken_blocks_with_a_sentence():
    driver = Person(lambda url: None).driver()
    port = urlsplit(driver.redirect_uri).port
    async with await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", port):
        with pytest.raises(Blocked, match=r"cannot listen at http://127\.0\.0\.1"):
            await driver.finish(AUTHORIZE, driver.redirect_uri)


def test_the_most_valuable_checks_that_fit_are_chosen():
    checks = list(all_checks().values())

    assert worth_asking_for(checks, 2) == {"REPLAY-07", "REPLAY-08"}


def test_no_more_logins_are_given_away_than_there_are():
    checks = list(all_checks().values())

    chosen = worth_asking_for(checks, 20)

    assert sum(logins_of(all_checks()[identifier]) for identifier in chosen) <= 20
    assert "REPLAY-10" in chosen


async def by_hand(server: SmallServer, driver: ManualDriver) -> Engine:
    selection = Selection(only=("pkce", "replay", "cookie"))
    options = Options(server.issuer, driver=driver, selection=selection, budget=Budget(max_wait=5))
    async with connected(options) as run:
        return await judge(run, selection)


def clicking_through(url: str) -> None:
    """Do the same as the script on the small server's page."""
    finish = url.replace("/authorize?", "/finish?")
    httpx.get(httpx.get(finish, trust_env=False).headers["location"], trust_env=False)


@pytest.mark.sockets
async def test_a_run_by_hand_judges_what_fits_and_says_what_the_rest_would_need():
    person = Person(clicking_through)
    driver = person.driver(max_logins=3)
    with served(SmallServer(shows_a_page=True)) as server:
        engine = await by_hand(server, driver)

    verdicts = {identifier: result.verdict for identifier, result in engine.results.items()}
    assert engine.readiness.diagnosis == ""
    assert (verdicts["REPLAY-07"], verdicts["REPLAY-08"]) == (Verdict.PASS, Verdict.PASS)
    assert not {Verdict.BLOCKED, Verdict.ERROR} & set(verdicts.values())
    assert driver.done == 3
    assert engine.results["REPLAY-10"].decision.reason.startswith("needs 5 more logins by hand")
    assert "give --login redirects" in engine.results["COOKIE-01"].decision.reason


@pytest.mark.sockets
async def test_a_defect_is_found_by_hand_too():
    driver = Person(clicking_through).driver(max_logins=40)
    with served(SmallServer(shows_a_page=True, verifies_pkce=False)) as server:
        engine = await by_hand(server, driver)

    assert engine.results["PKCE-03"].verdict is Verdict.FAIL
    shown = engine.run.transcript.numbered(engine.results["PKCE-03"].exchanges)
    assert [exchange.request.splitlines()[0] for exchange in shown] == [f"POST {server.issuer}/token"]


@pytest.mark.sockets
async def test_clients_of_a_run_by_hand_are_redirected_to_this_machine():
    driver = Person(clicking_through).driver(max_logins=1)
    with served(SmallServer(shows_a_page=True)) as server:
        await by_hand(server, driver)

    registered = [uri for uris in server.clients.values() for uri in uris]
    assert driver.redirect_uri in registered
