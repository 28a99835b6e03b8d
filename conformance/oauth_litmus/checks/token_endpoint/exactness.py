"""The exact comparison of codes and refresh tokens (OAuth 2.1 sections 4.3 and 7.7)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, check
from oauth_litmus.probes.token_requests import each_alive, exchange_of, token_call

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.grants import Code, Tokens

SEPARATORS = ":*+ "
"""Characters that a careless store writes instead of `-` and `_`, or treats like them."""
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f-]+")


@check("TOKEN-11a", needs={LOGIN})
async def another_spelling_of_a_code_is_no_code(target: Target) -> None:
    """Redeem strings that differ from a valid code in one character near its middle, or are longer or shorter."""

    def spelled(change: Callable[[str], str]) -> Callable[[Code], Awaitable[Answer]]:
        async def redeem(code: Code) -> Answer:
            value = changed_by(change, code.value)
            target.secret(value, "code")
            return await token_call(target, exchange_of(target, replace(code, value=value)), client=code.client)

        return redeem

    waiting = [await target.authorization.login()]
    sample = waiting[0].value
    changes = spellings(sample)

    async def prepare() -> Code:
        return waiting.pop() if waiting else await target.authorization.login()

    answers = await each_alive(prepare, [spelled(change) for change in changes.values()], target.tokens.redeem)

    _judge(sample, dict(zip(changes, answers, strict=True)))


@check("TOKEN-11b", needs={REFRESH})
async def another_spelling_of_a_refresh_token_is_no_token(target: Target) -> None:
    """Refresh with strings that differ from a valid refresh token in one character near its middle, or are longer or shorter."""

    def spelled(change: Callable[[str], str]) -> Callable[[Tokens], Awaitable[Answer]]:
        async def refresh(tokens: Tokens) -> Answer:
            value = changed_by(change, tokens.refresh_token or "")
            target.secret(value, "refresh_token")
            return await target.tokens.refresh(tokens, refresh_token=value)

        return refresh

    first = await target.grants.fresh()
    sample = first.refresh_token or ""
    changes = spellings(sample)
    waiting = [first]

    async def prepare() -> Tokens:
        return waiting.pop() if waiting else await target.grants.fresh()

    answers = await each_alive(prepare, [spelled(change) for change in changes.values()], target.tokens.refresh)

    _judge(sample, dict(zip(changes, answers, strict=True)))


def spellings(sample: str) -> Mapping[str, Callable[[str], str]]:
    """Return the changes to apply to a token, by name, without changes that leave the sample as it is.

    No change replaces the last character alone, since in base64 it may hold insignificant bits. No change replaces the
    beginning or the end alone, since a prefix may be decoration.
    """
    changes: dict[str, Callable[[str], str]] = {
        "white space before it": lambda token: f" {token}",
        "white space after it": lambda token: f"{token}\n",
        "one letter in the other case": lambda token: _replaced(token, str.isalpha, str.swapcase),
        "one character left out": lambda token: token[: len(token) // 2] + token[len(token) // 2 + 1 :],
        "one character more": lambda token: f"{token}A",
        "only its first half": lambda token: token[: len(token) // 2],
    }
    for other in SEPARATORS:
        changes[f"{other!r} in place of - or _"] = lambda token, new=other: _replaced(
            token, lambda character: character in "-_", lambda _: new
        )
    return {name: change for name, change in changes.items() if change(sample) != sample}


def changed_by(change: Callable[[str], str], token: str) -> str:
    """Apply a change to a token. If this token, unlike the sample, has no place for it, replace its middle character."""
    value = change(token)
    if value != token:
        return value
    return _replaced(token, lambda character: True, lambda character: "B" if character == "A" else "A")


def _replaced(token: str, wanted: Callable[[str], bool], change: Callable[[str], str]) -> str:
    """Change one character of a token: of the wanted characters, the one nearest to the middle."""
    middle = len(token) // 2
    places = sorted((abs(place - middle), place) for place, character in enumerate(token) if wanted(character))
    if not places:
        return token
    place = places[0][1]
    return token[:place] + change(token[place]) + token[place + 1 :]


def _judge(sample: str, answers: Mapping[str, Answer]) -> None:
    for what, answer in answers.items():
        expect.conclusive(answer)
        # If all letters have one case (hexadecimal, base32), their case has no meaning. White space is no part of a token.
        of_one_case = sample in (sample.lower(), sample.upper()) or _HEXADECIMAL.fullmatch(sample) is not None
        harmless = what.startswith("white space") or (what.startswith("one letter") and of_one_case)
        judge = expect.ideally if harmless else expect.that
        judge(not answer.has_tokens, expected="400 with error=invalid_grant", got=f"tokens for {what}", at=answer)
        if not answer.has_tokens:
            expect.no_server_error(answer)
            right = answer.error in ("invalid_grant", "invalid_request")
            got = f"{expect.describe(answer)} for {what}"
            expect.ideally(right, expected="400 with error=invalid_grant", got=got, at=answer)
