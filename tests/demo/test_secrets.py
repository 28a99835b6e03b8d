"""No secret of a run reaches a report, the terminal, or the reference's log. The test searches for every value."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, quote, urlsplit

import httpx
import pytest
from rich.console import Console

from litmus_fixtures.demo_settings import SHORT
from litmus_fixtures.operator_profile import profile_of
from litmus_fixtures.served import served_relay
from oauth_litmus.http.wire import ConnectionSettings
from oauth_litmus.report.building import Circumstances, build_report
from oauth_litmus.report.json_report import json_text
from oauth_litmus.report.junit import junit_text
from oauth_litmus.report.terminal import show
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.run_state.budget import Budget

pytestmark = pytest.mark.sockets

SECRET_NAMES = {
    "access_token",
    "refresh_token",
    "id_token",
    "token",
    "code",
    "code_verifier",
    "client_secret",
    "state",
    "csrf_token",
    "password",
}
MADE_BY_A_MACHINE = re.compile(r"(?=.*\d)[A-Za-z0-9_.~+/=-]{8,}")
"""Random values of the server. States and hostile strings that checks invent do not match, because they are no secrets."""


class Eavesdropper(httpx.AsyncBaseTransport):
    """Pass every exchange on, and collect the values that must not appear in any output."""

    def __init__(self, inner: httpx.AsyncBaseTransport, secrets: set[str]) -> None:
        self._inner = inner
        self._secrets = secrets

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._hear_query(str(request.url))
        self._hear_cookies(request.headers.get("cookie", ""))
        self._secrets.add(request.headers.get("authorization", "").partition(" ")[2])
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        self._hear_query(response.headers.get("location", ""))
        for cookie in response.headers.get_list("set-cookie"):
            self._hear_cookies(cookie.partition(";")[0])
        self._hear_json(body)
        return httpx.Response(response.status_code, headers=response.headers, content=body, request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _hear_query(self, url: str) -> None:
        self._secrets |= {value for name, value in parse_qsl(urlsplit(url).query) if name in SECRET_NAMES}

    def _hear_cookies(self, header: str) -> None:
        self._secrets |= {morsel.value for morsel in SimpleCookie(header).values()}

    def _hear_json(self, body: bytes) -> None:
        try:
            document = json.loads(body)
        except ValueError:
            return
        if isinstance(document, dict):
            self._secrets |= {str(value) for name, value in document.items() if name in SECRET_NAMES}


async def test_no_secret_reaches_report_terminal_or_log(tmp_path):
    secrets: set[str] = set()
    log = tmp_path / "relay.log"
    network = ConnectionSettings().transports()
    with served_relay(SHORT, log=log) as served:
        options = Options(served.issuer, profile_of(served.settings, served.simulator), budget=Budget(5, burst=True))
        async with connected(options, transports=lambda address: Eavesdropper(network(address), secrets)) as run:
            engine = await judge(run, Selection())
            report = build_report(engine, Circumstances(Selection(), datetime.now(UTC), 1.0, show_exchanges=True))

    terminal = Console(file=io.StringIO(), width=200)
    show(report, terminal)
    places = {
        "JSON": json_text(report),
        "JUnit": junit_text(report),
        "terminal": terminal.file.getvalue(),
        "log": log.read_text(),
    }
    heard = {secret for secret in secrets if MADE_BY_A_MACHINE.fullmatch(secret)}

    assert len(heard) > 500
    assert len(log.read_text()) > 10_000
    for place, text in places.items():
        leaked = {secret for secret in heard if secret in text or quote(secret, safe="") in text}
        assert not leaked, (place, sorted(leaked)[:3])
