"""Parse the challenges of WWW-Authenticate headers (RFC 9110 section 11.6.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))[ \t]*(?=,|$)')
_SCHEME = re.compile(rf"({_TOKEN})(?:[ \t]+|(?=,|$))")
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$)")
_SEPARATORS = re.compile(r"[ \t,]*")


@dataclass(frozen=True)
class Challenge:
    """One challenge; the scheme and the parameter names are in lower case."""

    scheme: str
    parameters: dict[str, str] = field(default_factory=dict[str, str])


def parse_challenges(values: Sequence[str]) -> list[Challenge] | None:
    """Return the challenges of all WWW-Authenticate headers, in order; None if a header breaks the grammar."""
    found: list[Challenge] = []
    for value in values:
        challenges = _parse(value.strip())
        if challenges is None:
            return None
        found += challenges
    return found


def _parse(value: str) -> list[Challenge] | None:
    found: list[Challenge] = []
    position = 0
    while position < len(value):
        if found and (parameter := _PARAMETER.match(value, position)):
            quoted, bare = parameter[2], parameter[3]
            found[-1].parameters[parameter[1].lower()] = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
            position = parameter.end()
        elif scheme := _SCHEME.match(value, position):
            found.append(Challenge(scheme[1].lower()))
            position = scheme.end()
            if not _PARAMETER.match(value, position) and (token68 := _TOKEN68.match(value, position)):
                position = token68.end()
        else:
            return None
        separators = _SEPARATORS.match(value, position)
        position = separators.end() if separators else position
    return found
