"""The refresh tokens that a race of refreshes leaves behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauth_litmus.client import Target, Tokens
    from oauth_litmus.http.answer import Answer


async def at_most_one_usable_successor(target: Target, tokens: Tokens, answers: Iterable[Answer]) -> Answer | None:
    """Require that at most one successor of a refresh token works after a race.

    Args:
        target: the server.
        tokens: the tokens that all racers refreshed.
        answers: the answers to the racers. Each distinct successor in them is used once, in turn.

    Returns:
        The answer to the successor that works; None if none does.
    """
    successors = {answer.member("refresh_token"): answer for answer in answers if answer.has_tokens}
    used = [
        await target.tokens.refresh(target.tokens.read(answer, tokens.client, tokens.granted_scope))
        for answer in successors.values()
    ]
    usable = [answer for answer in used if answer.has_tokens]
    expect.that(
        len(usable) <= 1,
        obtained=True,
        expected="at most one successor that works",
        got=f"{len(usable)} successors that each work",
        at=usable,
    )
    return usable[0] if usable else None
