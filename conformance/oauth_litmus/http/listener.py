"""A listener of the suite's own, to which a server under test may send requests that it had better not send."""

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
"""Bytes of a request that are read."""
READ_TIMEOUT = 10.0
"""Seconds within which a request must have arrived."""


@dataclass(frozen=True)
class Hit:
    """One request that came in."""

    method: str
    path: str
    source: str
    user_agent: str

    @property
    def by_a_browser(self) -> bool:
        """Whether a browser sent it, as far as it says so: that a page shows an image is no doing of the server's."""
        return self.user_agent.startswith("Mozilla/")


@dataclass(frozen=True)
class Place:
    """URLs that nobody can guess, so that whoever asks for one was told; `marker` is what is found there."""

    url: str
    path: str
    marker: str


@dataclass
class Listener:
    """Counts what comes in at `url`, and answers it with what was put there, or with a marker."""

    url: str
    _hits: list[Hit] = field(default_factory=list[Hit])
    _documents: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def place(self) -> Place:
        """A fresh place for one check."""
        path = f"/litmus-{secrets.token_hex(12)}"
        return Place(f"{self.url.rstrip('/')}{path}", path, f"litmus marker {secrets.token_hex(12)}")

    def put(self, place: Place, name: str, document: str) -> str:
        """Have a document found below a place; its URL."""
        self._documents[f"{place.path}/{name}"] = document.encode()
        return f"{place.url}/{name}"

    def hits(self, place: Place) -> list[Hit]:
        """What was asked for at a place."""
        return [hit for hit in self._hits if place.path in hit.path]

    def receive(self, method: str, path: str, headers: Mapping[str, str], source: str) -> bytes:
        """Take note of a request; the JSON document that answers it."""
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
            pass  # not a whole request: nobody was fetching what we named
        finally:
            writer.close()


@asynccontextmanager
async def listening(
    address: tuple[str, int] | None = None, url: str = "", *, loopback: bool
) -> AsyncGenerator[Listener | None]:
    """A listener at this address and public URL; by default on loopback if the server is there too, else none.

    Raises:
        OSError: nothing can be bound at the address.
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
