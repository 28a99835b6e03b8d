"""The protected resource, and what it takes for an access token."""

import asyncio
import base64
import json
import time

import jwt
import pytest
from fake_supabase import Session, SigningKey
from relay_worlds import ISSUER, open_world
from starlette.responses import Response


def challenge_of(answer):
    return answer.headers["www-authenticate"]


async def test_without_a_token_there_is_a_challenge_and_no_error(world):
    for method in ("GET", "POST", "PUT", "DELETE"):
        answer = await world.http.request(method, "/mcp")
        assert answer.status_code == 401
        assert challenge_of(answer).startswith(
            f'Bearer resource_metadata="{ISSUER}/.well-known/oauth-protected-resource/mcp", scope="mcp:read"'
        )
        assert "error" not in challenge_of(answer)


@pytest.mark.parametrize("token", ["garbage", "a.b.c", "x" * 8000, "null", "{}", "[" * 3000 + ".a.b", ""])
async def test_garbage_is_an_invalid_token(world, token):
    answer = await world.call(token)

    assert answer.status_code == 401
    assert 'error="invalid_token"' in challenge_of(answer)


@pytest.mark.parametrize("value", [b"Bearer \xc3\xa9", b"Bearer \xff"])
async def test_a_token_that_is_not_ascii_is_invalid(world, value):
    assert (await world.http.get("/mcp", headers={"Authorization": value})).status_code == 401


async def test_codes_and_refresh_tokens_open_nothing(world):
    grant = await world.code()
    tokens = await world.tokens()

    assert (await world.call(grant.code)).status_code == 401
    assert (await world.call(tokens.refresh_token)).status_code == 401


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
async def test_the_scheme_is_case_insensitive(world, scheme):
    token = (await world.tokens()).access_token

    assert (await world.http.get("/mcp", headers={"Authorization": f"{scheme} {token}"})).status_code == 200


async def test_other_places_and_schemes_do_not_count(world):
    token = (await world.tokens()).access_token

    assert (await world.http.get("/mcp", params={"access_token": token})).status_code == 401
    assert (await world.http.post("/mcp", data={"access_token": token})).status_code == 401
    for value in (token, f"Basic {token}", f"BearerX {token}", f"Token {token}"):
        assert (await world.http.get("/mcp", headers={"Authorization": value})).status_code == 401


async def test_two_tokens_are_refused(world):
    token = (await world.tokens()).access_token
    good, bad = ("Authorization", f"Bearer {token}"), ("Authorization", "Bearer x")

    for headers in ([good, bad], [bad, good]):
        assert (await world.http.get("/mcp", headers=headers)).status_code == 401
    both = await world.http.post("/mcp", headers=dict([good]), data={"access_token": token})
    assert both.status_code == 401


async def test_a_missing_scope_is_named(world):
    tokens = await world.tokens(scope="mcp:read")

    answer = await tokens.call("PUT")

    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in challenge_of(answer)
    assert 'scope="mcp:read mcp:write"' in challenge_of(answer)


async def test_a_token_ends_with_its_exp(clock, token_class):
    async with open_world(access_tokens=token_class) as world:
        tokens = await world.tokens()
        clock.tick(3599)
        assert (await tokens.call()).status_code == 200
        clock.tick(1)
        assert (await tokens.call()).status_code == 401


async def test_a_declared_leeway_is_added(clock, token_class):
    async with open_world(access_tokens=token_class, clock_leeway=30) as world:
        tokens = await world.tokens()
        clock.tick(3629)
        assert (await tokens.call()).status_code == 200
        clock.tick(1)
        assert (await tokens.call()).status_code == 401


