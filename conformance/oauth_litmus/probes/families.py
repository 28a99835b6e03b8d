"""Families of refresh tokens, as checks of several subjects go on with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target, Tokens

GUARD = 1.0
"""Seconds on either side of a boundary: servers count lifetimes in whole seconds."""


async def grace_is_over(target: Target) -> None:
    """Wait until what was rotated a moment ago is past the declared grace."""
    grace = target.server.refresh_reuse_grace
    await target.until(target.now() + (grace + GUARD if grace else 0.0))


async def rotated(target: Target, tokens: Tokens) -> Tokens:
    """The successor of tokens whose refresh token is used up by that.

    Raises:
        Blocked: the refresh was refused.
        NotApplicable: refresh tokens are bound to a client with a secret, and stay.
    """
    successor = await target.tokens.refreshed(tokens)
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
