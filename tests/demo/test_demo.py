"""The demo as a user runs it: the real command, real processes, real sockets."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from litmus_fixtures.broken_servers.registry import all_broken_servers
from oauth_litmus.check import Need, all_checks

pytestmark = pytest.mark.sockets

AT_LEAST = 45
# The WARNs of the good server, by token class, each with the clause that it comes from. None is needed.
EXPECTED_WARNS: dict[str, dict[str, str]] = {
    "supabase": {
        "RES-02": "RFC 8707 §2: Supabase's JWT has the audience `authenticated`, whatever resource was asked for",
    },
    "relay": {},
}
NOT_JUDGED_HERE = {"EXPIRY-16a", "RATE-12a", "RATE-12b"}
"""A secret lives for a year, and logins end before the window of a limit does."""
MISSED_BY_A_BUSY_MACHINE = {"EXPIRY-03", "REPLAY-14"}
"""They aim at an instant, or at two seconds of grace, and say so if they came too late."""
# Two of five that were run by hand: challenge_is_its_own_verifier, narrowing_is_for_ever, query_is_ignored,
# codes_are_never_spent, looking_at_a_code_renews_it.
BROKEN = ("challenge_is_its_own_verifier", "narrowing_is_for_ever")


def demo(tmp_path: Path, *arguments: str):
    report = tmp_path / "report.json"
    log = tmp_path / "relay.log"
    command = [
        sys.executable,
        "-m",
        "oauth_litmus",
        "demo",
        "--json",
        str(report),
        "--server-log",
        str(log),
        *arguments,
    ]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert report.exists(), finished.stderr
    return finished, json.loads(report.read_text()), log.read_text()


@pytest.fixture(scope="module", params=["supabase", "relay"])
def good(request, tmp_path_factory):
    return request.param, *demo(tmp_path_factory.mktemp("demo"), "--tokens", request.param)


def needing_replicas() -> set[str]:
    return {check.id for check in all_checks().values() if Need.REPLICAS in check.needs}


def by_verdict(report, verdict: str) -> set[str]:
    return {check["id"] for check in report["checks"] if check["verdict"] == verdict}


def test_the_good_server_is_not_red(good):
    _, finished, report, _ = good

    assert finished.returncode == 0, finished.stdout[-3000:]
    assert len(by_verdict(report, "PASS")) >= AT_LEAST
    assert by_verdict(report, "SKIP") == NOT_JUDGED_HERE | needing_replicas()
    assert by_verdict(report, "BLOCKED") <= MISSED_BY_A_BUSY_MACHINE
    assert not by_verdict(report, "ERROR")


def test_the_warns_of_the_good_server_are_known(good):
    tokens, _, report, _ = good

    assert by_verdict(report, "WARN") == set(EXPECTED_WARNS[tokens])


def test_the_run_ends_within_25_seconds(good):
    _, _, report, _ = good

    assert report["duration"] < 25


def test_the_terminal_counts_add_up(good):
    _, finished, _, _ = good

    counts = re.search(r"(\d+) checks = (.*)", finished.stdout)
    assert counts
    assert int(counts[1]) == sum(int(number) for number in re.findall(r"(\d+) [A-Z]", counts[2]))
    assert re.search(r"core checks were (not )?judged\.$", finished.stdout.strip())


def test_without_time_the_waiting_checks_say_so(tmp_path):
    finished, report, _ = demo(tmp_path, "--max-wait", "0")

    skipped = [check for check in report["checks"] if check["verdict"] == "SKIP"]
    assert finished.returncode == 0
    assert skipped
    others = [check["reason"] for check in skipped if check["id"] not in NOT_JUDGED_HERE | needing_replicas()]
    assert others
    assert all("--max-wait" in reason for reason in others), others
    assert sum(report["counts"].values()) == len(report["checks"])


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_server_fails_exactly_the_named_checks(name, tmp_path):
    finished, report, _ = demo(tmp_path, "--broken", name)

    assert finished.returncode == 1
    assert by_verdict(report, "FAIL") == all_broken_servers()[name].fails
    failed = [check for check in report["checks"] if check["verdict"] == "FAIL"]
    for check in failed:
        assert check["clauses"]
        assert check["findings"][0]["expected"]
        assert check["findings"][0]["got"]
        assert check["exchanges"]
