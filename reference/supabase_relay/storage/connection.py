"""The connection to the store, and the handful of commands that the verbs are made of."""

from collections.abc import Awaitable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, cast

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

StoreUnavailable = RedisError
"""What every verb raises when the store cannot be reached, or does not answer in time."""

TIMEOUT = 5.0
"""Seconds to wait for the store before a request fails."""

MOST_CONNECTIONS = 64
"""Of one process to the store: requests beyond them wait their turn, for no longer than the store itself may take."""

BROOM = 300
"""Seconds that a key outlives its contents: lifetimes are judged by the relay, the store only sweeps up."""

Value = str | int | float

# Shared by the verbs that hand out an access token; scripts cannot include one another.
_PRELUDE = "write_access_grant.lua"


def connect(url: str | None) -> "redis.asyncio.Redis":
    """The store at `url`, or without one a fakeredis inside this process, which forgets everything with it."""
    if url is None:
        from fakeredis import FakeAsyncRedis, FakeServer

        return FakeAsyncRedis(
            server=FakeServer(),
            decode_responses=True,
            connection_pool_class=redis.asyncio.BlockingConnectionPool,
            max_connections=MOST_CONNECTIONS,
        )
    # The ordinary pool refuses what comes when all its connections are in use; a burst is no failure of the store.
    pool = redis.asyncio.BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=TIMEOUT,
        decode_responses=True,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),  # a connection may have died in the pool; every script may be repeated
    )
    return redis.asyncio.Redis.from_pool(pool)


class Connection:
    """Runs scripts and reads hashes; answers are text."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self.client = client
        self._scripts: dict[str, AsyncScript] = {}

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[Value] = ()) -> list[str]:
        """Run `lua/<script>.lua` atomically on keys of one slot; its answer is a list of strings."""
        if script not in self._scripts:
            self._scripts[script] = self.client.register_script(_source(script))
        answer = cast("list[str | bytes]", await self._scripts[script](keys=list(keys), args=list(arguments)))
        return [_text(item) for item in answer]

    async def read_hash(self, key: str) -> dict[str, str]:
        """All fields of a hash; empty where there is none."""
        return _texts(await cast("Awaitable[Mapping[Any, Any]]", self.client.hgetall(key)))

    async def read_hashes(self, *keys: str) -> list[dict[str, str]]:
        """Several hashes of one slot in one round trip."""
        async with self.client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hgetall(key)
            answers = cast("list[Mapping[Any, Any]]", await pipeline.execute())
        return [_texts(answer) for answer in answers]

    async def read_access(self, grant: str, denied: str, family: str) -> tuple[dict[str, str], bool, dict[str, str]]:
        """A grant's hash, whether the deny-list has an entry, and the family's hash, in one round trip."""
        async with self.client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(grant)
            pipeline.exists(denied)
            pipeline.hgetall(family)
            found: list[Any] = await pipeline.execute()
        return _texts(found[0]), bool(found[1]), _texts(found[2])

    async def write_hash(self, key: str, fields: Mapping[str, str], lifetime: float) -> None:
        """Write a hash that is swept up `lifetime` seconds (and the broom's time) from now."""
        async with self.client.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, mapping=cast("Any", fields))
            pipeline.pexpire(key, milliseconds(lifetime + BROOM))
            await pipeline.execute()

    async def read(self, key: str) -> str | None:
        """A string, or None."""
        value = await self.client.get(key)
        return None if value is None else _text(value)

    async def write(self, key: str, value: str, lifetime: float) -> None:
        """Write a string that is swept up `lifetime` seconds (and the broom's time) from now."""
        await self.client.set(key, value, px=milliseconds(lifetime + BROOM))

    async def ping(self) -> None:
        """Raise `StoreUnavailable` if the store does not answer."""
        await self.client.ping()  # pyright: ignore[reportUnknownMemberType]

    async def close(self) -> None:
        """Give the connections back."""
        await self.client.aclose()


def milliseconds(seconds: float) -> int:
    """A lifetime as the store counts it, at least one millisecond."""
    return max(1, round(seconds * 1000))


@cache
def _source(script: str) -> str:
    folder = files("supabase_relay.storage") / "lua"
    prelude = (folder / _PRELUDE).read_text("utf-8")
    body = (folder / f"{script}.lua").read_text("utf-8")
    return prelude + body if "write_access_grant(" in body else body


def _text(value: str | bytes | int) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _texts(fields: Mapping[Any, Any]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in fields.items()}
