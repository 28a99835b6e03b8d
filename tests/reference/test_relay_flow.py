"""The whole flow: registration, login, tokens, refresh, resource."""


async def test_a_login_gives_tokens_that_the_resource_accepts(world):
    tokens = await world.tokens()

    answer = await tokens.call()

    assert answer.status_code == 200
    assert answer.json()["client_id"] == tokens.client["client_id"]
    assert answer.json()["scopes"] == ["mcp:read", "mcp:write"]


async def test_a_refresh_gives_tokens_that_the_resource_accepts(world):
    tokens = await (await world.tokens()).refreshed()

    assert (await tokens.call()).status_code == 200
