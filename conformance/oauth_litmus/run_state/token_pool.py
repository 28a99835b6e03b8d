"""Tokens that one check has finished with and another check can still use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauth_litmus.oauth.grants import Tokens


class TokenPool:
    """Unused tokens, by client and scope."""

    def __init__(self) -> None:
        self._tokens: dict[Hashable, list[Tokens]] = {}
        self._locks: dict[Hashable, asyncio.Lock] = {}

    def add(self, tokens: Tokens) -> None:
        """Offer tokens to other checks."""
        self._tokens.setdefault((tokens.client.client_id, tokens.scopes), []).append(tokens)

    def take(self, grant: Hashable, is_fresh: Callable[[Tokens], bool]) -> Tokens | None:
        """Take the newest fresh tokens of a client and scope out of the pool; None if it holds none."""
        pooled = self._tokens.get(grant, [])
        while pooled:
            tokens = pooled.pop()
            if is_fresh(tokens):
                return tokens
        return None

    def lock(self, key: Hashable) -> asyncio.Lock:
        """The lock of the checks that use one grant after the other."""
        return self._locks.setdefault(key, asyncio.Lock())
