"""The protected resource, and which access tokens it accepts."""

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


async def test_codes_and_refresh_tokens_are_refused(world):
    grant = await world.code()
    tokens = await world.tokens()

    assert (await world.call(grant.code)).status_code == 401
    assert (await world.call(tokens.refresh_token)).status_code == 401


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "bEaReR"])
async def test_the_scheme_is_case_insensitive(world, scheme):
    token = (await world.tokens()).access_token

    assert (await world.http.get("/mcp", headers={"Authorization": f"{scheme} {token}"})).status_code == 200


async def test_tokens_outside_the_bearer_header_are_refused(world):
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


async def test_the_challenge_names_the_missing_scope(world):
    tokens = await world.tokens(scope="mcp:read")

    answer = await tokens.call("PUT")

    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in challenge_of(answer)
    assert 'scope="mcp:read mcp:write"' in challenge_of(answer)


async def test_a_token_expires_at_its_exp(clock, token_class):
    async with open_world(access_tokens=token_class) as world:
        tokens = await world.tokens()
        clock.tick(3599)
        assert (await tokens.call()).status_code == 200
        clock.tick(1)
        assert (await tokens.call()).status_code == 401


async def test_a_configured_leeway_is_added_to_exp(clock, token_class):
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


async def test_a_token_signed_with_the_public_key_as_secret_is_refused(world):
    token = (await world.tokens()).access_token
    header, payload = decoded(parts(token)[0]), decoded(parts(token)[1])
    keys = (await world.http.get("/jwks.json")).json().get("keys", [world.supabase.key.jwk])
    secret = base64.urlsafe_b64decode(keys[0]["x"] + "=")
    forged = jwt.encode(payload, secret, algorithm="HS256", headers={"kid": header["kid"], "typ": header["typ"]})

    assert (await world.call(forged)).status_code == 401


async def test_keys_in_the_token_header_are_ignored(world):
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
async def admitting_world():
    async with open_world(admit_foreign_supabase_tokens=True) as world:
        yield world


async def test_foreign_tokens_are_accepted_if_the_operator_allows_it(admitting_world):
    answer = await admitting_world.call(admitting_world.supabase.mint(Session("eve@example.org")))

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
async def test_each_claim_is_checked(admitting_world, fault):
    assert (await admitting_world.call(admitting_world.supabase.mint(Session("e"), **fault))).status_code == 401


async def test_a_list_of_audiences_may_include_others(admitting_world):
    token = admitting_world.supabase.mint(Session("e"), aud=["authenticated", "other"])

    assert (await admitting_world.call(token)).status_code == 200


async def test_concurrent_requests_share_one_fetch_of_the_key_set(admitting_world):
    token = admitting_world.supabase.mint(Session("e"))

    answers = await asyncio.gather(*(admitting_world.call(token) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert admitting_world.supabase.calls.count("jwks") == 1


async def test_a_new_key_is_accepted_and_a_removed_key_is_refused(admitting_world):
    old = admitting_world.supabase.mint(Session("e"))
    await admitting_world.call(old)
    admitting_world.supabase.rotate_key()

    assert (await admitting_world.call(admitting_world.supabase.mint(Session("e")))).status_code == 200
    assert (await admitting_world.call(old)).status_code == 401


async def test_invented_key_ids_cause_at_most_three_fetches(admitting_world):
    good = admitting_world.supabase.mint(Session("e"))
    await admitting_world.call(good)
    claims = jwt.decode(good, options={"verify_signature": False})
    for number in range(30):
        await admitting_world.call(SigningKey().sign(claims, kid=str(number)))

    assert admitting_world.supabase.calls.count("jwks") <= 3
    assert (await admitting_world.call(good)).status_code == 200


async def test_known_keys_keep_working_while_the_key_set_fails(clock, admitting_world):
    good = admitting_world.supabase.mint(Session("e"))
    await admitting_world.call(good)
    clock.tick(601)
    admitting_world.supabase.fail("jwks", Response("boom", 500), times=100)

    assert (await admitting_world.call(good)).status_code == 200


@pytest.mark.parametrize(
    "document", [Response("boom", 500), Response("[]"), Response('{"keys": 5}'), Response("<html>")]
)
async def test_without_any_key_the_answer_is_a_503(admitting_world, document):
    admitting_world.supabase.fail("jwks", document, times=100)

    answer = await admitting_world.call(admitting_world.supabase.mint(Session("e")))

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


async def test_with_an_empty_key_set_every_token_is_refused(admitting_world):
    admitting_world.supabase.keys = []

    assert (await admitting_world.call(admitting_world.supabase.mint(Session("e")))).status_code == 401


async def test_a_relay_token_has_the_claims_of_rfc_9068():
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


async def test_the_operator_sets_the_lifetime_of_a_relay_token():
    async with open_world(access_tokens="relay", access_token_ttl=7) as world:
        assert (await world.tokens()).body["expires_in"] in {6, 7}
