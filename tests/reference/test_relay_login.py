"""The login leg: one browser, one pending login, one callback, whatever Supabase answers."""

import asyncio

import httpx
import pytest
from fake_supabase import error
from relay_worlds import ISSUER, REDIRECT_URI, open_world, query_of
from starlette.responses import JSONResponse, Response

STATE_COOKIE = "__Host-relay-login-"


@pytest.fixture
def token_class():
    return "supabase"


def is_page(answer):
    return answer.status_code == 400 and "location" not in answer.headers


async def test_the_state_cookie_has_all_its_attributes(clock, world):
    login = await world.authorize(await world.register())

    cookie = (await world.http.get(login.location)).headers["set-cookie"]

    assert cookie.startswith(STATE_COOKIE)
    assert cookie.partition("; ")[2] == "Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax"


async def test_the_cookie_lives_no_longer_than_the_login(clock, world):
    login = await world.authorize(await world.register())
    clock.tick(250)

    assert "Max-Age=350;" in (await world.http.get(login.location)).headers["set-cookie"]


async def test_the_callback_deletes_the_cookie_with_its_attributes(world):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login)
    (name,) = login.browser.cookies

    deletion = (await login.browser.get(callback)).headers["set-cookie"]

    assert deletion.startswith(f"{name}=; Max-Age=0;")
    assert deletion.endswith("Path=/; Secure; HttpOnly; SameSite=Lax")


async def test_at_most_five_cookies_are_alive(world):
    client, browser = await world.register(), world.browser()
    names = []
    for _ in range(7):
        login = await world.authorize(client, browser)
        await browser.get(login.location)
        names += [name for name in browser.cookies if name not in names]

    assert list(browser.cookies) == names[-5:]


async def test_two_logins_in_one_browser_end_at_their_own_clients(world):
    browser = world.browser()
    one, two = await world.register(redirect_uris=["https://one.example/"]), await world.register()
    first = await world.authorize(one, browser, redirect_uri="https://one.example/", state="1")
    second = await world.authorize(two, browser, state="2")
    callbacks = [await world.callback_url(login) for login in (first, second)]

    answers = [(await browser.get(url)).headers["location"] for url in reversed(callbacks)]

    assert answers[0].startswith(REDIRECT_URI)
    assert query_of(answers[0])["state"] == "2"
    assert answers[1].startswith("https://one.example/")
    assert query_of(answers[1])["state"] == "1"


async def test_a_callback_in_another_browser_is_refused_and_costs_nothing(world):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login)

    assert is_page(await world.browser().get(callback))
    assert (await login.browser.get(callback)).status_code == 303


async def test_the_cookie_of_another_login_does_not_help(world):
    client = await world.register()
    mine, other = await world.authorize(client), await world.authorize(client)
    callback = await world.callback_url(mine)
    await world.callback_url(other)

    assert is_page(await other.browser.get(callback))


async def test_a_planted_second_cookie_of_the_name_is_not_trusted(world):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login)
    ((name, value),) = login.browser.cookies.items()

    answer = await world.http.get(callback, headers={"Cookie": f"{name}={value}; {name}=planted"})

    assert is_page(answer)


def _with_another_letter(state: str) -> str:
    return state[:20] + ("y" if state[20] == "x" else "x") + state[21:]


@pytest.mark.parametrize("change", [lambda state: "", _with_another_letter, lambda state: "*"])
async def test_another_state_is_refused(world, change):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login)
    state = query_of(callback)["state"]

    assert is_page(await login.browser.get(callback.replace(state, change(state))))


async def test_a_callback_counts_once(world):
    login = await world.authorize(await world.register())
    first, second = await world.callback_url(login), await world.callback_url(login)
    kept = dict(login.browser.cookies)
    await login.browser.get(first)
    login.browser.cookies = kept

    assert is_page(await login.browser.get(first))
    assert is_page(await login.browser.get(second))
    assert is_page(await login.browser.get(login.location))


async def test_of_parallel_callbacks_one_gets_a_code(world):
    login = await world.authorize(await world.register())
    callbacks = [await world.callback_url(login) for _ in range(8)]

    answers = await asyncio.gather(*(login.browser.get(url) for url in callbacks))

    assert sum(answer.status_code == 303 for answer in answers) == 1


