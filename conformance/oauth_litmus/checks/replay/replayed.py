"""The replay of one code, which several checks judge.

Another client tries the code, its own client redeems it, and then presents it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.client.shared import shared
from oauth_litmus.verdict import Blocked, Skipped

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from oauth_litmus.client import Code, Target, Tokens
    from oauth_litmus.http.answer import Answer

LATER = 2.0
"""Seconds between the first and the second replay of a used code."""


@dataclass(frozen=True)
class Replayed:
    """The tokens that were issued for a code, and the answers to the identical request at once and `LATER` seconds afterwards."""

    tokens: Tokens
    answers: tuple[Answer, Answer]
    refreshed: Answer | Blocked | None
    """The answer to a refresh, sent last of all, or the reason why there is no answer; None without a refresh token."""
    called: Answer | Blocked | None
    """The answer of the resource to the access token, before that refresh, or the reason why there is no answer.

    None if the suite does not call the resource.
    """


@dataclass(frozen=True)
class Tried:
    """The answers to a code that another client presented, and then its own client."""

    refused: Answer
    answer: Answer
    replayed: Replayed | None
    """The replay of the code afterwards; None unless only its own client got tokens for it."""


@shared
async def tried_by_a_stranger(target: Target) -> Tried:
    """Present a code as another client, then as its own client, and replay it; once for all checks."""
    stranger = await target.clients.shared("b")
    code = await target.authorization.login()
    refused = await target.tokens.redeem(code, client=stranger)
    answer = await target.tokens.redeem(code)
    only_its_own = answer.has_tokens and not refused.has_tokens
    return Tried(refused, answer, await _replayed(target, code, answer) if only_its_own else None)


@shared
async def _replayed_by_its_client(target: Target) -> Replayed:
    code = await target.authorization.login()
    return await _replayed(target, code, await target.tokens.redeem(code))


async def replayed_code(target: Target) -> Replayed:
    """Redeem a code as its own client, and replay it; once for all checks."""
    try:
        tried = await tried_by_a_stranger(target)
    except Skipped:  # the profile has only one client
        return await _replayed_by_its_client(target)
    return tried.replayed or await _replayed_by_its_client(target)


async def _replayed(target: Target, code: Code, answer: Answer) -> Replayed:
    tokens = target.tokens.read(answer, code.client, code.request.get("scope"))
    at_once = await target.tokens.redeem(code)
    await target.until(target.now() + LATER)
    later = await target.tokens.redeem(code, even_if_ended=True)
    # Both tokens may expire within seconds, so use them now. A check may judge the answers much later.
    # Use the access token first, because a refused refresh may revoke it.
    called = await _answered(target.resource.call(tokens.access_token)) if target.server.seen.resource_answers else None
    refreshed = await _answered(target.tokens.refresh(tokens)) if tokens.refresh_token else None
    return Replayed(tokens, (at_once, later), refreshed, called)


async def _answered(request: Awaitable[Answer]) -> Answer | Blocked:
    """Return the answer, or the error that blocks only the checks which judge this answer."""
    try:
        return await request
    except Blocked as reason:
        return reason
