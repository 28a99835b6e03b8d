"""Limits per source address and action, in moving windows that no refused request prolongs."""

import math
import time
from typing import Any, Literal, cast

from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from supabase_relay.errors import RateLimited
from supabase_relay.settings_types import Limit
from supabase_relay.storage.connection import Connection

Action = Literal["register", "authorize", "start", "callback", "token_failures"]


class RateLimiter:
    """Counts in the shared store, so that the limits hold for all processes together."""

    def __init__(self, store: Connection, limits: dict[Action, Limit]) -> None:
        # The library's own client options do not matter: it uses the pool of the relay's client.
        options = cast("Any", {"connection_pool": store.client.connection_pool})
        storage = RedisStorage(
            "async+redis://store:6379", implementation="redispy", key_prefix="relay:limit:moving", **options
        )
        self._strategy = MovingWindowRateLimiter(storage)
        self._limits = limits

    async def require(self, action: Action, address: str) -> None:
        """Count a request; raises `RateLimited` if it is one too many."""
        limit = self._limits[action]
        if limit.amount and not await self.hit(action, address, limit):
            raise RateLimited(await self.retry_after(action, address, limit))

    async def require_unspent(self, action: Action, address: str) -> None:
        """Count nothing; raises `RateLimited` if the limit is used up."""
        limit = self._limits[action]
        if limit.amount and not await self.has_room(action, address, limit):
            raise RateLimited(await self.retry_after(action, address, limit))

    async def hit(self, action: Action, address: str, limit: Limit) -> bool:
        """Count one request, in one atomic step; False if the window is full, and then nothing is counted."""
        return await self._strategy.hit(_item(limit), action, address)

    async def has_room(self, action: Action, address: str, limit: Limit) -> bool:
        """Whether the window would admit another request."""
        return await self._strategy.test(_item(limit), action, address)

    async def retry_after(self, action: Action, address: str, limit: Limit) -> int:
        """Whole seconds until the oldest request leaves the window; then one more is admitted."""
        window = await self._strategy.get_window_stats(_item(limit), action, address)
        return max(1, math.floor(window.reset_time - time.time()) + 1)


def _item(limit: Limit) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(limit.amount, limit.seconds)
