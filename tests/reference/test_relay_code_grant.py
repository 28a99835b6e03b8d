"""The authorization code grant."""

import pytest
from relay_worlds import REDIRECT_URI, challenge_of, open_world

WRONG_VERIFIER = "w" * 43


def is_invalid_grant(answer):
    return answer.status_code == 400 and answer.json()["error"] == "invalid_grant"


async def test_the_answer_is_complete_and_not_cacheable(world):
    answer = await (await world.code()).redeem()

    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert answer.json()["token_type"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_spent_code_is_refused_and_its_tokens_are_revoked(world):
    grant = await world.code()
    tokens = await grant.tokens()

    replay = await grant.redeem()

    assert is_invalid_grant(replay)
    assert is_invalid_grant(await tokens.refresh())
    assert (await tokens.call()).status_code == 401


@pytest.mark.parametrize("defect", [{"code_verifier": WRONG_VERIFIER}, {"redirect_uri": "https://other.example/"}])
async def test_a_replay_with_a_wrong_parameter_revokes_nothing(world, defect):
    grant = await world.code()
    tokens = await grant.tokens()

    await grant.redeem(**defect)

    assert (await tokens.refresh()).status_code == 200


async def test_another_client_can_neither_redeem_nor_spend_the_code(world):
    grant = await world.code()
    stranger = await world.register(redirect_uris=["https://stranger.example/cb"])

    theft = await grant.redeem(client_id=stranger["client_id"])

    assert is_invalid_grant(theft)
    assert (await grant.redeem()).status_code == 200


async def test_a_replay_by_another_client_revokes_nothing(world):
    grant = await world.code()
    tokens = await grant.tokens()
    stranger = await world.register()

    await grant.redeem(client_id=stranger["client_id"])

    assert (await tokens.call()).status_code == 200


@pytest.mark.parametrize("verifier", [None, "", WRONG_VERIFIER, "short", "x" * 129, "with space" * 5])
async def test_a_missing_wrong_or_malformed_verifier_is_refused(world, verifier):
    answer = await (await world.code()).redeem(code_verifier=verifier)

    assert answer.status_code == 400
    assert answer.json()["error"] in {"invalid_request", "invalid_grant"}


async def test_the_challenge_is_refused_as_verifier(world):
    grant = await world.code()

    assert is_invalid_grant(await grant.redeem(code_verifier=challenge_of(grant.verifier)))


async def test_redirect_uri_is_optional(world):
    assert (await (await world.code()).redeem(redirect_uri=None)).status_code == 200


async def test_another_redirect_uri_is_refused(world):
    client = await world.register(redirect_uris=[REDIRECT_URI, REDIRECT_URI + "2"])

    answer = await (await world.code(client)).redeem(redirect_uri=REDIRECT_URI + "2")

    assert is_invalid_grant(answer)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(str.swapcase, id="swapped case"),
        pytest.param(lambda secret: secret + "=", id="padding"),
        pytest.param(lambda secret: secret + "\n", id="a line end"),
        pytest.param(lambda secret: secret[:-1], id="one character less"),
    ],
)
async def test_a_code_in_another_spelling_is_refused(world, change):
    grant = await world.code()
    family, secret = grant.code.split(".")

    answer = await grant.redeem(code=f"{family}.{change(secret)}")

    assert is_invalid_grant(answer)


async def test_a_scope_parameter_does_not_widen_the_grant(world):
    grant = await world.code(scope="mcp:read")

    answer = await grant.redeem(scope="mcp:read mcp:write")

    assert answer.json()["scope"] == "mcp:read"


async def test_another_resource_is_refused(world):
    answer = await (await world.code()).redeem(resource="https://other.example/")

    assert answer.json()["error"] == "invalid_target"


async def test_expired_codes_are_refused_while_the_store_still_has_them(clock, token_class):
    async with open_world(access_tokens=token_class, code_ttl=60) as world:
        young, old = await world.code(), await world.code()

        clock.tick(59)
        assert (await young.redeem()).status_code == 200
        clock.tick(1)
        assert is_invalid_grant(await old.redeem())


async def test_a_replay_after_the_expiry_still_revokes(clock, token_class):
    async with open_world(access_tokens=token_class) as world:
        grant = await world.code()
        tokens = await grant.tokens()
        clock.tick(120)

        await grant.redeem()

        assert (await tokens.call()).status_code == 401


async def test_expires_in_is_the_remaining_lifetime_of_a_supabase_token(clock):
    async with open_world() as world:
        grant = await world.code()
        clock.tick(30)

        assert (await grant.redeem()).json()["expires_in"] == 3570


async def test_an_expired_supabase_token_is_not_issued(clock):
    async with open_world() as world:
        world.supabase.lifetime = 10
        grant = await world.code()
        clock.tick(11)

        assert is_invalid_grant(await grant.redeem())
