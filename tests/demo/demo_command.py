"""Run the demo like a user: with the real command, real processes and real sockets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from oauth_litmus.check import Need
from oauth_litmus.checks import all_checks

NOT_JUDGED = {"EXPIRY-16a"}
"""The client secret of this check is valid for a year."""


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


def needing_replicas() -> set[str]:
    return {check.id for check in all_checks().values() if Need.REPLICAS in check.needs}


def by_verdict(report, verdict: str) -> set[str]:
    return {check["id"] for check in report["checks"] if check["verdict"] == verdict}
