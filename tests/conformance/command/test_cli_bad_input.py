"""The real command with bad input: one sentence, exit status 2, and nothing is sent."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_process import command

NO_SERVER = "http://127.0.0.1:1"

pytestmark = pytest.mark.sockets


def refused(*arguments: object) -> str:
    """Return the message of the command for bad input: one sentence, with exit status 2 and without a traceback."""
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
    assert refused("run", NO_SERVER) == f"oauth-litmus: {NO_SERVER} cannot be reached: Connection refused\n"


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

    told = refused("run", NO_SERVER, "--profile", profile)

    assert "unknown key 'lifetimes.codes'; allowed keys: access_token, clock_leeway, code, " in told


def test_a_missing_profile_is_said(tmp_path: Path):
    assert "cannot read the profile" in refused("run", NO_SERVER, "--profile", tmp_path / "nowhere.toml")


def test_a_secret_that_is_not_in_the_environment_is_said(tmp_path: Path):
    profile = tmp_path / "profile.toml"
    profile.write_text('[login.secret_fields]\npassword = "OAUTH_LITMUS_NOT_SET"\n')

    assert "OAUTH_LITMUS_NOT_SET, which is not set" in refused("run", NO_SERVER, "--profile", profile)


@pytest.mark.parametrize("option", ["--only", "--skip", "--require"])
def test_an_unknown_check_is_said_before_anything_is_sent(option: str):
    assert "'PKCE-99' is not a check, a category or `core`" in refused("run", NO_SERVER, option, "PKCE-99")


@pytest.mark.parametrize("rate", ["token", "token=5", "token=0/60", "tokens=5/60"])
def test_a_bad_rate_is_said(rate: str):
    assert f"'{rate}' is not a rate limit: write KIND=N/SECONDS, as in token=30/60; kinds: register" in refused(
        "run", NO_SERVER, "--rate", rate
    )


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_report_that_cannot_be_written_is_said_before_anything_is_sent(option: str, tmp_path: Path):
    path = tmp_path / "nowhere" / "report"

    assert refused("run", NO_SERVER, option, path) == (
        f"oauth-litmus: cannot write the report {path}: No such file or directory\n"
    )


def test_a_bad_file_of_waivers_is_said(tmp_path: Path):
    waivers = tmp_path / "waivers.toml"
    waivers.write_text('[[waiver]]\nid = "PKCE-03"\n')

    assert "waiver.#1.reason: Field required" in refused("run", NO_SERVER, "--waivers", waivers)


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
    assert said in refused("run", NO_SERVER, *arguments)


def test_an_unknown_requirement_is_said_with_similar_ones():
    assert "'PKCE-99' is not a check (did you mean" in refused("explain", "PKCE-99")
