"""The refresh token grant: rotation, reuse, the leeway, and failures of Supabase."""

import asyncio
import time

import httpx
import pytest
from fake_supabase import error
from relay_worlds import Tokens, open_world
from starlette.responses import JSONResponse, Response

from supabase_relay.opaque_tokens import parse_token


def is_invalid_grant(answer):
    return answer.status_code == 400 and answer.json()["error"] == "invalid_grant"


def is_temporarily_unavailable(answer):
    return (
        answer.status_code == 503
        and answer.json()["error"] == "temporarily_unavailable"
        and int(answer.headers["retry-after"]) >= 1
    )


async def test_every_refresh_rotates(world):
    generations = [await world.tokens()]
    for _ in range(4):
        generations.append(await generations[-1].refreshed())

    assert len({tokens.refresh_token for tokens in generations}) == 5


async def test_a_lost_answer_is_repeated_within_the_leeway(clock, token_class):
    async with open_world(access_tokens=token_class, refresh_leeway=10) as world:
        tokens = await world.tokens()
        first = await tokens.refreshed()
        clock.tick(9)

        again = await tokens.refreshed()

        assert again.refresh_token == first.refresh_token
        assert again.access_token == first.access_token
        assert again.body["expires_in"] == first.body["expires_in"] - 9


async def test_reuse_after_the_leeway_revokes_the_family(clock, token_class):
    async with open_world(access_tokens=token_class, refresh_leeway=10) as world:
        tokens = await world.tokens()
        newest = await (await tokens.refreshed()).refreshed()
        clock.tick(10)

        assert is_invalid_grant(await tokens.refresh())
        assert is_invalid_grant(await newest.refresh())
        assert (await newest.call()).status_code == 401


async def test_without_a_leeway_the_second_use_revokes_the_family(token_class):
    async with open_world(access_tokens=token_class, refresh_leeway=0) as world:
        tokens = await world.tokens()
        successor = await tokens.refreshed()

        assert is_invalid_grant(await tokens.refresh())
        assert is_invalid_grant(await successor.refresh())


async def test_reuse_in_one_family_does_not_affect_others(token_class):
    async with open_world(access_tokens=token_class, refresh_leeway=0) as world:
        client = await world.register()
        reused, other = await world.tokens(client), await world.tokens(client)
        await reused.refreshed()
        await reused.refresh()

        assert (await other.refresh()).status_code == 200


async def test_another_client_can_neither_use_nor_revoke_the_token(token_class):
    async with open_world(access_tokens=token_class, refresh_leeway=0) as world:
        tokens = await world.tokens()
        successor = await tokens.refreshed()
        stranger = await world.register()

        assert is_invalid_grant(await world.refresh(stranger, tokens.refresh_token))
        assert is_invalid_grant(await world.refresh(stranger, successor.refresh_token))
        assert (await successor.refresh()).status_code == 200


async def test_a_token_that_was_never_issued_does_not_revoke_the_family(world):
    tokens = await world.tokens()
    family, _, secret = tokens.refresh_token.partition(".")

    assert is_invalid_grant(await world.refresh(tokens.client, f"{family}.{secret[::-1]}"))
    assert (await tokens.refresh()).status_code == 200


async def test_an_unused_token_expires_and_a_rotation_starts_a_new_lifetime(clock, token_class):
    async with open_world(access_tokens=token_class, refresh_token_ttl=100) as world:
        client = await world.register()
        unused, used = await world.tokens(client), await world.tokens(client)
        clock.tick(99)
        used = await used.refreshed()
        clock.tick(1)

        assert is_invalid_grant(await unused.refresh())
        assert (await used.refresh()).status_code == 200


async def test_a_subset_narrows_the_access_token_and_not_the_grant(clock, token_class):
    async with open_world(access_tokens=token_class) as world:
        tokens = await world.tokens()
        clock.tick(1)
        narrow = await tokens.refreshed(scope="mcp:read")
        clock.tick(1)
        full = await narrow.refreshed()

        assert narrow.body["scope"] == "mcp:read"
        assert (await narrow.call()).json()["scopes"] == ["mcp:read"]
        assert (await narrow.call("PUT")).status_code == 403
        assert full.body["scope"] == "mcp:read mcp:write"
        assert (await full.call("PUT")).status_code == 200


async def test_a_wider_scope_is_refused_and_does_not_consume_the_token(world):
    tokens = await world.tokens(scope="mcp:read")

    answer = await tokens.refresh(scope="mcp:read mcp:write")

    assert answer.json()["error"] == "invalid_scope"
    assert (await tokens.refresh()).status_code == 200


@pytest.mark.parametrize("scope", ["MCP:READ", "mcp", "read", "mcp:read,mcp:write"])
async def test_scope_names_are_exact(world, scope):
    assert (await (await world.tokens()).refresh(scope=scope)).json()["error"] == "invalid_scope"


