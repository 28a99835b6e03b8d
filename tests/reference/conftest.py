"""Worlds for the tests of the relay: what concerns tokens runs on both classes of access token."""

import pytest
from freezegun import freeze_time
from relay_worlds import open_world


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