def parts(token):
    return token.split(".")


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def decoded(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE"])
async def test_unsigned_tokens_are_refused(world, algorithm):
    header, payload, _ = parts((await world.tokens()).access_token)
    unsigned = encoded({**decoded(header), "alg": algorithm})

    assert (await world.call(f"{unsigned}.{payload}.")).status_code == 401
    assert (await world.call(f"{header}.{payload}.")).status_code == 401


@pytest.mark.parametrize("claim", [{"sub": "x"}, {"exp": 9_999_999_999}, {"scope": "admin"}, {"aud": "x"}])
async def test_tampered_tokens_are_refused(world, claim):
    header, payload, signature = parts((await world.tokens()).access_token)
    tampered = encoded({**decoded(payload), **claim})

    assert (await world.call(f"{header}.{tampered}.{signature}")).status_code == 401


async def test_a_public_key_is_no_shared_secret(world):
    token = (await world.tokens()).access_token
    header, payload = decoded(parts(token)[0]), decoded(parts(token)[1])
    keys = (await world.http.get("/jwks.json")).json().get("keys", [world.supabase.key.jwk])
    secret = base64.urlsafe_b64decode(keys[0]["x"] + "=")
    forged = jwt.encode(payload, secret, algorithm="HS256", headers={"kid": header["kid"], "typ": header["typ"]})

    assert (await world.call(forged)).status_code == 401


async def test_keys_in_the_header_do_not_count(world):
    token = (await world.tokens()).access_token
    stranger = SigningKey()
    for header in ({}, {"jwk": stranger.jwk}, {"jku": "https://evil.example/"}, {"kid": "../../dev/null"}):
        known = {"kid": decoded(parts(token)[0])["kid"], "typ": decoded(parts(token)[0])["typ"]}
        forged = stranger.sign(decoded(parts(token)[1]), **{**known, **header})
        assert (await world.call(forged)).status_code == 401


async def test_a_supabase_token_that_the_relay_never_issued_is_refused(world):
    foreign = world.supabase.mint(Session("eve@example.org"))

    assert (await world.call(foreign)).status_code == 401


@pytest.fixture
async def admitting():
    async with open_world(admit_foreign_supabase_tokens=True) as world:
        yield world


async def test_foreign_tokens_are_admitted_by_declaration(admitting):
    answer = await admitting.call(admitting.supabase.mint(Session("eve@example.org")))

    assert answer.status_code == 200
    assert answer.json()["client_id"] is None


@pytest.mark.parametrize(
    "fault",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"iss": "http://localhost:9999/"},
        {"aud": "other"},
        {"aud": None},
        {"aud": ["other", "another"]},
        {"exp": None},
        {"exp": 1},
        {"exp": "9999999999"},
        {"exp": True},
        {"nbf": 9_999_999_999},
        {"sub": None},
        {"sub": ""},
        {"session_id": None},
    ],
)
async def test_each_claim_is_checked(admitting, fault):
    assert (await admitting.call(admitting.supabase.mint(Session("e"), **fault))).status_code == 401


async def test_a_list_of_audiences_may_name_others_too(admitting):
    token = admitting.supabase.mint(Session("e"), aud=["authenticated", "other"])

    assert (await admitting.call(token)).status_code == 200


async def test_the_key_set_is_fetched_once_for_many(admitting):
    token = admitting.supabase.mint(Session("e"))

    answers = await asyncio.gather(*(admitting.call(token) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert admitting.supabase.calls.count("jwks") == 1


async def test_a_rotated_key_is_found_and_the_old_one_forgotten(admitting):
    old = admitting.supabase.mint(Session("e"))
    await admitting.call(old)
    admitting.supabase.rotate_key()

    assert (await admitting.call(admitting.supabase.mint(Session("e")))).status_code == 200
    assert (await admitting.call(old)).status_code == 401


async def test_invented_key_ids_do_not_cost_a_fetch_each(admitting):
    good = admitting.supabase.mint(Session("e"))
    await admitting.call(good)
    claims = jwt.decode(good, options={"verify_signature": False})
    for number in range(30):
        await admitting.call(SigningKey().sign(claims, kid=str(number)))

    assert admitting.supabase.calls.count("jwks") <= 3
    assert (await admitting.call(good)).status_code == 200


async def test_known_keys_outlive_a_broken_key_set(clock, admitting):
    good = admitting.supabase.mint(Session("e"))
    await admitting.call(good)
    clock.tick(601)
    admitting.supabase.fail("jwks", Response("boom", 500), times=100)

    assert (await admitting.call(good)).status_code == 200


@pytest.mark.parametrize(
    "document", [Response("boom", 500), Response("[]"), Response('{"keys": 5}'), Response("<html>")]
)
async def test_without_any_key_nothing_is_known(admitting, document):
    admitting.supabase.fail("jwks", document, times=100)

    answer = await admitting.call(admitting.supabase.mint(Session("e")))

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


async def test_an_empty_key_set_verifies_nothing(admitting):
    admitting.supabase.keys = []

    assert (await admitting.call(admitting.supabase.mint(Session("e")))).status_code == 401


async def test_a_relay_token_says_what_it_is():
    async with open_world(access_tokens="relay") as world:
        tokens = await world.tokens(scope="mcp:read")
        keys = (await world.http.get("/jwks.json")).json()["keys"]
        claims = jwt.decode(tokens.access_token, jwt.PyJWK(keys[0]), audience=f"{ISSUER}/mcp", issuer=ISSUER)

        assert jwt.get_unverified_header(tokens.access_token)["typ"] == "at+jwt"
        assert set(keys[0]) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert claims["client_id"] == tokens.client["client_id"]
        assert claims["scope"] == "mcp:read"
        assert claims["exp"] - claims["iat"] == 3600
        assert abs(claims["iat"] - time.time()) < 5
        assert tokens.refresh_token.startswith(claims["sid"] + ".")


async def test_the_life_of_a_relay_token_is_the_operators_choice():
    async with open_world(access_tokens="relay", access_token_ttl=7) as world:
        assert (await world.tokens()).body["expires_in"] in {6, 7}
