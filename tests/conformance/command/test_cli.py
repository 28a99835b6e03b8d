"""The real command: its exit statuses, its reports, and what it prints."""

import json
import re
import signal
import socket
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from cli_process import COMMAND, command
from small_server import SmallServer, served

from oauth_litmus.report.schema import PATH as SCHEMA

pytestmark = pytest.mark.sockets


def test_a_good_server_ends_with_0_and_all_reports(tmp_path: Path):
    paths = [tmp_path / "report.json", tmp_path / "report.xml"]
    with served(SmallServer()) as server:
        done = command("run", server.issuer, "--only", "PKCE-03", "--json", paths[0], "--junit", paths[1])

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(paths[0].read_text("utf-8"))
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(report)
    assert {entry["id"]: entry["verdict"] for entry in report["checks"]} == {"PKCE-03": "PASS"}
    assert ET.parse(paths[1]).getroot().tag == "testsuites"
    assert all("oauth-litmus/" in agent and report["run_id"] in agent for agent in server.heard)


def test_a_broken_server_ends_with_1_and_the_failure_in_full():
    with served(SmallServer(verifies_pkce=False)) as server:
        done = command("run", server.issuer, "--only", "PKCE-03")

    assert done.returncode == 1
    for part in (
        "FAIL PKCE-03 · MUST · OAuth 2.1 §4.1.3",
        "expected 400/401 with error=invalid_grant",
        "got      tokens (200)",
    ):
        assert part in done.stdout
    assert f"> POST {server.issuer}/token" in done.stdout


def test_a_waiver_turns_the_exit_status_to_0(tmp_path: Path):
    waivers = tmp_path / "waivers.toml"
    waivers.write_text('[[waiver]]\nid = "PKCE-03"\nreason = "on purpose"\nuntil = 2999-01-01\n')
    with served(SmallServer(verifies_pkce=False)) as server:
        done = command("run", server.issuer, "--only", "PKCE-03", "--waivers", waivers)

    assert done.returncode == 0, done.stdout
    assert "(waived: on purpose)" in done.stdout


def test_a_run_that_judges_nothing_ends_with_3():
    with served(SmallServer()) as server:
        done = command("run", server.issuer, "--only", "PKCE-03", "--login", "none")

    assert done.returncode == 3
    assert "Nothing was judged." in done.stdout


def test_a_required_check_that_is_skipped_ends_with_1():
    with served(SmallServer()) as server:
        done = command("run", server.issuer, "--only", "PKCE-03", "--login", "none", "--require", "pkce")

    assert done.returncode == 1
    assert "PKCE-03!" in done.stdout


def test_a_login_that_does_not_work_is_one_diagnosis():
    with served(SmallServer(refuses_logins=True)) as server:
        done = command("run", server.issuer, "--only", "pkce", "--only", "replay")

    assert done.returncode == 1
    assert done.stdout.count("\nPreflight\n") == 1
    assert done.stdout.count("preflight: an ordinary login does not work") == 1
    assert "Traceback" not in done.stderr


