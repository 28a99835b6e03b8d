"""If a server stops answering during a run, the run requests its metadata, and stops if there is no response."""

import time

import pytest
from judged import judged

from litmus_fixtures.torture_server.server import Rule, torturing
from oauth_litmus.http import health as health_module

pytestmark = pytest.mark.sockets

AFTER_PREFLIGHT = 20
"""How many requests pass before the fault. The preflight needs about a dozen of them."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(health_module, "PAUSES", (0.0, 0.1, 0.1))


@pytest.mark.parametrize("fault", ["hangs_up", "cut_in_the_head", "silence", "unavailable"])
async def test_a_server_that_stops_answering_stops_the_run_and_every_check_has_a_verdict(fault):
    began = time.monotonic()
    async with torturing(Rule(fault, "/", after=AFTER_PREFLIGHT)) as torture:
        outcome = await judged(torture, "replay", "pkce", "META-04")
        heard = len(torture.heard)

    assert time.monotonic() - began < 15
    assert "requests in a row failed, and so did 3 plain requests for the metadata after them" in outcome.engine.stopped
    assert outcome.of("BLOCKED")
    assert outcome.of("FAIL", "ERROR") == set()
    assert heard < AFTER_PREFLIGHT + 100


async def test_clients_of_a_run_that_was_stopped_are_listed_as_left_behind():
    async with torturing(Rule("hangs_up", "/", after=AFTER_PREFLIGHT)) as torture:
        outcome = await judged(torture, "replay", "pkce")

    assert outcome.engine.stopped
    assert outcome.left_behind


async def test_the_run_continues_if_the_server_answers_again():
    # By then, the run has made the state that checks share. If making it failed, all of them would be BLOCKED.
    async with torturing(Rule("hangs_up", "/", after=3 * AFTER_PREFLIGHT, times=8)) as torture:
        outcome = await judged(torture, "replay", "pkce", "metadata")

    assert outcome.engine.stopped == ""
    assert len(outcome.of("PASS", "WARN")) > 10


async def test_connections_that_break_at_one_endpoint_do_not_stop_the_run():
    async with torturing(Rule("hangs_up", "/oauth2/v1/token", after=2)) as torture:
        outcome = await judged(torture, "replay", "META-04", "HEADERS-01")

    assert outcome.engine.stopped == ""
    assert outcome.verdicts["META-04"] == outcome.verdicts["HEADERS-01"] == "PASS"
    assert outcome.of("FAIL") == set()
