"""Upper bounds on the random bits in a value, from its alphabet and from the part that varies between values."""

from __future__ import annotations

import math
import re
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_BITS = 120
"""Bits that the varying part must be able to hold: 128, minus the fixed bits of a random UUID and chance matches."""
_OF_BASE64, _OF_PRINTABLE = 22, 20
"""Characters needed for 128 bits, in base64 and in printable ASCII."""
_ALPHABETS = (
    (re.compile(r"[0-9\-_.~]+"), math.log2(10)),
    (re.compile(r"(?:[0-9a-f\-_.~]+|[0-9A-F\-_.~]+)"), 4.0),
    (re.compile(r"(?:[0-9a-z\-_.~]+|[0-9A-Z\-_.~]+)"), math.log2(36)),
    (re.compile(r"[A-Za-z0-9\-_.~+/=]+"), 6.0),
)
_SEPARATORS = re.compile(r"[-_.~]")
_PRINTABLE = math.log2(94)


def least_characters(values: Sequence[str]) -> int:
    """Characters needed for 128 bits: fewer if the values use characters outside base64."""
    return _OF_BASE64 if _ALPHABETS[-1][0].fullmatch("".join(values)) else _OF_PRINTABLE


def bits_that_vary(values: Sequence[str]) -> float:
    """Upper bound on the random bits of the shortest value, ignoring the beginning and the end that all values share."""
    varying = _varying(values)
    for alphabet, bits in _ALPHABETS[:-1]:
        if alphabet.fullmatch("".join(varying)):
            return bits * min(len(_SEPARATORS.sub("", value)) for value in varying)
    each = 6.0 if least_characters(values) == _OF_BASE64 else _PRINTABLE
    return each * min(len(value) for value in varying)


def _varying(values: Sequence[str]) -> list[str]:
    """Return the values without their common beginning and end."""
    if len(values) == 1:
        return list(values)
    begins = _alike(values)
    ends = _alike([value[begins:][::-1] for value in values])
    return [value[begins : len(value) - ends] for value in values]


def _alike(values: Sequence[str]) -> int:
    """Length of the beginning that all values share."""
    columns = (set(column) for column in zip(*values, strict=False))
    return sum(1 for _ in takewhile(lambda column: len(column) == 1, columns))
