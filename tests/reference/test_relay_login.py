"""The login: the relay binds each pending login to one browser and accepts one callback for it."""

import asyncio

import pytest
from relay_worlds import REDIRECT_URI, is_page, query_of

STATE_COOKIE = "__Host-relay-login-"


@pytest.fixture
def token_class():
    return "supabase"


async def test_the_state_cookie_has_all_its_attributes(clock, world):
    login = await world.authorize(await world.register())

    cookie = (await world.http.get(login.location)).headers["set-cookie"]

    assert cookie.startswith(STATE_COOKIE)
    assert cookie.partition("; ")[2] == "Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax"


async def test_the_cookie_expires_with_the_login(clock, world):
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


async def test_a_browser_keeps_at_most_five_login_cookies(world):
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


async def test_a_callback_in_another_browser_is_refused_and_consumes_nothing(world):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login)

    assert is_page(await world.browser().get(callback))
    assert (await login.browser.get(callback)).status_code == 303


async def test_the_cookie_of_another_login_is_refused(world):
    client = await world.register()
    mine, other = await world.authorize(client), await world.authorize(client)
    callback = await world.callback_url(mine)
    await world.callback_url(other)

    assert is_page(await other.browser.get(callback))


async def test_two_cookies_of_the_same_name_are_refused(world):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login)
    ((name, value),) = login.browser.cookies.items()

    answer = await world.http.get(callback, headers={"Cookie": f"{name}={value}; {name}=planted"})

    assert is_page(answer)


def _with_another_letter(state: str) -> str:
    return state[:20] + ("y" if state[20] == "x" else "x") + state[21:]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda state: "", id="empty"),
        pytest.param(_with_another_letter, id="another letter"),
        pytest.param(lambda state: "*", id="a wildcard"),
    ],
)
async def test_a_changed_state_is_refused(world, change):
    login = await world.authorize(await world.register())
    callback = await world.callback_url(login)
    state = query_of(callback)["state"]

    assert is_page(await login.browser.get(callback.replace(state, change(state))))


async def test_a_login_accepts_one_callback(world):
    login = await world.authorize(await world.register())
    first, second = await world.callback_url(login), await world.callback_url(login)
    kept = dict(login.browser.cookies)
    await login.browser.get(first)
    login.browser.cookies = kept

    assert is_page(await login.browser.get(first))
    assert is_page(await login.browser.get(second))
    assert is_page(await login.browser.get(login.location))


async def test_one_of_several_concurrent_callbacks_gets_a_code(world):
    login = await world.authorize(await world.register())
    callbacks = [await world.callback_url(login) for _ in range(8)]

    answers = await asyncio.gather(*(login.browser.get(url) for url in callbacks))

    assert sum(answer.status_code == 303 for answer in answers) == 1


async def test_the_callback_needs_an_approval(world):
    login = await world.authorize(await world.register())
    state = login.location.rpartition("/")[2]
    await login.browser.get(login.location)

    assert is_page(await login.browser.get(f"/auth/callback?state={state}&code=upstream"))


async def test_visits_do_not_extend_the_lifetime_of_a_login(clock, world):
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
async def test_unknown_logins_are_refused_and_set_no_cookie(world, path):
    answer = await world.http.get(f"/auth/start/{path}")

    assert answer.status_code in {400, 404}
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}])
async def test_prefetching_consumes_nothing(world, headers):
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


async def test_a_denied_login_cannot_succeed_later(world):
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
