"""The connection to the store, and the commands that its operations use."""

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
"""Raised by every operation if the store is unreachable or does not answer in time."""

TIMEOUT = 5.0
"""Seconds to wait for the store before a request fails."""

MOST_CONNECTIONS = 64
"""Maximum number of connections per process; further requests wait for one, for at most `TIMEOUT` seconds."""

BROOM = 300
"""Seconds that the store keeps a key after its contents expire; the relay itself checks expiry."""

Value = str | int | float

# Prepended to scripts that issue an access token, because a script cannot include another one.
_PRELUDE = "write_access_grant.lua"


def connect(url: str | None) -> "redis.asyncio.Redis":
    """Connect to the store at `url`; without a URL, create a fakeredis in this process, which loses all data at its end."""
    if url is None:
        from fakeredis import FakeAsyncRedis, FakeServer

        return FakeAsyncRedis(
            server=FakeServer(),
            decode_responses=True,
            connection_pool_class=redis.asyncio.BlockingConnectionPool,
            max_connections=MOST_CONNECTIONS,
        )
    # The default pool raises an error when all connections are in use; a burst of requests must wait instead.
    pool = redis.asyncio.BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
        url,
        max_connections=MOST_CONNECTIONS,
        timeout=TIMEOUT,
        decode_responses=True,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),  # a pooled connection may be closed by now; every script may be repeated
    )
    return redis.asyncio.Redis.from_pool(pool)


class Connection:
    """Run scripts and read hashes; answers are text."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self.client = client
        self._scripts: dict[str, AsyncScript] = {}

    async def run(self, script: str, keys: Sequence[str], arguments: Sequence[Value] = ()) -> list[str]:
        """Run `lua/<script>.lua` atomically on keys of one slot and return its answer, a list of strings."""
        if script not in self._scripts:
            self._scripts[script] = self.client.register_script(_source(script))
        answer = cast("list[str | bytes]", await self._scripts[script](keys=list(keys), args=list(arguments)))
        return [_text(item) for item in answer]

    async def read_hash(self, key: str) -> dict[str, str]:
        """Return all fields of a hash; empty if the key does not exist."""
        return _texts(await cast("Awaitable[Mapping[Any, Any]]", self.client.hgetall(key)))

    async def read_hashes(self, *keys: str) -> list[dict[str, str]]:
        """Return several hashes of one slot in one round trip."""
        async with self.client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.hgetall(key)
            answers = cast("list[Mapping[Any, Any]]", await pipeline.execute())
        return [_texts(answer) for answer in answers]

    async def read_access(self, grant: str, denied: str, family: str) -> tuple[dict[str, str], bool, dict[str, str]]:
        """Return the grant's hash, whether the deny-list has an entry, and the family's hash, in one round trip."""
        async with self.client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(grant)
            pipeline.exists(denied)
            pipeline.hgetall(family)
            found: list[Any] = await pipeline.execute()
        return _texts(found[0]), bool(found[1]), _texts(found[2])

    async def write_hash(self, key: str, fields: Mapping[str, str], lifetime: float) -> None:
        """Write a hash that the store deletes after `lifetime` plus `BROOM` seconds."""
        async with self.client.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, mapping=cast("Any", fields))
            pipeline.pexpire(key, milliseconds(lifetime + BROOM))
            await pipeline.execute()

    async def read(self, key: str) -> str | None:
        """Return a string; None if the key does not exist."""
        value = await self.client.get(key)
        return None if value is None else _text(value)

    async def write(self, key: str, value: str, lifetime: float) -> None:
        """Write a string that the store deletes after `lifetime` plus `BROOM` seconds."""
        await self.client.set(key, value, px=milliseconds(lifetime + BROOM))

    async def ping(self) -> None:
        """Raise `StoreUnavailable` if the store does not answer."""
        await self.client.ping()  # pyright: ignore[reportUnknownMemberType]

    async def close(self) -> None:
        """Close the connections."""
        await self.client.aclose()


def milliseconds(seconds: float) -> int:
    """Convert a lifetime to milliseconds, at least one."""
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
