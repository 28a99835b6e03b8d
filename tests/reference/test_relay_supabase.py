"""Requests to Supabase during a login, and how the relay handles its errors, failures and invalid tokens."""

import httpx
import pytest
from fake_supabase import error
from relay_worlds import ISSUER, REDIRECT_URI, open_world, query_of
from starlette.responses import JSONResponse, Response


@pytest.fixture
def token_class():
    return "supabase"


async def test_every_request_to_supabase_has_a_new_challenge(world):
    client = await world.register()
    queries = []
    for _ in range(3):
        login = await world.authorize(client)
        queries.append(query_of(await world.approve(login)))

    assert len({query["code_challenge"] for query in queries}) == 3
    assert {query["code_challenge_method"] for query in queries} == {"s256"}


async def test_the_client_cannot_change_the_request_to_supabase(world):
    foreign = {"redirect_to": "https://evil.example", "provider": "evil", "next": "https://evil.example"}
    login = await world.authorize(await world.register(), **foreign)

    url = await world.approve(login)

    assert query_of(url)["redirect_to"].startswith(f"{ISSUER}/auth/callback?state=")
    assert query_of(url)["provider"] == "google"
    assert "evil" not in url


async def test_a_denial_at_supabase_becomes_an_error_for_the_client(world):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login, error="access_denied", error_description="<script>")

    location = (await login.browser.get(callback)).headers["location"]

    assert query_of(location)["error"] == "access_denied"
    assert query_of(location)["state"] == "client-state"
    assert query_of(location)["iss"] == ISSUER
    assert "<script>" not in query_of(location)["error_description"]


async def test_a_code_of_another_login_fails_by_pkce(world):
    client = await world.register()
    victim, attacker = await world.authorize(client), await world.authorize(client)
    stolen = query_of(await world.callback_url(victim))["code"]
    callback = await world.callback_url(attacker, code=stolen)

    location = (await attacker.browser.get(callback)).headers["location"]

    assert query_of(location)["error"] == "access_denied"
    assert "code" not in query_of(location)


FAULTS = {
    "a 500": Response("boom", 500),
    "HTML": Response("<h1>hi</h1>", 200, media_type="text/html"),
    "an empty object": JSONResponse({}),
    "a refusal": error(404, "flow_state_not_found"),
    "a dropped connection": httpx.RemoteProtocolError("gone"),
    "a time-out": httpx.ReadTimeout("slow"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_a_failure_of_supabase_becomes_an_error_for_the_client(world, fault):
    login = await world.authorize(await world.register())
    world.supabase.fail("pkce", fault)

    location = (await login.browser.get(await world.callback_url(login))).headers["location"]

    assert location.startswith(REDIRECT_URI)
    assert query_of(location)["error"] in {"temporarily_unavailable", "access_denied"}
    assert (await world.tokens()).access_token


@pytest.mark.parametrize(
    "claims",
    [{"iss": "https://evil.example"}, {"iss": None}, {"aud": "other"}, {"exp": 1}, {"sub": None}, {"session_id": None}],
)
async def test_an_invalid_token_of_supabase_becomes_an_error_for_the_client(world, claims):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login)
    world.supabase.claims = claims

    location = (await login.browser.get(callback)).headers["location"]

    assert query_of(location)["error"] == "temporarily_unavailable"


async def test_a_slow_supabase_becomes_an_error_after_the_time_out(token_class):
    async with open_world(upstream_timeout=0.05) as world:
        login = await world.authorize(await world.register())
        world.supabase.hold("pkce")

        location = (await login.browser.get(await world.callback_url(login))).headers["location"]

        assert query_of(location)["error"] == "temporarily_unavailable"


async def test_tokens_without_an_issuer_are_accepted_if_declared():
    async with open_world(supabase_jwt_issuer="none") as world:
        world.supabase.claims = {"iss": None}

        assert (await (await world.tokens()).call()).status_code == 200
