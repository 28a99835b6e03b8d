"""The demo when no check may wait."""

from __future__ import annotations

from pathlib import Path

import pytest
from demo_command import NOT_JUDGED, demo, needing_replicas

pytestmark = pytest.mark.sockets


def test_without_time_the_waiting_checks_say_so(tmp_path: Path):
    finished, report, _ = demo(tmp_path, "--max-wait", "0")

    skipped = [check for check in report["checks"] if check["verdict"] == "SKIP"]
    assert finished.returncode == 0
    assert skipped
    others = [check["reason"] for check in skipped if check["id"] not in NOT_JUDGED | needing_replicas()]
    assert others
    assert all("--max-wait" in reason for reason in others), others
    assert sum(report["counts"].values()) == len(report["checks"])
