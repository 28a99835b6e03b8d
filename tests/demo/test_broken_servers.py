"""A broken server in the demo fails the checks that must see its defect, and no others."""

from __future__ import annotations

import pytest
from demo_command import by_verdict, demo

from litmus_fixtures.broken_servers.registry import all_broken_servers

pytestmark = pytest.mark.sockets

# The example of the README. These were tried by hand: narrowing_is_for_ever, query_is_ignored, codes_are_never_spent,
# looking_at_a_code_renews_it.
BROKEN = "challenge_is_its_own_verifier"


def test_a_broken_server_fails_exactly_the_named_checks(tmp_path):
    finished, report, _ = demo(tmp_path, "--broken", BROKEN)

    assert finished.returncode == 1
    assert by_verdict(report, "FAIL") == all_broken_servers()[BROKEN].fails
    failed = [check for check in report["checks"] if check["verdict"] == "FAIL"]
    for check in failed:
        assert check["clauses"]
        assert check["findings"][0]["expected"]
        assert check["findings"][0]["got"]
        assert check["exchanges"]
