"""The `manual` driver: a person logs in with their own browser, and a listener on loopback takes the answer."""

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

if TYPE_CHECKING:
    from collections.abc import Callable

    from oauth_litmus.browser.pages import Page, Submission
    from oauth_litmus.browser.trail import Trail

MAX_LOGINS = 3
MINUTES = 5.0
"""How long a person has for one login."""
_REQUEST_TIMEOUT = 10.0
_MAX_REQUEST = 65_536
CALLBACK_PATH = "/callback"


def say(text: str) -> None:
    """Tell the person at the terminal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def open_browser(url: str) -> None:
    """Open a browser window, if this machine has one; a browser for text would take the terminal away."""
    with suppress(webbrowser.Error, OSError):
        browser = webbrowser.get()
        if type(browser) is not webbrowser.GenericBrowser or "BROWSER" in os.environ:
            browser.open(url)


@dataclass
class ManualDriver:
    """Asks a person for each login, one after the other, for so many logins and so many minutes each."""

    max_logins: int = MAX_LOGINS
    minutes: float = MINUTES
    say: Callable[[str], None] = say
    open_browser: Callable[[str], object] = open_browser
    name: str = "manual"
    walks: bool = False
    done: int = 0
    """Logins that a person was asked for."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _port: int = 0
    _seen: set[str] = field(default_factory=set[str])

    @property
    def redirect_uri(self) -> str:
        """Where the suite's clients are redirected: a port of this machine that was free when it was asked for first."""
        if not self._port:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                self._port = probe.getsockname()[1]
        return f"http://127.0.0.1:{self._port}{CALLBACK_PATH}"

    def press(self, page: Page, trail: Trail) -> Submission | None:
        """Nothing: the pages are for the person."""
        del page, trail
        return None

    async def finish(self, url: str, redirect_uri: str) -> str:
        """Have a person carry an authorization request to its end; the URL to which their browser was sent back.

        Raises:
            Skipped: every login that a person may be asked for was used, or this client is redirected elsewhere.
            Blocked: nobody came back in time, or the port of the redirect URI cannot be listened on.
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
            self.say(f"\n{turn}: please log in within {self.minutes:g} minutes, at\n\n{url}\n")
            await asyncio.to_thread(self.open_browser, url)
            try:
                async with asyncio.timeout(self.minutes * 60):
                    location = await arrived
            except TimeoutError as error:
                raise Blocked(f"nobody came back from the login within {self.minutes:g} minutes") from error
            finally:
                self._seen.add(state)
                await visitor.finished()
        self.say("Thank you: the answer has arrived.")
        return location


@dataclass
class _Visitor:
    """Answers the browsers that come to the listener, until one brings the answer to the request."""

    path: str
    origin: str
    stale: frozenset[str]
    arrived: asyncio.Future[str]
    _talking: set[asyncio.Task[object]] = field(default_factory=set["asyncio.Task[object]"])

    async def receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request line; browsers also ask for icons and open connections that they do not use."""
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
        """Let the page that is being sent arrive before the listener goes away."""
        if self._talking:
            await asyncio.wait(self._talking, timeout=1.0)

    def _handle(self, line: list[str]) -> tuple[str, str]:
        target = line[1] if len(line) > 1 else ""
        parts = urlsplit(target)
        query = parse_qs(parts.query, keep_blank_values=True)
        if line[0] != "GET" or parts.path != self.path or not ({"code", "error"} & query.keys()):
            return "404 Not Found", "There is nothing here."
        if query.get("state", [""])[0] in self.stale:
            return "200 OK", "This page belongs to an earlier login. Please use the newest one."
        if not self.arrived.done():
            self.arrived.set_result(f"{self.origin}{target}")
        outcome = "The login is finished" if "code" in query else "The login ended with an error, which is noted"
        return "200 OK", f"{outcome}. You can close this page."


async def _answer(writer: asyncio.StreamWriter, status: str, sentence: str) -> None:
    page = f"<!doctype html><meta charset=utf-8><title>oauth-litmus</title><p>{html.escape(sentence)}</p>".encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {len(page)}\r\n"
    # The URL in the address bar carries the code: it must not reach another server.
    head += "cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n"
    writer.write(head.encode() + page)
    await writer.drain()
