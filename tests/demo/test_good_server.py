"""The good server in the demo, with both classes of access token."""

from __future__ import annotations

import re

import pytest
from demo_command import NOT_JUDGED, by_verdict, demo, needing_replicas

pytestmark = pytest.mark.sockets

AT_LEAST = 240
# The expected WARNs of the good server by token class, each with its clause. The set may be empty.
EXPECTED_WARNS: dict[str, dict[str, str]] = {
    "supabase": {
        "RES-02": "RFC 8707 §2: Supabase's JWT has the audience `authenticated` for every requested resource",
    },
    "relay": {},
}
SIDE_BY_SIDE = 10
"""The minimum average number of checks that run or wait at once. A machine with two cores has about forty."""


@pytest.fixture(scope="module", params=["supabase", "relay"])
def good(request, tmp_path_factory):
    return request.param, *demo(tmp_path_factory.mktemp("demo"), "--tokens", request.param)


def test_the_good_server_is_not_red(good):
    _, finished, report, _ = good

    assert finished.returncode == 0, finished.stdout[-3000:]
    assert len(by_verdict(report, "PASS")) >= AT_LEAST
    assert by_verdict(report, "SKIP") == NOT_JUDGED | needing_replicas()
    assert not by_verdict(report, "BLOCKED")
    assert not by_verdict(report, "ERROR")


def test_the_warns_of_the_good_server_are_known(good):
    tokens, _, report, _ = good

    assert by_verdict(report, "WARN") == set(EXPECTED_WARNS[tokens])


def test_the_waits_overlap(good):
    _, _, report, _ = good

    assert sum(check["duration"] for check in report["checks"]) > SIDE_BY_SIDE * report["duration"]


def test_the_terminal_counts_add_up(good):
    _, finished, _, _ = good

    counts = re.search(r"(\d+) checks = (.*)", finished.stdout)
    assert counts
    assert int(counts[1]) == sum(int(number) for number in re.findall(r"(\d+) [A-Z]", counts[2]))
    assert re.search(r"core checks (was|were) (not )?judged\.$", finished.stdout.strip())
