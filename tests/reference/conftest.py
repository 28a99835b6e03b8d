"""Worlds for the tests of the relay: every test runs on both classes of access token."""

import pytest
from relay_worlds import open_world


@pytest.fixture(params=["supabase", "relay"])
def token_class(request):
    return request.param


@pytest.fixture
async def world(token_class):
    async with open_world(access_tokens=token_class) as opened:
        yield opened
