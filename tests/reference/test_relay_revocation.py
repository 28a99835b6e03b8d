"""Revocation (RFC 7009)."""

import pytest
from relay_worlds import open_world


async def test_revoking_a_refresh_token_revokes_the_family(world):
    tokens = await world.tokens()

    answer = await tokens.revoke(tokens.refresh_token)

    assert answer.status_code == 200
    assert (await tokens.refresh()).json()["error"] == "invalid_grant"
    assert (await tokens.call()).status_code == 401


async def test_a_rotated_refresh_token_revokes_its_family_too(world):
    tokens = await world.tokens()
    newest = await tokens.refreshed()

    await tokens.revoke(tokens.refresh_token)

    assert (await newest.refresh()).json()["error"] == "invalid_grant"


async def test_revoking_a_login_ends_its_session_at_supabase(world):
    tokens = await world.tokens()

    await tokens.revoke(tokens.refresh_token)

    assert world.supabase.calls.count("logout") == 1


async def test_revoking_an_access_token_leaves_its_family_valid(clock, world):
    tokens = await world.tokens()

    await tokens.revoke(tokens.access_token)

    assert (await tokens.call()).status_code == 401
    clock.tick(1)
    assert (await (await tokens.refreshed()).call()).status_code == 200


async def test_a_revoked_access_token_stays_refused_until_it_expires(clock, token_class):
    async with open_world(access_tokens=token_class, clock_leeway=30) as world:
        tokens = await world.tokens()
        await tokens.revoke(tokens.access_token)

        for _ in range(8):
            clock.tick(460)
            assert (await tokens.call()).status_code == 401


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "nonsense"])
async def test_a_wrong_hint_does_not_prevent_the_revocation(world, hint):
    tokens = await world.tokens()

    await world.revoke(tokens.client, tokens.refresh_token, token_type_hint=hint)

    assert (await tokens.refresh()).status_code == 400


async def test_a_client_cannot_revoke_tokens_of_another_client(world):
    tokens, stranger = await world.tokens(), await world.register()

    for token in (tokens.refresh_token, tokens.access_token):
        assert (await world.revoke(stranger, token)).status_code == 200

    assert (await tokens.call()).status_code == 200
    assert (await tokens.refresh()).status_code == 200


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "x" * 22 + "." + "x" * 43, "*", "é"])
async def test_the_answer_for_an_unknown_token_is_200(world, token):
    assert (await world.revoke(await world.register(), token)).status_code == 200


async def test_a_token_is_required(world):
    answer = await world.revoke(await world.register(), "")

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_confidential_client_must_authenticate(world):
    client = await world.register(token_endpoint_auth_method="client_secret_post")
    secret = {"client_secret": client["client_secret"]}
    body = (await (await world.code(client)).redeem(**secret)).json()

    for wrong in ({}, {"client_secret": "wrong"}):
        answer = await world.revoke(client, body["refresh_token"], **wrong)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")

    renewed = (await world.refresh(client, body["refresh_token"], **secret)).json()
    await world.revoke(client, renewed["refresh_token"], **secret)
    assert (await world.refresh(client, renewed["refresh_token"], **secret)).status_code == 400
