"""The `manual` driver: a person logs in with their own browser, and a listener on loopback receives the response."""

from __future__ import annotations

import asyncio
import html
import os
import socket
import sys
import webbrowser
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from oauth_litmus.verdict import Blocked, Skipped
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauth_litmus.browser.pages import Page, Submission
    from oauth_litmus.browser.trail import Trail

MAX_LOGINS = 3
MINUTES = 5.0
"""Minutes that a person has for one login."""
_REQUEST_TIMEOUT = 10.0
_MAX_REQUEST = 65_536
CALLBACK_PATH = "/callback"


def say(text: str) -> None:
    """Print a message for the person at the terminal, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def open_browser(url: str) -> None:
    """Open the URL in a graphical browser, if there is one; a text browser would take over the terminal."""
    with suppress(webbrowser.Error, OSError):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser or "BROWSER" in os.environ:
            browser.open(url)


@dataclass
class ManualDriver:
    """Asks a person for up to `max_logins` logins, one after the other, with `minutes` for each."""

    max_logins: int = MAX_LOGINS
    minutes: float = MINUTES
    say: Callable[[str], None] = say
    open_browser: Callable[[str], object] = open_browser
    name: str = "manual"
    walks: bool = False
    done: int = 0
    """How many logins a person was asked for so far."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _port: int = 0
    _seen: set[str] = field(default_factory=set[str])

    @property
    def redirect_uri(self) -> str:
        """The redirect URI of the suite's clients: on a loopback port that was free when this was first read."""
        if not self._port:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                self._port = probe.getsockname()[1]
        return f"http://127.0.0.1:{self._port}{CALLBACK_PATH}"

    def press(self, page: Page, trail: Trail) -> Submission | None:
        """Return None: the person answers the pages."""
        del page, trail
        return None

    async def finish(self, url: str, redirect_uri: str) -> str:
        """Ask a person to complete an authorization request; return the URL to which the server redirected their browser.

        Raises:
            Skipped: all `max_logins` logins are used, or this client is redirected to another machine.
            Blocked: the browser did not come back in time, or the port of the redirect URI cannot be opened.
        """
        parts = urlsplit(redirect_uri)
        if parts.scheme != "http" or parts.hostname not in ("127.0.0.1", "::1", "localhost") or parts.port is None:
            raise Skipped(f"cannot be done by hand: the browser would be sent to {redirect_uri}, not to this machine")
        async with self._turn:
            if self.done >= self.max_logins:
                raise Skipped(f"needs another login by hand: all {self.max_logins} are used (--max-logins)")
            self.done += 1
            return await self._listen(url, redirect_uri)

    async def _listen(self, url: str, redirect_uri: str) -> str:
        parts = urlsplit(redirect_uri)
        arrived: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        state = parse_qs(urlsplit(url).query).get("state", [""])[0]
        stale = frozenset(self._seen - {state})
        visitor = _Visitor(parts.path or "/", f"{parts.scheme}://{parts.netloc}", stale, arrived)
        try:
            server = await asyncio.start_server(visitor.receive, parts.hostname, parts.port, limit=_MAX_REQUEST)
        except OSError as error:
            raise Blocked(f"cannot listen at {redirect_uri} for the browser: {error.strerror or error}") from error
        async with server:
            turn = f"Login {self.done} of at most {self.max_logins}"
            self.say(f"\n{turn}: please log in within {counted(self.minutes, 'minute')}, at\n\n{url}\n")
            await asyncio.to_thread(self.open_browser, url)
            try:
                async with asyncio.timeout(self.minutes * 60):
                    location = await arrived
            except TimeoutError as error:
                raise Blocked(f"the manual login was not finished within {counted(self.minutes, 'minute')}") from error
            finally:
                self._seen.add(state)
                await visitor.finished()
        self.say("Thank you: the response has arrived.")
        return location


@dataclass
class _Visitor:
    """Answers requests to the listener until one carries the authorization response."""

    path: str
    origin: str
    stale: frozenset[str]
    arrived: asyncio.Future[str]
    _talking: set[asyncio.Task[object]] = field(default_factory=set["asyncio.Task[object]"])

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request; ignore broken ones, since browsers also open connections that they do not use."""
        task = asyncio.current_task()
        if task is not None:
            self._talking.add(task)
            task.add_done_callback(self._talking.discard)
        try:
            async with asyncio.timeout(_REQUEST_TIMEOUT):
                line = (await reader.readline()).decode("ascii", "replace").split(" ")
                while (await reader.readline()).strip():
                    pass
                await _answer(writer, *self._handle(line))
        except (TimeoutError, OSError, ValueError):
            pass
        finally:
            writer.close()

    async def finished(self) -> None:
        """Wait up to a second until the pages that are being sent are delivered."""
        if self._talking:
            await asyncio.wait(self._talking, timeout=1.0)

    def _handle(self, line: list[str]) -> tuple[str, str]:
        target = line[1] if len(line) > 1 else ""
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        if line[0] != "GET" or parts.path != self.path or not ({"code", "error"} & query.keys()):
            return "404 Not Found", "There is no page at this address."
        if query.get("state", [""])[0] in self.stale:
            return "200 OK", "This page belongs to an earlier login. Please use the newest one."
        if not self.arrived.done():
            self.arrived.set_result(f"{self.origin}{target}")
        outcome = "The login is finished" if "code" in query else "The login ended with an error, which was recorded"
        return "200 OK", f"{outcome}. You can close this page."


async def _answer(writer: asyncio.StreamWriter, status: str, sentence: str) -> None:
    page = f"<!doctype html><meta charset=utf-8><title>oauth-litmus</title><p>{html.escape(sentence)}</p>".encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {len(page)}\r\n"
    # The URL in the address bar contains the code, so no Referer may carry it to another server.
    head += "cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n"
    writer.write(head.encode() + page)
    await writer.drain()