async def test_the_order_of_scopes_does_not_matter(world):
    assert (await (await world.tokens()).refresh(scope="mcp:write  mcp:read")).status_code == 200


async def test_each_grant_of_a_client_keeps_its_own_scope(world):
    client = await world.register()
    narrow, full = await world.tokens(client, scope="mcp:read"), await world.tokens(client)

    assert (await narrow.refreshed()).body["scope"] == "mcp:read"
    assert (await full.refreshed()).body["scope"] == "mcp:read mcp:write"


FAULTS = {
    "a 500": Response("boom", 500),
    "a 503": JSONResponse({}, 503),
    "a 429": error(429, "over_request_rate_limit"),
    "lock contention": error(409, "conflict"),
    "a gateway that misses the API key": JSONResponse({"message": "No API key found in request"}, 401),
    "HTML": Response("<h1>hi</h1>", 200, media_type="text/html"),
    "an empty object": JSONResponse({}),
    "a token that does not verify": JSONResponse({"access_token": "a.b.c", "refresh_token": "r"}),
    "a dropped connection": httpx.RemoteProtocolError("gone"),
    "a time-out": httpx.ReadTimeout("slow"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("after_effect", [False, True], ids=["before rotation", "after rotation"])
async def test_a_failure_of_supabase_leaves_the_token_usable(world, fault, after_effect):
    tokens = await world.tokens()
    world.supabase.fail("refresh", fault, after_effect=after_effect)

    answer = await tokens.refresh()

    assert is_temporarily_unavailable(answer)
    assert (await (await tokens.refreshed()).call()).status_code == 200


async def test_the_end_of_a_supabase_session_revokes_the_family(world):
    tokens = await world.tokens()
    world.supabase.end_sessions()

    assert is_invalid_grant(await tokens.refresh())
    assert (await tokens.call()).status_code == 401


async def test_an_answer_for_another_session_is_refused(world):
    tokens, other = await world.tokens(), await world.tokens()
    session = next(reversed(world.supabase.sessions.values()))
    foreign = {"access_token": world.supabase.mint(session), "refresh_token": "r"}
    world.supabase.fail("refresh", JSONResponse(foreign))

    assert is_temporarily_unavailable(await tokens.refresh())
    assert (await other.refresh()).status_code == 200


async def test_concurrent_refreshes_get_one_successor_and_call_supabase_once(world):
    tokens = await world.tokens()

    answers = await asyncio.gather(*(tokens.refresh() for _ in range(8)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert world.supabase.calls.count("refresh") == 1


async def test_a_request_that_waits_too_long_gets_a_503(token_class):
    async with open_world(access_tokens=token_class, refresh_lease=0.3, upstream_timeout=0.2) as world:
        tokens = await world.tokens()
        await _claim_and_never_return(world, tokens)

        assert is_temporarily_unavailable(await asyncio.wait_for(tokens.refresh(), 2))


async def test_an_expired_lease_can_be_claimed_by_another_request(token_class, clock):
    async with open_world(access_tokens=token_class) as world:
        tokens = await world.tokens()
        await _claim_and_never_return(world, tokens)
        clock.tick(16)

        assert (await tokens.refresh()).status_code == 200


async def test_a_cancelled_refresh_can_be_retried_at_once(world):
    tokens = await world.tokens()
    arrived, _ = world.supabase.hold("refresh")
    attempt = asyncio.create_task(tokens.refresh())
    await arrived.wait()
    attempt.cancel()
    await asyncio.gather(attempt, return_exceptions=True)

    assert (await tokens.refresh()).status_code == 200


async def test_a_family_revoked_during_the_refresh_gives_no_tokens(world):
    tokens = await world.tokens()
    arrived, go_on = world.supabase.hold("refresh")
    attempt = asyncio.create_task(tokens.refresh())
    await arrived.wait()
    await tokens.revoke(tokens.refresh_token)
    go_on.set()

    assert is_invalid_grant(await attempt)


async def test_a_repeated_jwt_never_gets_a_wider_scope(clock):
    async with open_world(algorithm="RS256") as world:
        tokens = await world.tokens(scope="mcp:read mcp:write")
        narrow = await tokens.refreshed(scope="mcp:read")

        assert narrow.access_token == tokens.access_token
        assert (await tokens.call()).json()["scopes"] == ["mcp:read"]
        assert (await narrow.refreshed()).body["scope"] == "mcp:read"


async def test_a_repeated_jwt_is_not_issued_after_its_revocation(clock):
    async with open_world(algorithm="RS256") as world:
        tokens = await world.tokens()
        await tokens.revoke(tokens.access_token)

        assert is_temporarily_unavailable(await tokens.refresh())
        clock.tick(1)
        assert (await (await tokens.refreshed()).call()).status_code == 200


async def _claim_and_never_return(world, tokens: Tokens):
    relay = world.app.state.relay
    token = parse_token(tokens.refresh_token)
    assert token is not None
    await relay.grants.claim_refresh(token, "another", time.time(), 15)
