"""Serve a WSGI application on a loopback socket: werkzeug's threaded server, which stops with the context."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from wsgiref.types import WSGIApplication

from werkzeug.serving import WSGIRequestHandler, make_server

_STOP_SECONDS = 10


class _SilentHandler(WSGIRequestHandler):
    """Keep connections open, as most servers do, and write no log."""

    protocol_version = "HTTP/1.1"

    def log(self, *args: object) -> None:
        pass


@contextmanager
def served_wsgi(make_app: Callable[[str], WSGIApplication]) -> Generator[str]:
    """Build the application for its origin, serve it with a thread for each connection, and yield the origin.

    Raises:
        RuntimeError: the server does not stop within ten seconds.
    """
    server = make_server("127.0.0.1", 0, _not_yet, threaded=True, request_handler=_SilentHandler)
    origin = f"http://127.0.0.1:{server.server_port}"
    server.app = make_app(origin)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield origin
    finally:
        server.shutdown()
        thread.join(_STOP_SECONDS)
        server.server_close()
    if thread.is_alive():
        raise RuntimeError(f"the server did not stop within {_STOP_SECONDS} seconds")


def _not_yet(environ, start_response):
    raise AssertionError("the application must be built before the first request")
