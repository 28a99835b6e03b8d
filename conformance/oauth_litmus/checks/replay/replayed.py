"""A code that is tried by a stranger, used, and presented again: several checks look at what each of these is answered."""

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
"""Seconds after which a used code is presented once more."""


@dataclass(frozen=True)
class Replayed:
    """The tokens that a code brought, and the answers to the identical request at once and a little later."""

    tokens: Tokens
    answers: tuple[Answer, Answer]
    refreshed: Answer | Blocked | None
    """What a refresh was answered at last, or why nothing was; None without a refresh token."""
    called: Answer | Blocked | None
    """What the resource said to the access token before that, or why nothing; None if it is not called."""


@dataclass(frozen=True)
class Tried:
    """The answers to a code as it was presented by another client, and then by its own."""

    refused: Answer
    answer: Answer
    replayed: Replayed | None
    """What came of it afterwards, if it was used by its own client alone."""


@shared
async def tried_by_a_stranger(target: Target) -> Tried:
    """A code that another client presents, then its own, and that one again; made once."""
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
    """A code that its own client used, and presented again; made once."""

    try:
        tried = await tried_by_a_stranger(target)
    except Skipped:  # there is but one client
        return await _replayed_by_its_client(target)
    return tried.replayed or await _replayed_by_its_client(target)


async def _replayed(target: Target, code: Code, answer: Answer) -> Replayed:
    tokens = target.tokens.read(answer, code.client, code.request.get("scope"))
    at_once = await target.tokens.redeem(code)
    await target.until(target.now() + LATER)
    later = await target.tokens.redeem(code, even_if_ended=True)
    # Both may live for seconds only: they are used now, whenever a check looks at what they were answered.
    # The access token first: a refused refresh may be what ends it.
    opens = target.server.seen.resource_answers
    called = await _answered(target.resource.call(tokens.access_token)) if opens else None
    refreshed = await _answered(target.tokens.refresh(tokens)) if tokens.refresh_token else None
    return Replayed(tokens, (at_once, later), refreshed, called)


async def _answered(request: Awaitable[Answer]) -> Answer | Blocked:
    """The trouble of one request is that of the check which looks at its answer, and of no other."""
    try:
        return await request
    except Blocked as reason:
        return reason
