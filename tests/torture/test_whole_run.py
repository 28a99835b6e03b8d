"""The command against a server with all faults at once: it ends in time, uses little memory, and gives every verdict."""

import json
import os
import subprocess
import sys
import sysconfig
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from litmus_fixtures.straw_world import profile_path
from oauth_litmus.run.plan import Selection

pytestmark = pytest.mark.sockets

COMMAND = str(Path(sysconfig.get_path("scripts"), "oauth-litmus"))
MAX_TIME = 60
MOST_MEMORY = 300 * 1024
"""Kilobytes."""
PLACES = {
    "/oauth2/v1/token": (
        "endless_body", "slow_body", "gzip_bomb", "gzip_bomb_in_a_bomb", "deflate_bomb", "deep_json", "huge_numbers",
        "cut_in_the_head", "cut_in_the_body", "shorter_than_promised", "silence", "crash",
    ),
    "/oauth2/v1/authorize": (
        "endless_page", "circle", "spiral", "hundreds_of_cookies", "unclosed_tags", "tags_without_end", "endless_forms",
        "comments_without_end", "a_form_that_comes_back", "a_page_that_reloads", "lines_for_patterns",
    ),
    "/oauth2/v1/register": ("unavailable", "thousands_of_headers", "longer_than_promised", "no_http"),
    "/mcp": ("endless_events", "endless_hints", "huge_header", "brotli_bomb", "zstd_bomb", "slow_head", "hangs_up"),
}  # fmt: skip


@contextmanager
def tortured(*rules):
    arguments = [sys.executable, "-m", "litmus_fixtures.torture_server.process", *rules]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        met = []
        try:
            yield process.stdout.readline().strip(), met
            process.terminate()
            met += process.stdout.readline().split()
        finally:
            process.kill()


def run(url, tmp_path, *arguments, timeout=3.0):
    """Return the exit status, the report, the seconds, and the peak memory in kilobytes."""
    straw = profile_path("managed").read_text("utf-8").partition("[limits]")[0]
    profile = tmp_path / "profile.toml"
    profile.write_text(f"{straw}\n[http]\ntimeout = {timeout}\n", "utf-8")
    report = tmp_path / "report.json"
    began = time.monotonic()
    command = [COMMAND, "run", url, "--profile", profile, "--json", report, *arguments]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert "Traceback" not in said, said
    return process.returncode, json.loads(report.read_text("utf-8")), time.monotonic() - began, usage.ru_maxrss


def test_a_run_against_all_faults_at_once_ends_in_time_in_little_memory_with_every_verdict(tmp_path):
    # The requests of the preflight pass. After them, every fifth request to an endpoint meets the next of its faults.
    rules = [f"{','.join(faults)}:{path}:8:5" for path, faults in PLACES.items()]
    with tortured(*rules) as (url, met):
        status, report, seconds, memory = run(url, tmp_path, "--burst", "--max-wait", 5, "--max-time", MAX_TIME)

    assert status == 1
    assert len(set(met)) > 15
    assert sum(report["counts"].values()) == report["selected"] == len(Selection().checks())
    assert report["counts"]["ERROR"] == 0
    assert report["counts"]["PASS"] > 0
    assert report["counts"]["BLOCKED"] > 0
    assert all(check["reason"] for check in report["checks"] if check["verdict"] == "BLOCKED")
    assert seconds < MAX_TIME + 60
    assert memory < MOST_MEMORY


def test_a_run_whose_server_goes_silent_stops_and_lists_what_it_left_behind(tmp_path):
    with tortured("silence:/:60") as (url, _):
        status, report, seconds, _ = run(url, tmp_path, "--max-wait", 5, "--max-time", MAX_TIME, timeout=1.0)

    assert status == 1
    assert report["stopped"].startswith("the run was stopped: ")
    assert sum(report["counts"].values()) == report["selected"]
    assert report["counts"]["ERROR"] == report["counts"]["FAIL"] == 0
    assert report["left_behind"]
    assert seconds < 30


def test_the_plan_states_the_bound(tmp_path):
    with tortured() as (url, _):
        done = subprocess.run(
            [COMMAND, "run", url, "--dry-run", "--max-time", "90"], capture_output=True, text=True, check=True
        )

    assert "The run ends within 150 s in any case (--max-time)." in done.stdout
