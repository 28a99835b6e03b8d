"""`oauth-litmus serve`: it starts and stops cleanly, and explains settings that cannot work."""

import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest
import typer

from supabase_relay.serve import serve

PROGRAM = "import typer; from supabase_relay.serve import serve; app = typer.Typer(); app.command()(serve); app()"


@pytest.mark.parametrize(
    ("environment", "arguments", "setting"),
    [
        pytest.param({}, {"workers": 2}, "REDIS_URL", id="two workers on an in-process store"),
        pytest.param({}, {"host": "192.0.2.1"}, "ISSUER", id="a public address without an issuer"),
        pytest.param(
            {"ISSUER": "https://auth.example.com"},
            {"host": "192.0.2.1"},
            "SUPABASE_URL",
            id="a public address with the simulator",
        ),
        pytest.param({"CODE_TTL": "never"}, {}, "CODE_TTL", id="a malformed setting"),
    ],
)
def test_an_error_names_the_setting_that_is_wrong(monkeypatch, capsys, environment, arguments, setting):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(typer.Exit) as end:
        serve(**arguments)

    assert end.value.exit_code == 2
    assert setting in capsys.readouterr().err


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.sockets
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_serves_and_stops_cleanly(end):
    port = free_port()
    environment = {**os.environ, "SUPABASE_URL": "http://localhost:1"}
    command = [sys.executable, "-W", "error", "-c", PROGRAM, "--port", str(port)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as relay:
        log = []
        for line in relay.stderr:
            log.append(line)
            if "Uvicorn running" in line:
                break
        document = httpx.get(f"http://127.0.0.1:{port}/.well-known/oauth-authorization-server", trust_env=False).json()
        relay.send_signal(end)
        log += relay.stderr.readlines()

    assert document["issuer"] == f"http://127.0.0.1:{port}"
    assert "loses all data" in "".join(log)
    assert "Traceback" not in "".join(log)
    assert "Application shutdown complete" in "".join(log)
