"""Rate limits per source address and action, in moving windows; refused requests do not count."""

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
    """Count requests in the shared store, so that all processes share the limits."""

    def __init__(self, store: Connection, limits: dict[Action, Limit]) -> None:
        # The library uses the connection pool of the relay's client, so its own URL and client options have no effect.
        options = cast("Any", {"connection_pool": store.client.connection_pool})
        storage = RedisStorage(
            "async+redis://store:6379", implementation="redispy", key_prefix="relay:limit:moving", **options
        )
        self._strategy = MovingWindowRateLimiter(storage)
        self._limits = limits

    async def require(self, action: Action, address: str) -> None:
        """Count a request; raises `RateLimited` if it exceeds the limit."""
        limit = self._limits[action]
        if limit.amount and not await self.hit(action, address, limit):
            raise RateLimited(await self.retry_after(action, address, limit))

    async def require_unspent(self, action: Action, address: str) -> None:
        """Raise `RateLimited` if the limit is used up; count nothing."""
        limit = self._limits[action]
        if limit.amount and not await self.has_room(action, address, limit):
            raise RateLimited(await self.retry_after(action, address, limit))

    async def hit(self, action: Action, address: str, limit: Limit) -> bool:
        """Count one request atomically; if the window is full, count nothing and return False."""
        return await self._strategy.hit(_item(limit), action, address)

    async def has_room(self, action: Action, address: str, limit: Limit) -> bool:
        """Whether the window would admit another request."""
        return await self._strategy.test(_item(limit), action, address)

    async def retry_after(self, action: Action, address: str, limit: Limit) -> int:
        """Return the whole seconds until the oldest request leaves the window, so that it admits another one."""
        window = await self._strategy.get_window_stats(_item(limit), action, address)
        return max(1, math.floor(window.reset_time - time.time()) + 1)


def _item(limit: Limit) -> RateLimitItemPerSecond:
    return RateLimitItemPerSecond(limit.amount, limit.seconds)
