"""Results that several checks share: made once, by the first check that asks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    from oauth_litmus.clock import Clock

T = TypeVar("T")


class SharedResults:
    """Keeps each shared result under its key, and the checks that asked for it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made: dict[Hashable, asyncio.Future[object]] = {}
        self.askers: dict[Hashable, list[str]] = {}
        """By key, the checks that asked for the result. The first one made it."""

    def put(self, key: Hashable, result: object) -> None:
        """Store a result that was obtained as a by-product, unless there is one already."""
        if key not in self._made:
            self._made[key] = asyncio.get_running_loop().create_future()
            self._made[key].set_result(result)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]], asker: str = "") -> T:
        """Return the shared result. The first asker makes it; later askers wait for it and get it, or its failure.

        Raises:
            Blocked: making it failed (and any other exception that `make` raises).
        """
        self.askers.setdefault(key, []).append(asker)
        made = self._made.get(key)
        if made is not None:
            # Shielded: a waiting check that is cancelled must not cancel the result for the other checks.
            return cast("T", made.result() if made.done() else await self._clock.for_result_of(asyncio.shield(made)))
        made = self._made[key] = asyncio.get_running_loop().create_future()
        try:
            result = await make()
        except asyncio.CancelledError:
            made.cancel()
            raise
        except BaseException as error:
            made.set_exception(error)
            made.exception()
            raise
        made.set_result(result)
        return result
