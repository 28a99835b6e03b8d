"""Exactly the named checks see each broken server: a missing check and an additional check both fail the test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from matrix import GoodRuns, checks_against, judged_in_process, judged_over_sockets

from litmus_fixtures.broken_servers.registry import BrokenServer, all_broken_servers
from oauth_litmus.check import Need
from oauth_litmus.checks import all_checks
from oauth_litmus.verdict import Level

BROKEN = all_broken_servers()
IN_PROCESS = [server for server in BROKEN.values() if server.ring == "process"]
OVER_SOCKETS = [server for server in BROKEN.values() if server.ring == "sockets"]
RACES = {"REPLAY-04", "REPLAY-10", "REPLAY-12b", "REPLAY-12d"}
PROVED_ELSEWHERE = {"EXPIRY-04", "RES-05"}
"""Checks without a broken server.

EXPIRY-04 compares declared values and sends the server no request: tests/conformance/probes/test_boundaries.py. RES-05 needs a grant for
two resources, which no good server supports: tests/conformance/checks/test_resources_of_opaque_tokens.py.
"""
MOST_BLOCKED = 18
"""If the callback needs no cookie, all checks of that cookie are BLOCKED."""
MOST_VALUABLE = [
    "REPLAY-10",
    "REPLAY-04",
    "REPLAY-07",
    "REDIR-02",
    "REDIR-05",
    "REDIR-06",
    "REDIR-07",
    "REDIR-23",
    "LOGIN-02",
    "COOKIE-10",
    "LOGIN-12",
    "SCOPE-03",
    "SCOPE-05",
    "SCOPE-06",
    "BEARER-08",
    "BEARER-13",
    "RATE-05",
    "RATE-04",
    "RATE-07",
    "PKCE-04",
    "PKCE-06",
    "PKCE-08",
    "PKCE-12",
    "REDIR-17",
    "AUTHZ-03",
    "REDIR-18",
    "REDIR-19",
    "EXPIRY-02",
    "EXPIRY-05",
    "EXPIRY-06",
    "EXPIRY-13",
    "META-02",
    "ISS-01",
    "REVOKE-04",
    "REVOKE-05",
    "REVOKE-02",
]
CATEGORIES = ("pkce", "replay", "scope", "redirect_uri", "rate_limit", "expiry", "cookie")


@pytest.fixture(scope="session")
def good_runs(tmp_path_factory, testrun_uid):
    """Good runs that the first worker records. `LITMUS_GOOD_RUNS` names the folder of an earlier session's runs."""
    told = os.environ.get("LITMUS_GOOD_RUNS")
    return GoodRuns(Path(told) if told else tmp_path_factory.getbasetemp().parent / f"good-runs-{testrun_uid}")


@pytest.mark.parametrize("tokens", ["supabase", "relay"])
async def test_the_good_server_is_clean(tokens, good_runs):
    seen = (await good_runs.of(tokens)).seen

    assert not seen.fails | seen.blocked | seen.errors, seen


@pytest.mark.parametrize("tokens", ["supabase", "relay"])
async def test_good_replicas_are_clean(tokens):
    seen = await judged_in_process(None, ("replicas", "replay"), {"ACCESS_TOKENS": tokens}, replicas=3)

    assert not seen.fails | seen.warns | seen.blocked | seen.errors, seen


@pytest.mark.parametrize("server", IN_PROCESS, ids=lambda server: server.name)
async def test_in_process_exactly_the_named_checks_see_it(server, good_runs):
    good = await good_runs.against(server)

    seen = await judged_in_process(server, checks_against(server, good))

    _exactly(server, seen, good)


@pytest.mark.sockets
@pytest.mark.valkey
@pytest.mark.parametrize("server", OVER_SOCKETS, ids=lambda server: server.name)
async def test_over_sockets_exactly_the_named_checks_see_it(server, good_runs):
    good = await good_runs.against(server)

    seen = await judged_over_sockets(server, checks_against(server, good))

    _exactly(server, seen, good)


@pytest.mark.parametrize("server", BROKEN.values(), ids=lambda server: server.name)
def test_a_broken_server_names_existing_checks(server):
    assert server.fails | server.warns <= set(all_checks())
    assert not server.fails & server.warns


def test_no_race_is_proved_only_in_process():
    assert not [
        server.name for server in IN_PROCESS if (server.fails | server.warns) & RACES and not server.fails - RACES
    ]


@pytest.mark.parametrize("identifier", sorted(set(all_checks()) - PROVED_ELSEWHERE))
def test_every_check_is_proved_by_a_broken_server(identifier):
    must = all_checks()[identifier].requirement.level is Level.MUST
    killers = [
        server.name
        for server in BROKEN.values()
        if identifier in (server.fails if must else server.fails | server.warns)
    ]

    assert killers, f"{identifier}: no broken server shows that this check can fail"


def test_a_third_of_the_broken_servers_break_the_effect():
    assert 3 * sum(server.breaks_effect for server in BROKEN.values()) >= len(BROKEN)


def test_the_most_valuable_checks_exist():
    assert not set(MOST_VALUABLE) - set(all_checks())


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_main_category_has_four_checks(category):
    assert sum(check.category == category for check in all_checks().values()) >= 4


def _exactly(server: BrokenServer, seen, good) -> None:
    assert not seen.errors, seen
    assert (seen.fails, seen.warns - good.seen.warns) == (server.fails, server.warns), (
        f"{server.name}: {server.lie}\n{seen}"
    )
    # Replica checks do not count: an instance that does not know the clients blocks all of them.
    blocked = {identifier for identifier in seen.blocked if Need.REPLICAS not in all_checks()[identifier].needs}
    assert len(blocked) <= MOST_BLOCKED, f"{server.name} breaks too much: {sorted(blocked)}"
