"""Serve an ASGI application on a loopback socket: uvicorn in a thread that stops with the context."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

_START_SECONDS = 10
_STOP_SECONDS = 10


def listen() -> socket.socket:
    """Open a listening socket on a free port of 127.0.0.1, so that an application can be built with its own URL."""
    return socket.create_server(("127.0.0.1", 0), backlog=512)


@contextmanager
def served(app: ASGIApp, listener: socket.socket) -> Generator[str]:
    """Serve on this socket and yield the origin; close the socket at the end.

    Raises:
        RuntimeError: the server does not start, or does not stop, within ten seconds.
    """
    # By default uvicorn believes forwarding headers from loopback, so that clients could invent addresses.
    config = uvicorn.Config(
        app, proxy_headers=False, ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = _AnnouncingServer(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="interop", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_START_SECONDS):
            raise RuntimeError(f"the server did not start within {_START_SECONDS} seconds")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_STOP_SECONDS)
        listener.close()
    if thread.is_alive():
        raise RuntimeError(f"the server did not stop within {_STOP_SECONDS} seconds")


class _AnnouncingServer(uvicorn.Server):
    """A server that sets an event when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()
