"""The suite's own HTTP listener, which records requests that the server under test should not send."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

MAX_HEAD = 16_384
"""The most bytes of a request head that are read."""
READ_TIMEOUT = 10.0
"""Seconds within which the head of a request must arrive."""


@dataclass(frozen=True)
class Hit:
    """One request that the listener received."""

    method: str
    path: str
    source: str
    user_agent: str

    @property
    def by_a_browser(self) -> bool:
        """Whether the User-Agent is a browser's; a browser that loads an image of a page is not the server."""
        return self.user_agent.startswith("Mozilla/")


@dataclass(frozen=True)
class Place:
    """An unguessable URL, so that only a program that was told of it can request it; `marker` is text to serve there."""

    url: str
    path: str
    marker: str


@dataclass
class Listener:
    """Records the requests that arrive at `url`; answers each with the document put there, or with an empty object."""

    url: str
    _hits: list[Hit] = field(default_factory=list[Hit])
    _documents: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def place(self) -> Place:
        """Make a fresh unguessable URL for one check."""
        path = f"/litmus-{secrets.token_hex(12)}"
        return Place(f"{self.url.rstrip('/')}{path}", path, f"litmus marker {secrets.token_hex(12)}")

    def put(self, place: Place, name: str, document: str) -> str:
        """Serve a document below a place, and return its URL."""
        self._documents[f"{place.path}/{name}"] = document.encode()
        return f"{place.url}/{name}"

    def hits(self, place: Place) -> list[Hit]:
        """Return the requests for a place."""
        return [hit for hit in self._hits if place.path in hit.path]

    def receive(self, method: str, path: str, headers: Mapping[str, str], source: str) -> bytes:
        """Record a request, and return the JSON document that answers it."""
        self._hits.append(Hit(method, path, source, headers.get("user-agent", "")))
        return next((body for place, body in self._documents.items() if path.partition("?")[0].endswith(place)), b"{}")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection with one document, and close it."""
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, *_ = [*head[0].split(), "", ""]
            pairs = [line.partition(":") for line in head[1:] if line]
            headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
            body = self.receive(method, path, headers, str((writer.get_extra_info("peername") or ("",))[0]))
            length = f"content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n" + length + body)
            await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # an incomplete request is not a fetch of a URL that the suite named
        finally:
            writer.close()


@asynccontextmanager
async def listening(
    address: tuple[str, int] | None = None, url: str = "", *, loopback: bool
) -> AsyncGenerator[Listener | None]:
    """Run a listener at this address and public URL, or on loopback if the server is there too; otherwise yield None.

    Raises:
        OSError: the address cannot be bound.
    """
    if address is None and not loopback:
        yield None
        return
    host, port = address or ("127.0.0.1", 0)
    listener = Listener(url)
    server = await asyncio.start_server(listener.serve, host, port, limit=MAX_HEAD)
    if address is None:
        listener.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield listener
