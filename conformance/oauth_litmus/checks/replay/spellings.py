"""Other spellings of a code or refresh token, which a lenient decoder takes for the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{16,}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f-]{16,}")


def other_spellings(token: str) -> Mapping[str, Callable[[str], str]]:
    """How a token of this shape can be respelled, by what is different; only what changes it."""
    respelled: dict[str, Callable[[str], str]] = {
        "with = at its end": lambda token: f"{token}=",
        "with a space at its end": lambda token: f"{token} ",
        "with a line feed at its end": lambda token: f"{token}\n",
        "with another last letter for the same bytes": same_bytes,
    }
    if _HEXADECIMAL.fullmatch(token):
        respelled["in another letter case"] = str.swapcase
    return {what: respell for what, respell in respelled.items() if respell(token) != token}


def same_bytes(token: str) -> str:
    """The token with its last base64url character changed in bits that mean nothing; as it is, if there are none."""
    last = re.split(r"[^A-Za-z0-9_-]", token)[-1]
    # Of two or three characters beyond whole quadruples, the last has four or two bits to spare (RFC 4648 section 3.5).
    if not _BASE64URL.fullmatch(last) or len(last) % 4 < 2:
        return token
    return token[:-1] + _ALPHABET[_ALPHABET.index(token[-1]) ^ 1]
