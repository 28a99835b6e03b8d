"""Rotation of refresh tokens, for checks of several categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target, Tokens

GUARD = 1.0
"""Seconds on either side of a boundary: servers count lifetimes in whole seconds."""


async def grace_is_over(target: Target) -> None:
    """Wait until the declared grace for all tokens rotated so far is over; return at once if none is declared."""
    grace = target.server.refresh_reuse_grace
    await target.until(target.now() + (grace + GUARD if grace else 0.0))


async def rotated(target: Target, tokens: Tokens) -> Tokens:
    """Refresh, and return the successor of the tokens.

    Raises:
        Blocked: the refresh was refused.
        NotApplicable: the refresh token did not change, and need not: see `require_rotation`.
    """
    successor = await target.tokens.refreshed(tokens)
    if successor.refresh_token == tokens.refresh_token:
        require_rotation(tokens)
    return successor


def require_rotation(tokens: Tokens) -> None:
    """Stop the check if the server need not rotate these refresh tokens (OAuth 2.1 section 4.3.1).

    It must rotate the refresh tokens of public clients, unless they are bound to a key.

    Raises:
        NotApplicable: the tokens are bound to a key (DPoP), or to a client with a secret.
    """
    if tokens.answer.member("token_type").lower() == "dpop":
        raise NotApplicable("the tokens are bound to a key of the client (DPoP)")
    if not tokens.client.is_public:
        raise NotApplicable("refresh tokens are bound to a client with a secret, and need no rotation")
