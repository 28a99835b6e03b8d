"""Texts that a stranger can read in a value: as it is, percent-decoded, base64url-decoded, and decompressed."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LAYERS = 4
_LONGEST = 100_000
_MOST = 20 * _LONGEST
"""Most characters to read in one layer of encoding."""
_WORD = re.compile(r"[A-Za-z0-9_/+-]{8,}={0,2}")
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def readings(value: str) -> frozenset[str]:
    """Return every text that is readable in a value without a key. Encrypted and random values yield themselves and noise."""
    found = {value[:_LONGEST]}
    layer = set(found)
    for _ in range(_LAYERS):
        layer = set(_measured(inner[:_LONGEST] for text in layer for inner in _unwrapped(text))) - found
        found |= layer
    return frozenset(found)


def discloses(value: str, secret: str) -> bool:
    """Whether a secret can be read in a value."""
    return any(secret in text for text in readings(value))


def verifiers_in(value: str) -> frozenset[str]:
    """Return the readable words in a value that have the shape of a `code_verifier` (RFC 7636 section 4.1)."""
    return frozenset(word for text in readings(value) for word in _TOKEN.findall(text))


def _measured(texts: Iterable[str]) -> Iterator[str]:
    """Yield texts up to `_MOST` characters in total: decompressed text may contain many more compressed texts."""
    room = _MOST
    for text in texts:
        room -= len(text)
        if room < 0:
            return
        yield text


def _unwrapped(text: str) -> Iterator[str]:
    yield unquote(text)
    for word in _WORD.findall(text):
        yield from _decoded(word)


def _decoded(word: str) -> Iterator[str]:
    bare = word.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        content = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):
        return
    for form in (content, _inflated(content)):
        try:
            inner = form.decode()
        except UnicodeDecodeError:
            continue
        if inner.isprintable() and inner:
            yield inner


def _inflated(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, _LONGEST)
    except zlib.error:
        return b""
