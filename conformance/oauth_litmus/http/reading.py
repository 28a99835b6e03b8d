"""Read one answer from its connection, with limits on time, header lines, and size before and after decompression."""

from __future__ import annotations

import asyncio
import zlib
from typing import cast

import httpx

MAX_BODY = 1_048_576
"""The most bytes of a body that are read, both as sent and after decompression; the rest is ignored."""
MAX_HEADER_LINES = 500
"""The most header lines of an answer, far more than a server needs; the HTTP library limits their bytes."""
EVENTS_READ = 1.0
"""Seconds for which an event stream is read: an MCP server never ends the answer to GET, and its head suffices."""
_MAX_CODINGS = 3
_GZIP, _ZLIB, _BARE_DEFLATE = 31, 15, -15
"""The `wbits` argument of `zlib.decompressobj` for each format."""


class UnreadableAnswerError(httpx.HTTPError):
    """Raised for an answer that arrived but cannot be read."""


async def read(response: httpx.Response) -> tuple[bytes, bool]:
    """Return the decompressed body, and whether it was truncated.

    The suite asks for no compression (`Accept-Encoding: identity`), but some servers compress anyway, as RFC 9110 section
    12.5.3 allows. This function decompresses instead of the HTTP library, which would make gigabytes from one packet of
    zeros.

    Raises:
        UnreadableAnswerError: the head has too many lines, or the content coding is unknown, invalid or nested too deeply.
    """
    try:
        lines = len(response.headers.raw)
        if lines > MAX_HEADER_LINES:
            raise UnreadableAnswerError(f"its head has {lines} lines, more than {MAX_HEADER_LINES}")
        body, cut = await _sent(response)
    finally:
        await response.aclose()
    codings = [coding.strip().lower() for coding in response.headers.get("content-encoding", "").split(",")]
    codings = [coding for coding in codings if coding not in ("", "identity")]
    if len(codings) > _MAX_CODINGS:
        raise UnreadableAnswerError(f"its body is compressed {len(codings)} times over")
    for coding in reversed(codings):
        body, longer = _decoded(body, coding)
        cut = cut or longer
    return body, cut


async def _sent(response: httpx.Response) -> tuple[bytes, bool]:
    chunks: list[bytes] = []
    size = 0
    endless = response.headers.get("content-type", "").lower().startswith("text/event-stream")
    try:
        async with asyncio.timeout(EVENTS_READ if endless else None):
            async for chunk in cast("httpx.AsyncByteStream", response.stream):
                chunks.append(chunk)
                size += len(chunk)
                if size > MAX_BODY:
                    return b"".join(chunks)[:MAX_BODY], True
    except TimeoutError:
        if not endless:
            raise
        return b"".join(chunks), True
    return b"".join(chunks), False


def _decoded(body: bytes, coding: str) -> tuple[bytes, bool]:
    if not body:
        return body, False
    match coding:
        case "gzip" | "x-gzip":
            forms = (_GZIP,)
        case "deflate":
            forms = (
                _ZLIB,
                _BARE_DEFLATE,
            )  # RFC 9110 section 8.4.1.2 demands the first format; some servers send the second
        case _:
            raise UnreadableAnswerError(
                f"its body is compressed with {coding!r:.40}, although no compression was asked for"
            )
    for form in forms:
        try:
            decoded = zlib.decompressobj(form).decompress(body, MAX_BODY + 1)
        except zlib.error:
            continue
        return decoded[:MAX_BODY], len(decoded) > MAX_BODY
    raise UnreadableAnswerError(f"its body is not {coding}, although its Content-Encoding says so")
