"""Failures: the relay grants nothing without its store, and neither log nor store reveals a secret."""

import json
import logging

import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from relay_worlds import open_world

from supabase_relay.logs import JsonFormatter


@pytest.fixture
async def broken(token_class):
    """A world whose store was disconnected, with tokens from before."""
    server = FakeServer()
    redis = FakeAsyncRedis(server=server, decode_responses=True)
    async with open_world(redis=redis, access_tokens=token_class, limit_register="9/60") as world:
        tokens = await world.tokens()
        server.connected = False
        yield world, tokens


async def test_without_the_store_nothing_is_granted(broken):
    world, tokens = broken

    answers = [
        await tokens.call(),
        await tokens.refresh(),
        await tokens.revoke(tokens.refresh_token),
        await world.http.post("/register", json={}),
    ]

    assert [answer.status_code for answer in answers] == [503] * 4
    assert all(answer.json()["error"] == "temporarily_unavailable" for answer in answers)
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in answers)


async def test_without_the_store_users_get_a_page(broken):
    world, _ = broken

    answer = await world.http.get("/authorize?client_id=" + "x" * 22)

    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")


async def test_without_the_store_the_relay_is_healthy_but_not_ready(broken):
    world, _ = broken

    assert (await world.http.get("/health")).status_code == 200
    assert (await world.http.get("/ready")).status_code == 503


async def test_an_unexpected_exception_becomes_a_500_without_details(world, caplog, monkeypatch):
    async def explode(*_):
        raise ValueError("secret-in-a-message")

    monkeypatch.setattr("supabase_relay.routes.discovery.authorization_server_metadata", explode)
    monkeypatch.setattr(world.app.state.relay.clients, "find", explode)
    caplog.set_level(logging.INFO)

    answer = await world.http.post("/token", data={"grant_type": "x", "client_id": "x" * 22})

    assert (answer.status_code, answer.json()) == (500, {"error": "server_error"})
    assert "secret-in-a-message" not in answer.text + lines(caplog)
    assert "ValueError" in lines(caplog)


def lines(caplog):
    formatter = JsonFormatter()
    return "\n".join(formatter.format(record) for record in caplog.records)


async def test_the_log_from_registration_to_revocation_has_no_secret(world, caplog):
    caplog.set_level(logging.DEBUG, logger="supabase_relay")
    client = await world.register(token_endpoint_auth_method="client_secret_post")
    secret = {"client_secret": client["client_secret"]}
    login = await world.authorize(client)
    callback = await world.callback_url(login)
    cookies = list(login.browser.cookies.values())
    code = (await login.browser.get(callback)).headers["location"].partition("code=")[2].partition("&")[0]
    form = {"grant_type": "authorization_code", "client_id": client["client_id"], "code": code, **secret}
    body = (await world.http.post("/token", data={**form, "code_verifier": login.verifier})).json()
    renewed = (await world.refresh(client, body["refresh_token"], **secret)).json()
    await world.call(renewed["access_token"])
    await world.call("x.y.z")
    await world.revoke(client, renewed["refresh_token"], **secret)
    await world.http.post("/token", data={**form, "code_verifier": login.verifier})

    logged = lines(caplog)
    secrets = [client["client_secret"], login.location.rpartition("/")[2], login.verifier, code, *cookies]
    secrets += [tokens[name] for tokens in (body, renewed) for name in ("access_token", "refresh_token")]
    assert "login_finished" in logged
    assert "/auth/start/{state}" in logged
    assert [secret for secret in secrets if secret in logged] == []


async def test_the_store_has_no_unencrypted_secret(token_class):
    redis = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    async with open_world(redis=redis, access_tokens=token_class) as world:
        login = await world.authorize(await world.register())
        callback = await world.callback_url(login)
        state = login.location.rpartition("/")[2]
        pending = await dump(redis)
        location = (await login.browser.get(callback)).headers["location"]
        tokens = await (await world.tokens()).refreshed()
        stored = pending + await dump(redis)

        secrets = [state, location.partition("code=")[2].partition("&")[0], tokens.refresh_token, tokens.access_token]
        secrets += [*login.browser.cookies.values(), *world.supabase.sessions]
        assert [secret for secret in secrets if secret in stored] == []


async def test_every_key_in_the_store_expires(world):
    tokens = await (await world.tokens()).refreshed()
    await tokens.revoke(tokens.access_token)
    await world.authorize(tokens.client)
    redis = world.app.state.relay.store.client

    assert [key async for key in redis.scan_iter() if await redis.ttl(key) < 0] == []


async def test_all_keys_of_a_login_are_in_one_slot(world):
    tokens = await (await world.tokens()).refreshed()
    await tokens.revoke(tokens.access_token)
    family = tokens.refresh_token.partition(".")[0]
    keys = [key async for key in world.app.state.relay.store.client.scan_iter()]

    assert all("{" in key for key in keys)
    assert sum(f"{{{family}}}" in key for key in keys) >= 6


async def dump(redis):
    found = {}
    async for key in redis.scan_iter():
        found[key] = await (redis.hgetall(key) if await redis.type(key) == "hash" else redis.get(key))
    return json.dumps(found)
