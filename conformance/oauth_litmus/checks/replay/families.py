"""Families of refresh tokens, as checks of several subjects go on with them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.answer import Answer
    from oauth_litmus.client import Target, Tokens

GUARD = 1.0
"""Seconds on either side of a boundary: servers count lifetimes in whole seconds."""


async def grace_is_over(target: Target) -> None:
    """Wait until what was rotated a moment ago is past the declared grace."""
    grace = target.server.refresh_reuse_grace
    await target.until(target.now() + (grace + GUARD if grace else 0.0))


def successor_of(target: Target, answer: Answer, tokens: Tokens) -> Tokens:
    """What a client goes on with after a refresh: a refresh token that was not replaced stays (OAuth 2.1 section 4.3.1).

    Raises:
        Blocked: the refresh was refused.
    """
    successor = target.tokens_of(answer, tokens.client, tokens.granted_scope)
    return replace(successor, refresh_token=successor.refresh_token or tokens.refresh_token)


async def rotated(target: Target, tokens: Tokens) -> Tokens:
    """The successor of tokens whose refresh token is used up by that.

    Raises:
        Blocked: the refresh was refused.
        NotApplicable: refresh tokens are bound to a client with a secret, and stay.
    """
    successor = successor_of(target, await target.refresh(tokens), tokens)
    if successor.refresh_token == tokens.refresh_token:
        require_rotation(tokens)
    return successor


def require_rotation(tokens: Tokens) -> None:
    """Only unconstrained refresh tokens of public clients must be used up by a refresh (OAuth 2.1 section 4.3.1).

    Raises:
        NotApplicable: these are not.
    """
    if tokens.answer.member("token_type").lower() == "dpop":
        raise NotApplicable("the tokens are bound to a key of the client (DPoP)")
    if not tokens.client.is_public:
        raise NotApplicable("refresh tokens are bound to a client with a secret, and need no rotation")
