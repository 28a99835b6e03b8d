"""A burst of requests waits for a connection to the store and does not fail."""

import asyncio

import pytest

from supabase_relay.storage.clients import Clients
from supabase_relay.storage.connection import MOST_CONNECTIONS, Connection, connect

BURST = 5 * MOST_CONNECTIONS


@pytest.fixture
async def store(store_url):
    opened = Connection(connect(store_url))
    yield opened
    await opened.close()


async def test_more_requests_than_connections_all_get_answers(store):
    clients = Clients(store)

    assert set(await asyncio.gather(*(clients.find(f"client-{number}") for number in range(BURST)))) == {None}


async def test_the_number_of_connections_stays_within_the_limit(store):
    await asyncio.gather(*(store.read(f"key-{number}") for number in range(BURST)))

    assert len(await store.client.client_list()) <= MOST_CONNECTIONS
