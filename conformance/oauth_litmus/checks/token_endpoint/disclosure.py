"""Information that a refusal reveals about a code of another client (OAuth 2.1 section 7.7)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, check

if TYPE_CHECKING:
    from oauth_litmus.client import Client, Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.grants import Code


@check("ERR-02", needs={LOGIN})
async def refusals_do_not_tell_foreign_codes_from_unknown_ones(target: Target) -> None:
    """Present made-up codes, and a fresh and a used code of another client; then a used and a made-up code as the owner."""
    code, stranger = await target.authorization.login(), await target.clients.shared("b")

    unknown, unknown_too = [await _refused(target, code, stranger, made_up=True) for _ in range(2)]
    foreign = await _refused(target, code, stranger)
    redeemed = (await target.tokens.redeem(code)).has_tokens
    foreign_and_used = await _refused(target, code, stranger)

    # Compare descriptions only if they are equal for two unknown codes: some servers put a request number into each.
    worded = _told(unknown) == _told(unknown_too)
    expected = f"the answer to an unknown code: {expect.describe(unknown)}"
    for what, answer in {"fresh": foreign, "used": foreign_and_used}.items():
        same = (answer.status, answer.error) == (unknown.status, unknown.error)
        got = f"{expect.describe(answer)} for a {what} code of another client"
        expect.that(same, expected=expected, got=got, at=(unknown, answer))
        got = f"another error_description for a {what} code of another client"
        expect.that(not worded or _told(answer) == _told(unknown), expected=expected, got=got, at=answer)
        named = code.client.client_id in answer.text
        expect.that(not named, expected=expected, got="the client_id of the code's owner", at=answer)

    if redeemed:
        used, made_up = await _refused(target, code), await _refused(target, code, made_up=True)
        got = f"{expect.describe(used)} for a used code of the client's own"
        expect.that(used.error == made_up.error, expected=f"error={made_up.error}", got=got, at=(used, made_up))


async def _refused(target: Target, code: Code, client: Client | None = None, *, made_up: bool = False) -> Answer:
    """The refusal of a code, or of a made-up code with the length and the beginning of this code."""
    presented = code
    if made_up:
        half = len(code.value) // 2
        end = secrets.token_urlsafe(len(code.value))[: len(code.value) - half]
        presented = replace(code, value=code.value[:half] + end)
        target.secret(presented.value, "code")
    answer = expect.conclusive(await target.tokens.redeem(presented, client=client))
    expect.that(not answer.has_tokens, obtained=True, expected="a refusal", got=f"tokens ({answer.status})", at=answer)
    return answer


def _told(answer: Answer) -> str:
    return answer.member("error_description")
