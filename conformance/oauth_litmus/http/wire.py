"""Send one request and read its answer, limited in time and size (`reading.py`), without OAuth, redirects or cookies."""

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
"""Seconds for one whole exchange; longer than the 60 s after which a relay must give up on its upstream."""
CONNECT_TIMEOUT = 10.0
"""Seconds to connect, including the TLS handshake."""
_POOL = httpx.Limits(max_connections=None, max_keepalive_connections=64, keepalive_expiry=2.0)
"""Idle connections expire early: many servers close them after five seconds, and a request sent then gets no answer."""

TransportFactory = Callable[[str | None], httpx.AsyncBaseTransport]
"""Makes the transport for one source address (None: the operating system chooses)."""


class NoAnswerError(Exception):
    """Raised if a request gets no readable answer: connection refused, connection cut, time-out, or not HTTP."""

    def __init__(self, sentence: str, number: int) -> None:
        super().__init__(sentence)
        self.number = number

    @property
    def cut(self) -> bool:
        """Whether the server closed an open connection instead of answering."""
        return isinstance(self.__cause__, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError)

    @property
    def timed_out(self) -> bool:
        """Whether the request timed out."""
        return isinstance(self.__cause__, TimeoutError | httpx.TimeoutException)


@dataclass
class Gate:
    """Holds back the last byte of a request body, or the head of a request without a body, until it is released.

    `at_the_line` is called when the request is ready, so that several requests can be released together.
    """

    at_the_line: Callable[[], None]
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_body(self, body: bytes) -> AsyncIterator[bytes]:
        """Yield the body, and wait for the release before the last byte."""
        if len(body) > 1:
            yield body[:-1]
        await self._passed()
        yield body[-1:]

    async def trace(self, event: str, _: object) -> None:
        """Wait when httpcore is connected and about to send the head, which fits into one packet."""
        if event == "http11.send_request_headers.started" and not self.released.is_set():
            await self._passed()

    async def _passed(self) -> None:
        self.at_the_line()
        await self.released.wait()


class Cut(StrEnum):
    """The point at which the suite closes the connection of an exchange."""

    REQUEST_SENT = "right after the request"
    HEAD_READ = "after the head of the answer"


@dataclass
class LastByte:
    """Signals when the whole request body has been passed to the transport."""

    sent: asyncio.Event = field(default_factory=asyncio.Event)

    async def pass_body(self, body: bytes) -> AsyncIterator[bytes]:
        """Yield the body, then set `sent`: the transport asks for the next chunk only after it has sent the body."""
        yield body
        self.sent.set()


@dataclass(frozen=True)
class ConnectionSettings:
    """Settings for a connection through a proxy, or with special certificates."""

    proxy: str | None = None
    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None

    def ssl_context(self) -> ssl.SSLContext:
        """Make the context for all connections; use one for all, because each costs tens of milliseconds.

        Raises:
            OSError: a file cannot be read or holds no certificate.
        """
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.client_certificate:
            context.load_cert_chain(self.client_certificate, self.client_key)
        return context

    def transports(self) -> TransportFactory:
        """Return a factory of transports that use the network."""
        context = self.ssl_context()

        def make(address: str | None) -> httpx.AsyncBaseTransport:
            return httpx.AsyncHTTPTransport(
                verify=context, local_address=address, proxy=self.proxy, limits=_POOL, trust_env=False
            )

        return make


class Wire:
    """Sends requests, with one transport for each source address, and records the exchanges."""

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
        """Limit each exchange to `timeout` seconds, and send `secret_headers` only to the `known` sites."""
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
        """Send one request and read its answer.

        Args:
            method: the HTTP method.
            url: the URL; with a `route`, the request goes to the replica of that route.
            check: the id of the check, for the transcript.
            headers: further headers.
            body: the request body.
            source: the source address; None for the default of the machine.
            gate: holds the request back until it is released.
            route: the route to one replica.
            within: a shorter time limit than usual, in seconds.

        Raises:
            NoAnswerError: no readable answer arrived; the message says why.
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
        """Send one request, and close its connection before the answer is read."""
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
        # A probe may contain characters that no client would send: encode non-ASCII ones as UTF-8.
        merged.update(httpx.Headers(headers, encoding="utf-8"))
        content: bytes | AsyncIterator[bytes] = body
        if gate is not None and (body or isinstance(gate, LastByte)):
            merged["content-length"] = str(len(body))
            content = gate.pass_body(body)
        longest = within or self.timeout
        # A handshake that is cancelled from outside leaks its socket, so its own time-out must come first.
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
            raise ValueError(f"the port is above {MAX_PORT}")
        return httpx.Request(method, address, headers=merged, content=content or None, extensions=extensions)


def _reason(error: Exception, request: httpx.Request) -> str:
    timeouts = request.extensions["timeout"]
    match error:
        case httpx.ConnectTimeout():
            return f"no connection within {timeouts['connect']:g} s"
        case TimeoutError() | httpx.TimeoutException():
            return f"no complete answer within {timeouts['read']:g} s"
        case _:
            return _cause_in_words(error)


def _cause_in_words(error: Exception) -> str:
    # HTTP libraries say "All connection attempts failed"; the error of the operating system or of TLS is its cause.
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