async def test_the_callback_needs_an_approval(world):
    login = await world.authorize(await world.register())
    state = login.location.rpartition("/")[2]
    await login.browser.get(login.location)

    assert is_page(await login.browser.get(f"/auth/callback?state={state}&code=upstream"))


async def test_a_login_ends_at_its_lifetime_however_often_it_is_visited(clock, world):
    client = await world.register()
    login = await world.authorize(client)
    callback = await world.callback_url(login)
    for _ in range(2):
        clock.tick(299)
        assert (await login.browser.get(login.location)).status_code in {200, 303}
    clock.tick(2)

    assert is_page(await login.browser.get(login.location))
    assert is_page(await login.browser.get(callback))


@pytest.mark.parametrize("path", ["nonsense", "x" * 43, "*", "%00", "..%2f..", "é", "x" * 10_000])
async def test_unknown_logins_are_refused_without_a_cookie(world, path):
    answer = await world.http.get(f"/auth/start/{path}")

    assert answer.status_code in {400, 404}
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}])
async def test_what_is_fetched_ahead_consumes_nothing(world, headers):
    login = await world.authorize(await world.register())
    await world.browser().get(login.location, **headers)
    callback = await world.callback_url(login)
    await login.browser.get(callback, **headers)

    assert (await login.browser.get(callback)).status_code == 303


async def test_head_consumes_nothing(world):
    login = await world.authorize(await world.register())
    await world.http.head(login.location)
    callback = await world.callback_url(login)
    await world.http.head(callback)

    assert (await login.browser.get(callback)).status_code == 303


async def test_the_upstream_request_has_a_challenge_of_its_own_each_time(world):
    client = await world.register()
    queries = []
    for _ in range(3):
        login = await world.authorize(client)
        queries.append(query_of(await world.approve(login)))

    assert len({query["code_challenge"] for query in queries}) == 3
    assert {query["code_challenge_method"] for query in queries} == {"s256"}


async def test_the_client_cannot_steer_the_upstream_request(world):
    steering = {"redirect_to": "https://evil.example", "provider": "evil", "next": "https://evil.example"}
    login = await world.authorize(await world.register(), **steering)

    url = await world.approve(login)

    assert query_of(url)["redirect_to"].startswith(f"{ISSUER}/auth/callback?state=")
    assert query_of(url)["provider"] == "google"
    assert "evil" not in url


async def test_a_denial_upstream_is_told_to_the_client(world):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login, error="access_denied", error_description="<script>")

    location = (await login.browser.get(callback)).headers["location"]

    assert query_of(location)["error"] == "access_denied"
    assert query_of(location)["state"] == "client-state"
    assert query_of(location)["iss"] == ISSUER
    assert "<script>" not in query_of(location)["error_description"]


async def test_a_denied_login_cannot_be_finished_after_all(world):
    login = await world.authorize(await world.register())
    denial = await world.callback_url(login, error="access_denied")
    success = await world.callback_url(login)
    kept = dict(login.browser.cookies)
    await login.browser.get(denial)
    login.browser.cookies = kept

    assert is_page(await login.browser.get(success))


@pytest.mark.parametrize("extra", ["&error=access_denied", "&code=another", "&state=another"])
async def test_contradictory_callbacks_are_refused(world, extra):
    login = await world.authorize(await world.register())

    assert is_page(await login.browser.get(await world.callback_url(login) + extra))


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
async def test_a_fault_of_supabase_ends_in_an_error_for_the_client(world, fault):
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
async def test_a_token_of_supabase_that_is_wrong_ends_in_an_error(world, claims):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login)
    world.supabase.claims = claims

    location = (await login.browser.get(callback)).headers["location"]

    assert query_of(location)["error"] == "temporarily_unavailable"


async def test_a_slow_supabase_is_not_waited_for(token_class):
    async with open_world(upstream_timeout=0.05) as world:
        login = await world.authorize(await world.register())
        world.supabase.hold("pkce")

        location = (await login.browser.get(await world.callback_url(login))).headers["location"]

        assert query_of(location)["error"] == "temporarily_unavailable"


async def test_tokens_without_an_issuer_need_a_declaration():
    async with open_world(supabase_jwt_issuer="none") as world:
        world.supabase.claims = {"iss": None}

        assert (await (await world.tokens()).call()).status_code == 200
