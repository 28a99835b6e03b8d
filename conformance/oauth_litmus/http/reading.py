"""Reads one answer off its connection, bounded in time, in lines of its head, and in size before and after decompression."""

from __future__ import annotations

import asyncio
import zlib
from typing import cast

import httpx

MAX_BODY = 1_048_576
"""Bytes of a body that are read, as sent and as decompressed; the rest is left."""
MAX_HEADER_LINES = 500
"""Lines of a head that are looked at, far more than any server needs; its bytes are bounded by the HTTP library."""
EVENTS_READ = 1.0
"""Seconds for which a stream of events is read: MCP's GET stays open for good, and its head has said it all by then."""
_MAX_CODINGS = 3
_GZIP, _ZLIB, _BARE_DEFLATE = 31, 15, -15
"""What `zlib.decompressobj` calls the forms."""


class UnreadableAnswerError(httpx.HTTPError):
    """An answer that came, and that nobody can be asked to read."""


async def read(response: httpx.Response) -> tuple[bytes, bool]:
    """The body without its content codings, and whether it was cut.

    The suite asks for no coding (`Accept-Encoding: identity`), and some servers compress all the same (RFC 9110 section
    12.5.3 leaves it to them). It is undone here and not by the HTTP library: that makes gigabytes of one packet of zeros.

    Raises:
        UnreadableAnswerError: the head is too long, or the coding is none that can be undone.
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
            )  # RFC 9110 section 8.4.1.2 has the first; some senders have always sent the second
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
    raise UnreadableAnswerError(f"its body is no {coding}, as its Content-Encoding says")
