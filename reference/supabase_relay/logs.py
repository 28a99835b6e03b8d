"""Structured logs: events, and one access line per request. Fingerprints replace secrets."""

import json
import logging
import sys
import time
import traceback
from collections.abc import Mapping
from typing import cast

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_EVENTS = logging.getLogger("supabase_relay.events")
_ACCESS = logging.getLogger("supabase_relay.access")
_QUIET = ("httpx", "httpcore", "redis", "limits", "uvicorn.access")


class JsonFormatter(logging.Formatter):
    """Write one JSON object per line, without the text of exceptions, because it may quote input."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line for a record."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage() if not record.exc_info else record.msg,
        }
        line.update(cast("Mapping[str, object]", getattr(record, "fields", {})))
        return json.dumps(line, default=str)


def configure(level: int = logging.INFO) -> None:
    """Log to standard error as JSON, and silence libraries that log URLs with secrets, except for warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def event(name: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Log an event; its fields must be fingerprints, fixed words or numbers."""
    _EVENTS.log(level, name, extra={"fields": fields})


def unhandled(error: BaseException) -> None:
    """Log the type and the code location of an exception."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.name}:{frame.lineno}" for frame in frames[-6:]]
    event("unhandled_exception", level=logging.ERROR, type=type(error).__qualname__, places=places)


class AccessLog:
    """Log one line per request, with the route's template, because paths and queries contain states and codes."""

    def __init__(self, app: ASGIApp, *, templates: Mapping[object, str]) -> None:
        self._app = app
        self._templates = templates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and log it after the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, started = 0, time.perf_counter()

        async def observe(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, observe)
        finally:
            self._log(scope, status, time.perf_counter() - started)

    def _log(self, scope: Scope, status: int, seconds: float) -> None:
        fields = {
            "method": scope["method"] if scope["method"].isalpha() else "?",
            "route": self._templates.get(scope.get("endpoint"), "-"),
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
        }
        _ACCESS.info("request", extra={"fields": fields})
