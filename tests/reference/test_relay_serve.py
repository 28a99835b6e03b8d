"""`serve`: a clean start, a clean end, and sentences for what cannot work."""

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
    ("environment", "arguments", "sentence"),
    [
        ({}, {"workers": 2}, "REDIS_URL"),
        ({}, {"host": "192.0.2.1"}, "ISSUER"),
        ({"ISSUER": "https://auth.example.com"}, {"host": "192.0.2.1"}, "SUPABASE_URL"),
        ({"CODE_TTL": "never"}, {}, "CODE_TTL"),
    ],
)
def test_what_cannot_work_is_said_in_a_sentence(monkeypatch, capsys, environment, arguments, sentence):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(typer.Exit) as end:
        serve(**arguments)

    assert end.value.exit_code == 2
    assert sentence in capsys.readouterr().err


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.sockets
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_starts_serves_and_ends_cleanly(end):
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
    assert "forgets everything" in "".join(log)
    assert "Traceback" not in "".join(log)
    assert "Application shutdown complete" in "".join(log)
