"""Middleware: it hides unexpected exceptions, adds security headers, and offers CORS on some paths only."""

from collections.abc import Collection, Sequence

from starlette.datastructures import MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from supabase_relay.logs import unhandled

_CORS_METHODS = ("GET", "POST", "PUT", "DELETE")
_CORS_REQUEST_HEADERS = ("Authorization", "Content-Type", "MCP-Protocol-Version", "Mcp-Session-Id", "Last-Event-ID")
_CORS_RESPONSE_HEADERS = ("WWW-Authenticate", "Retry-After", "Mcp-Session-Id")


class ErrorBarrier:
    """Turn an unexpected exception into a 500 without details, and log its type and location."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and catch every exception."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def observe(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, observe)
        except Exception as error:
            unhandled(error)
            if not started:
                answer = JSONResponse({"error": "server_error"}, 500, headers={"Cache-Control": "no-store"})
                await answer(scope, receive, send)


class SecurityHeaders:
    """Add the headers of every answer: `nosniff`, and HSTS if the issuer uses https."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        self._https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and add the headers to its answer."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers().items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, add)

    def headers(self) -> dict[str, str]:
        """Return the headers."""
        every = {"X-Content-Type-Options": "nosniff"}
        return every | {"Strict-Transport-Security": "max-age=31536000"} if self._https else every


class SelectiveCors:
    """Offer CORS on endpoints that scripts call, but not on pages that browsers navigate to (OAuth 2.1 section 3.1)."""

    def __init__(self, app: ASGIApp, *, paths: Collection[str], origins: Sequence[str]) -> None:
        self._app = app
        self._paths = frozenset(paths)
        self._with_cors = CORSMiddleware(
            app,
            allow_origins=origins,
            allow_methods=_CORS_METHODS,
            allow_headers=_CORS_REQUEST_HEADERS,
            expose_headers=_CORS_RESPONSE_HEADERS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, with or without CORS."""
        inner = self._with_cors if scope["type"] == "http" and self.offers_cors(scope["path"]) else self._app
        await inner(scope, receive, send)

    def offers_cors(self, path: str) -> bool:
        """Whether scripts of other origins may call this path."""
        return path in self._paths