def test_a_dry_run_registers_nothing_and_tells_the_plan():
    with served(SmallServer()) as server:
        done = command("run", server.issuer, "--only", "pkce", "--only", "rate_limit", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert server.clients == {}
    assert "checks would run, " in done.stdout
    assert "SKIP: sends more than the server's limits allow: give --burst" in done.stdout
    assert "the longest wait is" in done.stdout


def test_a_dry_run_by_hand_says_for_what_a_person_would_be_asked():
    with served(SmallServer()) as server:
        done = command("run", server.issuer, "--only", "replay", "--dry-run", "--login", "manual")

    assert "Would run: REPLAY-07, REPLAY-08\n" in done.stdout
    assert "About 3 logins (manual)" in done.stdout
    assert "A person is asked for at most 3 logins (--max-logins): login 1 tests that logins work" in done.stdout
    assert "1 login for REPLAY-07" in done.stdout
    assert "--max-logins 4 would unlock REPLAY-" in done.stdout


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_ends_with_130_a_partial_report_and_what_it_left_behind(
    stop: signal.Signals, tmp_path: Path
):
    path = tmp_path / "report.json"
    with served(SmallServer()) as server:
        # The limit that is kept makes this run last for minutes.
        arguments = ["run", server.issuer, "--only", "pkce", "--rate", "token=4/600", "--json", str(path)]
        with subprocess.Popen(
            [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            assert running.stderr is not None
            for line in running.stderr:
                if "first an ordinary login" in line:
                    break
            assert server.gave_tokens.wait(20)
            running.send_signal(stop)
            out, err = running.communicate(timeout=30)

    assert running.returncode == 130, err
    assert "Traceback" not in err
    assert "Interrupted: the report is partial." in out
    assert "Left behind at the server: 1 client named" in out
    report = json.loads(path.read_text("utf-8"))
    assert report["interrupted"] is True
    assert sum(report["counts"].values()) == report["selected"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_before_it_found_a_server_ends_with_130_and_a_sentence(stop: signal.Signals):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        arguments = ["run", f"http://127.0.0.1:{silent.getsockname()[1]}"]
        with subprocess.Popen(
            [COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as running:
            connection, _ = silent.accept()
            running.send_signal(stop)
            _, err = running.communicate(timeout=30)
            connection.close()

    assert running.returncode == 130
    assert err == "oauth-litmus: interrupted before there was anything to report\n"


def test_no_secret_of_a_talkative_server_reaches_any_report(tmp_path: Path):
    path, junit = tmp_path / "report.json", tmp_path / "report.xml"
    with served(SmallServer(verifies_pkce=False, echoes_secrets=True)) as server:
        arguments = ["--only", "pkce", "--only", "replay", "--max-wait", 0, "--show-exchanges"]
        done = command("run", server.issuer, *arguments, "--json", path, "--junit", junit)

    assert done.returncode == 1, done.stderr
    said = done.stdout + done.stderr + path.read_text("utf-8") + junit.read_text("utf-8")
    assert len(server.secrets) > 40
    assert "<access_token:" in said
    # One check sends a code_verifier of a single character, which is in every report.
    assert [secret for secret in server.secrets if len(secret) > 1 and secret in said] == []


def test_no_color_leaves_the_colours_out():
    with served(SmallServer()) as server:
        done = command("run", server.issuer, "--only", "PKCE-01", NO_COLOR="1")

    assert "\x1b" not in done.stdout + done.stderr


def test_a_terminal_without_unicode_gets_the_report_all_the_same():
    with served(SmallServer()) as server:
        done = command("run", server.issuer, "--only", "PKCE-01", PYTHONIOENCODING="ascii")

    assert done.returncode == 0, done.stderr
    assert "pkce ? Proof Key" in done.stdout


def test_list_shows_ids_levels_titles_and_needs():
    done = command("list", "pkce")

    assert re.search(r"PKCE-03 +MUST", done.stdout)
    assert "A wrong code_verifier is refused (login)" in done.stdout
    assert "COOKIE-01" not in done.stdout


def test_explain_tells_all_that_is_known_of_a_check():
    done = command("explain", "replay-04")

    for part in (
        "REPLAY-04 · ",
        "MUST, core",
        "OAuth 2.1 §4.1.3",
        "statement",
        "procedure",
        "needs",
        "depends on",
        "REPLAY-01",
    ):
        assert part in done.stdout


def test_the_version_is_shown():
    assert command("--version").stdout.startswith("oauth-litmus 0.")


def test_a_command_whose_extra_is_missing_says_which_to_install(tmp_path: Path):
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError(\"No module named 'uvicorn'\", name='uvicorn')\n")

    done = command("serve", "--port", "8080", PYTHONPATH=str(tmp_path))

    assert done.returncode == 2
    assert done.stderr == (
        "oauth-litmus: `serve` needs uvicorn, which is not installed: pip install 'oauth-litmus[reference]'\n"
    )
