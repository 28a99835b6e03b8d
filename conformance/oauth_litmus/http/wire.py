"""Sends one request and reads one answer, bounded in time and size (`reading.py`): no OAuth, no redirects, no cookies."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

import httpx

from oauth_litmus.http.answer import Answer
from oauth_litmus.http.reading import read
from oauth_litmus.http.trusted_hosts import TrustedHosts

if TYPE_CHECKING:
    from oauth_litmus.clock import Clock
    from oauth_litmus.http.route import Route
    from oauth_litmus.http.transcript import Transcript

MAX_PORT = 65_535
ANSWER_TIMEOUT = 75.0
"""Seconds for one whole exchange: longer than the 60 s within which a relay must give up on its upstream."""
CONNECT_TIMEOUT = 10.0
"""Seconds for a connection, its TLS handshake included."""
_POOL = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=2.0)
"""Servers close what is idle, many after five seconds; a request on a connection that is being closed gets no answer."""

TransportFactory = Callable[[str | None], httpx.AsyncBaseTransport]
"""Makes the transport of one source address (None: the machine's own choice)."""


class NoAnswerError(Exception):
    """There was no answer: refused, cut, timed out, or no HTTP."""

    def __init__(self, sentence: str, number: int) -> None:
        super().__init__(sentence)
        self.number = number

    @property
    def cut(self) -> bool:
        """Whether there was a connection, and the server closed it in place of an answer."""
        return isinstance(self.__cause__, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError)

    @property
    def timed_out(self) -> bool:
        """Whether all the time that an answer may take was spent on it."""
        return isinstance(self.__cause__, TimeoutError | httpx.TimeoutException)


@dataclass
class Gate:
    """Holds back the last byte of a request body, or the head of a request without one, until all stand at the line."""

    at_the_line: Callable[[], None]
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_body(self, body: bytes) -> AsyncIterator[bytes]:
        """The body as a stream that waits before its last byte."""
        if len(body) > 1:
            yield body[:-1]
        await self._passed()
        yield body[-1:]

    async def trace(self, event: str, _: object) -> None:
        """Wait where httpcore has a connection and is about to send the head, which fits into one packet."""
        if event == "http11.send_request_headers.started" and not self.released.is_set():
            await self._passed()

    async def _passed(self) -> None:
        self.at_the_line()
        await self.released.wait()


class Cut(StrEnum):
    """Where the suite hangs up on an answer."""

    REQUEST_SENT = "right after the request"
    HEAD_READ = "after the head of the answer"


@dataclass
class LastByte:
    """Tells when a request body has been handed over whole."""

    sent: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_body(self, body: bytes) -> AsyncIterator[bytes]:
        """The body as a stream, which is asked to go on when all of it is on its way."""
        yield body
        self.sent.set()


@dataclass(frozen=True)
class ConnectionSettings:
    """How to reach a deployment that needs more than a URL."""

    proxy: str | None = None
    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None

    def ssl_context(self) -> ssl.SSLContext:
        """One context for all connections: making one costs tens of milliseconds.

        Raises:
            OSError: a file cannot be read or holds no certificate.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.client_certificate:
            context.load_cert_chain(self.client_certificate, self.client_key)
        return context

    def transports(self) -> TransportFactory:
        """The factory of transports over the network."""
        context = self.ssl_context()

        def make(address: str | None) -> httpx.AsyncBaseTransport:
            return httpx.AsyncHTTPTransport(
                verify=context, local_address=address, proxy=self.proxy, limits=_POOL, trust_env=False
            )

        return make


class Wire:
    """Sends requests from source addresses, one transport each, and records what was exchanged."""

    def __init__(
        self,
        transports: TransportFactory,
        clock: Clock,
        transcript: Transcript,
        headers: Mapping[str, str],
        *,
        secret_headers: Mapping[str, str] | None = None,
        known: TrustedHosts | None = None,
        timeout: float = ANSWER_TIMEOUT,
    ) -> None:
        """A wire whose exchanges take `timeout` seconds at most; `secret_headers` go to `known` places alone."""
        self._make_transport = transports
        self._transports: dict[str | None, httpx.AsyncBaseTransport] = {}
        self._clock = clock
        self._transcript = transcript
        self._headers = dict(headers)
        self._secret_headers = dict(secret_headers or {})
        self._known = known or TrustedHosts()
        self.timeout = timeout

    async def send(
        self,
        method: str,
        url: str,
        *,
        check: str,
        headers: Mapping[str, str] | httpx.Headers | None = None,
        body: bytes = b"",
        source: str | None = None,
        gate: Gate | None = None,
        route: Route | None = None,
        within: float | None = None,
    ) -> Answer:
        """Send one request and read its answer, by the route to one replica where one is given.

        `within` so many seconds, where it may take less than others.

        Raises:
            NoAnswerError: nothing came back that could be read; the sentence says what happened.
        """
        number = self._transcript.next_number()
        try:
            request = self._request(method, url, headers, body, gate, route, within)
        except (httpx.InvalidURL, ValueError) as error:
            sentence = self._transcript.redactor.text(f"cannot send {method} to {url!r}: {error}")
            raise NoAnswerError(sentence, number) from error
        transport = self._transports.get(source) or self._transports.setdefault(source, self._make_transport(source))
        sent_at = self._clock.now()
        try:
            async with asyncio.timeout(within or self.timeout):
                response = await transport.handle_async_request(request)
                content, truncated = await read(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            sentence = f"no answer to {method} {request.url.host}{request.url.path}: {_reason(error, request)}"
            self._transcript.record(number, check, request, body, sentence)
            raise NoAnswerError(self._transcript.redactor.text(sentence), number) from error
        self._transcript.record(number, check, request, body, response, content)
        return Answer(
            number, method, url, response.status_code, response.headers, content, sent_at, self._clock.now(), truncated
        )

    async def hang_up(
        self,
        method: str,
        url: str,
        *,
        check: str,
        cut: Cut,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        source: str | None = None,
    ) -> None:
        """Send one request, and close its connection before the answer has been read."""
        number, last = self._transcript.next_number(), LastByte()
        request = self._request(method, url, headers, body, last)
        transport = self._transports.get(source) or self._transports.setdefault(source, self._make_transport(source))
        exchange = asyncio.create_task(transport.handle_async_request(request), name=check)
        sending = asyncio.create_task(last.sent.wait())
        try:
            await asyncio.wait([exchange, sending], timeout=self.timeout, return_when=asyncio.FIRST_COMPLETED)
            if cut is Cut.HEAD_READ:
                await asyncio.wait([exchange], timeout=self.timeout)
        finally:
            exchange.cancel()
            sending.cancel()
            await asyncio.wait([exchange, sending])
        if not exchange.cancelled() and exchange.exception() is None:
            await exchange.result().aclose()
        self._transcript.record(number, check, request, body, f"the suite closed the connection {cut}")

    async def close(self) -> None:
        """Close every connection."""
        for transport in self._transports.values():
            await transport.aclose()
        self._transports.clear()

    def _request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | httpx.Headers | None,
        body: bytes,
        gate: Gate | LastByte | None,
        route: Route | None = None,
        within: float | None = None,
    ) -> httpx.Request:
        merged = httpx.Headers({"accept": "*/*", "accept-encoding": "identity", **self._headers})
        if self._known.cover(url):
            merged.update(self._secret_headers)
        # A probe may well hold what no client would send: bytes beyond ASCII go out as UTF-8.
        merged.update(httpx.Headers(headers, encoding="utf-8"))
        content: bytes | AsyncIterator[bytes] = body
        if gate is not None and (body or isinstance(gate, LastByte)):
            merged["content-length"] = str(len(body))
            content = gate.pass_body(body)
        longest = within or self.timeout
        # A handshake that is cancelled from outside leaves its socket open: its own time is over first.
        timeouts = {"connect": min(CONNECT_TIMEOUT, 0.8 * longest), "read": longest, "write": longest, "pool": longest}
        extensions: dict[str, object] = {"timeout": timeouts}
        if isinstance(gate, Gate) and not body:
            extensions["trace"] = gate.trace
        address = httpx.URL(url)
        if route is not None:
            if route.keeps_host:
                merged["host"] = address.netloc.decode("ascii")
                extensions["sni_hostname"] = address.host
            address = httpx.URL(route.url(url))
        if (address.port or 0) > MAX_PORT:
            raise ValueError(f"no port is beyond {MAX_PORT}")
        return httpx.Request(method, address, headers=merged, content=content or None, extensions=extensions)


def _reason(error: Exception, request: httpx.Request) -> str:
    timeouts = request.extensions["timeout"]
    match error:
        case httpx.ConnectTimeout():
            return f"no connection within {timeouts['connect']:g} s"
        case TimeoutError() | httpx.TimeoutException():
            return f"no whole answer within {timeouts['read']:g} s"
        case _:
            return _cause_in_words(error)


def _cause_in_words(error: Exception) -> str:
    # The libraries in between say "All connection attempts failed"; what the operating system or TLS said is beneath.
    cause: BaseException | None = error
    said = ""
    while cause is not None:
        if isinstance(cause, ConnectionError) and cause.errno:
            said = os.strerror(cause.errno)
        elif isinstance(cause, OSError) and cause.strerror:
            said = cause.strerror
        cause = cause.__cause__ or cause.__context__
    text = said or str(error) or type(error).__name__
    return text if said or isinstance(error, httpx.HTTPError) else f"{type(error).__name__}: {text}"
