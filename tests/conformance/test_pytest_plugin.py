"""The checks as pytest items, in a pytest of their own against a small server."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_server import SmallServer, served

from oauth_litmus import checks
from oauth_litmus.checks import all_checks

WIDE = {**os.environ, "COLUMNS": "200"}
CHECKS = ("--pyargs", "oauth_litmus.checks")

pytestmark = pytest.mark.sockets


def run_pytest(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    # A folder without settings: those of this project would treat every warning as an error. The plugin of Schemathesis,
    # which this has nothing to do with, takes longer to import than all the rest.
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:schemathesis",
        "--color=no",
        *map(str, arguments),
    ]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False, env=WIDE)


@pytest.fixture
def good() -> Iterator[SmallServer]:
    with served(SmallServer()) as server:
        yield server


@pytest.fixture
def broken() -> Iterator[SmallServer]:
    with served(SmallServer(verifies_pkce=False)) as server:
        yield server


def test_there_is_one_item_per_check(tmp_path: Path, good: SmallServer):
    done = run_pytest(
        tmp_path, *CHECKS, "--litmus-target", good.issuer, "--collect-only", "-qq", "-o", "console_output_style=classic"
    )

    assert done.returncode == 0, done.stdout
    assert sum(int(line.rpartition(": ")[2]) for line in done.stdout.splitlines() if ".py: " in line) == len(
        all_checks()
    )
    assert good.heard == []


def test_without_a_target_the_plugin_does_nothing(tmp_path: Path):
    done = run_pytest(tmp_path, *CHECKS)

    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "oauth-litmus =" not in done.stdout


def test_the_plugin_imports_nothing_of_the_suite_before_there_is_a_target(tmp_path: Path):
    (tmp_path / "test_it.py").write_text(
        "import sys\n\ndef test_it():\n    assert not {'httpx', 'pydantic', 'oauth_litmus.check'} & set(sys.modules)\n"
    )

    done = run_pytest(tmp_path, "-p", "no:respx", "-p", "no:hypothesispytest", "test_it.py")

    assert done.returncode == 0, done.stdout


def test_k_selects_by_id_and_only_that_is_judged(tmp_path: Path, good: SmallServer):
    done = run_pytest(tmp_path, *CHECKS, "--litmus-target", good.issuer, "-k", "PKCE-03", "-vv")

    assert done.returncode == 0, done.stdout
    assert "verifier.py::wrong_verifier_is_refused[PKCE-03]" in done.stdout
    assert "1 passed" in done.stdout
    assert "PKCE-04" not in done.stdout


def test_m_selects_by_level_and_category(tmp_path: Path, good: SmallServer):
    done = run_pytest(
        tmp_path, *CHECKS, "--litmus-target", good.issuer, "-m", "must and core and pkce", "--strict-markers"
    )

    requirements = [entry.requirement for entry in all_checks().values() if entry.category == "pkce"]
    chosen = sum(requirement.core and requirement.level == "MUST" for requirement in requirements)
    assert f"{chosen} passed" in done.stdout, done.stdout


def test_a_node_id_selects_one_check(tmp_path: Path, good: SmallServer):
    node = f"{Path(checks.__path__[0], 'pkce', 'verifier.py')}::wrong_verifier_is_refused[PKCE-03]"

    done = run_pytest(tmp_path, node, "--litmus-target", good.issuer)

    assert "1 passed" in done.stdout, done.stdout


def test_a_skip_says_its_reason(tmp_path: Path, good: SmallServer):
    done = run_pytest(tmp_path, *CHECKS, "--litmus-target", good.issuer, "-k", "RATE-01", "-rs")

    assert "1 skipped" in done.stdout
    assert "SKIP: sends more than the server's limits allow" in done.stdout


def test_a_failure_is_told_as_in_the_terminal_report(tmp_path: Path, broken: SmallServer):
    done = run_pytest(tmp_path, *CHECKS, "--litmus-target", broken.issuer, "-k", "PKCE-03")

    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    for part in (
        "FAIL PKCE-03 · MUST · OAuth 2.1 §4.1.3",
        "expected  400/401 with error=invalid_grant",
        "got       tokens (200)",
        f"> POST {broken.issuer}/token",
        "[PKCE-03] - FAIL: tokens (200)",
    ):
        assert part in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_failure_of_another_check_blocks_at_once(tmp_path: Path, broken: SmallServer):
    done = run_pytest(tmp_path, *CHECKS, "--litmus-target", broken.issuer, "-k", "PKCE-03 or PKCE-12")

    assert "2 failed" in done.stdout
    assert "BLOCKED: not judged, because PKCE-03 failed" in done.stdout


def test_x_stops_and_ends_what_still_runs(tmp_path: Path, broken: SmallServer):
    # The limit that is kept would make the whole run last for minutes.
    limit = ("--litmus-rate", "token=12/600")

    done = run_pytest(tmp_path, *CHECKS, "--litmus-target", broken.issuer, "-k", "PKCE-03 or replay", "-x", *limit)

    assert "1 failed" in done.stdout, done.stdout + done.stderr
    assert "stopping after 1 failures" in done.stdout


def test_the_junit_file_of_pytest_has_the_durations_of_the_checks(tmp_path: Path, broken: SmallServer):
    path = tmp_path / "out.xml"

    run_pytest(tmp_path, *CHECKS, "--litmus-target", broken.issuer, "-k", "PKCE-03", f"--junitxml={path}")

    case = ET.parse(path).getroot().find(".//testcase")
    assert case is not None
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "FAIL: tokens (200)"


def test_n_of_xdist_is_refused_with_a_sentence(tmp_path: Path, good: SmallServer):
    done = run_pytest(tmp_path, *CHECKS, "--litmus-target", good.issuer, "-n", "2")

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "--litmus-target cannot be used with -n of xdist" in done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--litmus-target", "http://127.0.0.1:1"], "http://127.0.0.1:1 cannot be reached: Connection refused"),
        (
            ["--litmus-target", "http://127.0.0.1:1", "--litmus-profile", "nowhere.toml"],
            "cannot read the profile nowhere.toml",
        ),
        (["--litmus-target", "http://127.0.0.1:1", "--litmus-rate", "token=x"], "'token=x' is not a rate limit"),
    ],
)
def test_bad_input_is_wrong_usage_with_a_sentence(tmp_path: Path, arguments: list[str], sentence: str):
    done = run_pytest(tmp_path, *CHECKS, *arguments)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout
    assert sentence in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
