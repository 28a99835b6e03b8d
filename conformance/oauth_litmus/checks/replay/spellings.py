"""Other spellings of a code or refresh token, which a lenient decoder accepts as the original."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{16,}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f-]{16,}")


def other_spellings(token: str) -> Mapping[str, Callable[[str], str]]:
    """Functions that respell a token of this shape, each by a description of the change.

    A function that would not change this token is left out.
    """
    respelled: dict[str, Callable[[str], str]] = {
        "with = at its end": lambda token: f"{token}=",
        "with a space at its end": lambda token: f"{token} ",
        "with a line feed at its end": lambda token: f"{token}\n",
        "with another last letter that decodes to the same bytes": same_bytes,
    }
    if _HEXADECIMAL.fullmatch(token):
        respelled["in another letter case"] = str.swapcase
    return {what: respell for what, respell in respelled.items() if respell(token) != token}


def same_bytes(token: str) -> str:
    """Change unused bits of the last base64url character of the token. A token without unused bits is returned unchanged."""
    last = re.split(r"[^A-Za-z0-9_-]", token)[-1]
    # If two or three characters follow the last group of four, the last one has four or two unused bits (RFC 4648 section 3.5).
    if not _BASE64URL.fullmatch(last) or len(last) % 4 < 2:
        return token
    return token[:-1] + _ALPHABET[_ALPHABET.index(token[-1]) ^ 1]
