"""Rate limits: per address and action, in moving windows; refused requests do not count."""

import asyncio

import httpx
import pytest
from fakeredis import FakeAsyncRedis, FakeServer
from relay_worlds import REDIRECT_URI, UNLIMITED, open_world

from supabase_relay.app import create_app
from supabase_relay.settings import Settings

BODY = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}


@pytest.fixture
async def limited(clock):
    async with open_world(limit_register="3/60") as world:
        yield world


async def register(world, headers=None):
    return await world.http.post("/register", json=BODY, headers=headers or {})


async def test_a_request_beyond_the_limit_is_a_429(limited):
    answers = [await register(limited) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert answers[3].headers["cache-control"] == "no-store"
    assert answers[3].json()["error"] == "slow_down"


async def test_retry_after_is_the_time_until_a_request_is_accepted(clock, limited):
    for _ in range(3):
        await register(limited)
        clock.tick(5)
    wait = int((await register(limited)).headers["retry-after"])

    clock.tick(wait - 2)
    assert (await register(limited)).status_code == 429
    clock.tick(2)
    assert (await register(limited)).status_code == 201


async def test_refused_requests_do_not_count(clock, limited):
    for _ in range(3):
        await register(limited)
    for _ in range(12):
        clock.tick(5)
        await register(limited)
    clock.tick(1)

    assert (await register(limited)).status_code == 201


async def test_steady_traffic_within_the_limit_is_never_refused(clock, limited):
    for _ in range(9):
        assert (await register(limited)).status_code == 201
        clock.tick(21)


async def test_concurrent_requests_do_not_exceed_the_limit(limited):
    answers = await asyncio.gather(*(register(limited) for _ in range(15)))

    assert sum(answer.status_code == 201 for answer in answers) == 3


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "True-Client-IP", "CF-Connecting-IP"])
async def test_address_headers_of_an_untrusted_peer_are_ignored(limited, header):
    for _ in range(3):
        await register(limited)

    assert (await register(limited, {header: "203.0.113.9"})).status_code == 429


async def test_a_trusted_proxy_reports_the_client_address(clock):
    async with open_world(limit_register="1/60", trusted_proxies="127.0.0.0/8, 10.0.0.0/8") as world:
        assert (await register(world, {"X-Forwarded-For": "203.0.113.1"})).status_code == 201
        assert (await register(world, {"X-Forwarded-For": "203.0.113.2, 10.1.1.1"})).status_code == 201
        assert (await register(world, {"X-Forwarded-For": "198.51.100.1, 203.0.113.2"})).status_code == 429


async def test_all_ipv6_addresses_of_a_subscriber_share_one_limit(clock):
    async with open_world(limit_register="1/60", trusted_proxies="127.0.0.0/8") as world:
        assert (await register(world, {"X-Forwarded-For": "2001:db8::1"})).status_code == 201
        assert (await register(world, {"X-Forwarded-For": "2001:db8::2"})).status_code == 429
        assert (await register(world, {"X-Forwarded-For": "2001:db8:0:1::1"})).status_code == 201


async def test_each_action_has_its_own_limit(clock):
    async with open_world(limit_register="1/60", limit_authorize="1/60", limit_start="1/60") as world:
        client = await world.register()
        assert (await register(world)).status_code == 429

        login = await world.authorize(client)
        assert (await world.http.get("/authorize")).status_code == 429
        assert (await login.browser.get(login.location)).status_code == 200
        refused = await login.browser.get(login.location)
        assert refused.status_code == 429
        assert refused.headers["content-type"].startswith("text/html")


async def test_a_refused_callback_consumes_nothing(clock):
    async with open_world(limit_callback="1/60") as world:
        login = await world.authorize(await world.register())
        callback = await world.callback_url(login)
        await world.http.get("/auth/callback")

        assert (await login.browser.get(callback)).status_code == 429
        clock.tick(61)
        assert (await login.browser.get(callback)).status_code == 303


async def test_failures_at_the_token_endpoint_are_limited_and_successes_are_not(clock):
    async with open_world(limit_token_failures="2/60") as world:
        client = await world.register()
        grants = [await world.code(client) for _ in range(4)]
        for grant in grants[:3]:
            assert (await grant.redeem()).status_code == 200
        for _ in range(2):
            assert (await world.refresh(client, "x")).status_code == 400

        assert (await grants[3].redeem()).status_code == 429
        clock.tick(61)
        # The code has expired by now; the 400 shows that the relay checks the code again.
        assert (await grants[3].redeem()).status_code == 400


async def test_all_processes_share_one_limit(clock):
    server, statuses = FakeServer(), []
    for _ in range(2):
        async with open_world(redis=FakeAsyncRedis(server=server), limit_register="3/60") as world:
            statuses += [(await register(world)).status_code for _ in range(2)]

    assert statuses == [201, 201, 201, 429]


async def test_preflight_requests_do_not_count(limited):
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    for _ in range(10):
        await limited.http.options("/register", headers=headers)

    assert (await register(limited)).status_code == 201


async def test_a_source_without_an_address_is_counted_too(clock):
    settings = Settings(supabase_url="http://localhost:9999", **{**UNLIMITED, "limit_register": "1/60"})
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app, client=None)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as http:
            answers = [(await http.post("/register", json=BODY)).status_code for _ in range(2)]

    assert answers == [201, 429]
