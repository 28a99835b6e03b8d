"""Codes and tokens cannot be guessed (OAuth 2.1 section 7.7)."""

from __future__ import annotations

import math
import re
from itertools import takewhile
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oauth_litmus.answer import Answer
    from oauth_litmus.client import Target

SAMPLES = 5
MIN_CHARACTERS = 22
"""Base64url characters that hold 128 bits."""
MIN_BITS = 120
"""Bits that what varies must be able to hold: 128, less what a random UUID fixes and what chance makes equal."""
_ALPHABETS = (
    (re.compile(r"[0-9\-_.~]+"), math.log2(10)),
    (re.compile(r"(?:[0-9a-f\-_.~]+|[0-9A-F\-_.~]+)"), 4.0),
    (re.compile(r"(?:[0-9a-z\-_.~]+|[0-9A-Z\-_.~]+)"), math.log2(36)),
)
_SEPARATORS = re.compile(r"[-_.~]")


@check("AUTHZ-06", needs={LOGIN}, logins=SAMPLES)
async def codes_and_tokens_cannot_be_guessed(target: Target) -> None:
    """Collect the codes of five logins, and the tokens of the last through four refreshes; look at what varies in them."""
    client = await target.client()

    codes = [await target.login(client) for _ in range(SAMPLES)]
    tokens = [await target.tokens_for(codes[-1])]
    while tokens[-1].refresh_token is not None and len(tokens) < SAMPLES:
        answer = expect.conclusive(await target.refresh(tokens[-1]))
        if not answer.has_tokens and tokens[-1].refresh_token in [each.refresh_token for each in tokens[:-1]]:
            break  # a refresh that brings no other refresh token may end its own
        tokens.append(target.successor_of(answer, tokens[-1]))

    values, at = [code.value for code in codes], [code.response.answer for code in codes]
    expect.that(len(set(values)) == len(values), expected="a code of its own for each login", got="a repetition", at=at)
    _varies_enough("codes", values, at)
    # A refresh may give the same refresh token again: whether it must not is REPLAY-05.
    refresh_tokens = [each.refresh_token for each in tokens if each.refresh_token is not None]
    answers = [each.answer for each in tokens]
    _varies_enough("refresh tokens", list(dict.fromkeys(refresh_tokens)), answers)
    # A JWT is guarded by its signature, however little of it varies.
    opaque = [each.access_token for each in tokens if not each.claims]
    _varies_enough("access tokens", list(dict.fromkeys(opaque)), answers)


def _varies_enough(what: str, values: Sequence[str], at: Sequence[Answer]) -> None:
    if not values:
        return
    shortest = min(len(value) for value in values)
    expected = f"{what} of at least {MIN_CHARACTERS} characters (128 bits)"
    expect.that(shortest >= MIN_CHARACTERS, expected=expected, got=f"one of {shortest}", at=at)
    varying = _varying(values)
    bits = _bits(varying)
    got = f"{min(map(len, varying))} characters vary from one to the next: {bits:.0f} bits at most"
    expect.that(bits >= MIN_BITS, expected=f"{what} of at least 128 random bits", got=got, at=at)


def _varying(values: Sequence[str]) -> list[str]:
    """What is left of each without the beginning and the end that all have."""
    if len(values) == 1:
        return list(values)
    begins = _alike(values)
    ends = _alike([value[begins:][::-1] for value in values])
    return [value[begins : len(value) - ends] for value in values]


def _alike(values: Sequence[str]) -> int:
    """With how many characters all of them begin."""
    columns = (set(column) for column in zip(*values, strict=False))
    return sum(1 for _ in takewhile(lambda column: len(column) == 1, columns))


def _bits(values: Sequence[str]) -> float:
    """What the shortest of them can hold at most, by the characters that they all use."""
    for alphabet, bits in _ALPHABETS:
        if alphabet.fullmatch("".join(values)):
            return bits * min(len(_SEPARATORS.sub("", value)) for value in values)
    return 6.0 * min(len(value) for value in values)
