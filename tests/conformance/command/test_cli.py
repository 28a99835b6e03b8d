"""The real command: what it says of bad input, how it ends, and what its reports hold."""

import json
import os
import re
import signal
import socket
import subprocess
import sysconfig
import threading
import xml.etree.ElementTree as ET
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest
from small_server import SmallServer, served

from oauth_litmus.report.schema import PATH as SCHEMA

COMMAND = str(Path(sysconfig.get_path("scripts"), "oauth-litmus"))
NOBODY = "http://127.0.0.1:1"

pytestmark = pytest.mark.sockets


def command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


def refused(*arguments: object) -> str:
    """What the command says of bad input: one sentence, with exit status 2 and without a traceback."""
    done = command(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


@contextmanager
def answering(answer: bytes) -> Generator[str]:
    """A listener that gives one answer to everything; an empty one hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def work() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    connection.sendall(answer)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def test_a_host_that_does_not_exist_is_said():
    assert refused("run", "https://no-such-host.invalid").startswith(
        "oauth-litmus: https://no-such-host.invalid cannot be reached: "
    )


def test_a_refused_connection_is_said():
    assert refused("run", NOBODY) == f"oauth-litmus: {NOBODY} cannot be reached: Connection refused\n"


def test_a_failure_of_tls_is_said():
    with answering(b"HTTP/1.1 200 OK\r\n\r\n") as address:
        assert f"https://{address} cannot be reached: [SSL" in refused("run", f"https://{address}")


def test_a_server_that_hangs_up_is_said():
    with answering(b"") as address:
        assert "cannot be reached: Server disconnected" in refused("run", f"http://{address}")


def test_a_url_that_is_no_oauth_server_is_told_with_what_was_tried():
    with answering(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n") as address:
        told = refused("run", f"http://{address}/api")

    assert "is neither an authorization server nor a protected resource that names one. Tried:" in told
    for path in (
        ".well-known/oauth-authorization-server/api",
        "api/.well-known/openid-configuration",
        ".well-known/oauth-protected-resource/api",
    ):
        assert f"GET http://{address}/{path}: 404" in told


@pytest.mark.parametrize("url", ["ftp://auth.example.com", "http://", "http://[::1", "http://h:99999", "two words"])
def test_what_is_no_url_is_said(url: str):
    assert "is no" in refused("run", url)


def test_credentials_in_the_url_are_refused_and_not_repeated():
    told = refused("run", "http://me:hunter2@127.0.0.1:1")

    assert "credentials" in told
    assert "hunter2" not in told


def test_an_unknown_key_of_the_profile_is_named_with_the_known_ones(tmp_path: Path):
    profile = tmp_path / "profile.toml"
    profile.write_text("[lifetimes]\ncodes = 60\n")

    told = refused("run", NOBODY, "--profile", profile)

    assert "unknown key 'lifetimes.codes'; allowed keys: access_token, clock_leeway, code, " in told


def test_a_missing_profile_is_said(tmp_path: Path):
    assert "cannot read the profile" in refused("run", NOBODY, "--profile", tmp_path / "nowhere.toml")


def test_a_secret_that_is_not_in_the_environment_is_said(tmp_path: Path):
    profile = tmp_path / "profile.toml"
    profile.write_text('[login.secret_fields]\npassword = "OAUTH_LITMUS_NOT_SET"\n')

    assert "OAUTH_LITMUS_NOT_SET, which is not set" in refused("run", NOBODY, "--profile", profile)


@pytest.mark.parametrize("option", ["--only", "--skip", "--require"])
def test_an_unknown_check_is_said_before_anything_is_sent(option: str):
    assert "'PKCE-99' is not a check, a category or `core`" in refused("run", NOBODY, option, "PKCE-99")


@pytest.mark.parametrize("rate", ["token", "token=5", "token=0/60", "tokens=5/60"])
def test_a_bad_rate_is_said(rate: str):
    assert f"'{rate}' is not a rate limit: write KIND=N/SECONDS, as in token=30/60; kinds: register" in refused(
        "run", NOBODY, "--rate", rate
    )


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_report_that_cannot_be_written_is_said_before_anything_is_sent(option: str, tmp_path: Path):
    path = tmp_path / "nowhere" / "report"

    assert refused("run", NOBODY, option, path) == (
        f"oauth-litmus: cannot write the report {path}: No such file or directory\n"
    )


def test_a_bad_file_of_waivers_is_said(tmp_path: Path):
    waivers = tmp_path / "waivers.toml"
    waivers.write_text('[[waiver]]\nid = "PKCE-03"\n')

    assert "waiver.#1.reason: Field required" in refused("run", NOBODY, "--waivers", waivers)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--login", "magic"], "there is no login driver 'magic'; choose one of redirects, browser, manual, none"),
        (["--login", "no.such:driver"], "the login driver 'no.such:driver'"),
        (["--access-token-file", "/no/such/file"], "cannot read the access token in /no/such/file"),
        (["--max-wait", "-1"], "--max-wait"),
        (["--source-address", "moon"], "--source-address"),
        (["--bogus"], "--bogus"),
    ],
)
def test_a_bad_option_is_said(arguments: list[str], said: str):
    assert said in refused("run", NOBODY, *arguments)


def test_an_unknown_requirement_is_said_with_similar_ones():
    assert "'PKCE-99' is not a check (did you mean" in refused("explain", "PKCE-99")


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


def test_colours_are_left_out_where_nobody_sees_them_or_wants_them():
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
