"""The authorization request: a wrong client or redirect URI gets a page, every other error is sent to the client."""

from urllib.parse import urlencode

import pytest
from relay_worlds import ISSUER, REDIRECT_URI, challenge_of, is_page, query_of

CHALLENGE = challenge_of("v" * 43)


@pytest.fixture
def token_class():
    return "supabase"


async def ask(world, client, *extra, **changes):
    query = {
        "client_id": client["client_id"],
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "s",
        **changes,
    }
    pairs = [(name, value) for name, value in query.items() if value is not None]
    return await world.http.get("/authorize?" + urlencode([*pairs, *extra]))


async def test_a_valid_request_continues_to_the_login(world):
    answer = await ask(world, await world.register())

    assert answer.headers["location"].startswith(f"{ISSUER}/auth/start/")


@pytest.mark.parametrize("client_id", [None, "", "unknown", "*", "x" * 22, "\x00", "x" * 5000])
async def test_an_unknown_client_gets_a_page(world, client_id):
    client = {"client_id": client_id}

    assert is_page(await ask(world, client, redirect_uri="https://evil.example/", response_type="bogus"))


OTHER_ERRORS = [
    {"response_type": "token"},
    {"response_type": None},
    {"scope": "unknown"},
    {"code_challenge": None},
    {"request": "xx"},
    {"response_mode": "fragment"},
    {"state": "x" * 5000},
    {"resource": "nowhere"},
]


@pytest.mark.parametrize("error", OTHER_ERRORS)
async def test_no_error_is_sent_to_an_unregistered_uri(world, error):
    answer = await ask(world, await world.register(), redirect_uri="https://evil.example/", **error)

    assert is_page(answer)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"code_challenge": "x" * 129}, "invalid_request"),
        ({"code_challenge": CHALLENGE + "="}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "S512"}, "invalid_request"),
        ({"scope": "mcp:read unknown"}, "invalid_scope"),
        ({"scope": 'a"b'}, "invalid_scope"),
        ({"resource": "https://other.example/"}, "invalid_target"),
        ({"resource": f"{ISSUER}/mcp#x"}, "invalid_target"),
        ({"resource": "foo"}, "invalid_target"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"state": "x" * 5000}, "invalid_request"),
    ],
)
async def test_an_error_is_sent_to_the_client(world, change, error):
    answer = await ask(world, await world.register(), **change)

    assert answer.status_code == 303
    assert answer.headers["location"].startswith(REDIRECT_URI + "?")
    told = query_of(answer.headers["location"])
    assert (told["error"], told["iss"]) == (error, ISSUER)
    assert told["state"] == change.get("state", "s")


@pytest.mark.parametrize("name", ["state", "scope", "code_challenge", "response_type", "nonce"])
async def test_repeated_parameters_are_refused(world, name):
    extra = [(name, "mcp:read"), (name, "mcp:write")]
    told = query_of((await ask(world, await world.register(), *extra, state=None)).headers["location"])

    assert told["error"] == "invalid_request"
    assert "state" not in told


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
async def test_a_repeated_client_or_redirect_uri_gets_a_page(world, name):
    client = await world.register()

    assert is_page(await ask(world, client, (name, "https://evil.example/")))


async def test_the_redirect_uri_of_another_client_is_refused(world):
    await world.register(redirect_uris=["https://other.example/cb"])

    assert is_page(await ask(world, await world.register(), redirect_uri="https://other.example/cb"))


async def test_one_of_several_redirect_uris_must_be_named(world):
    client = await world.register(redirect_uris=[REDIRECT_URI, REDIRECT_URI + "2"])

    assert is_page(await ask(world, client, redirect_uri=None))
    assert (await ask(world, client, redirect_uri=REDIRECT_URI + "2")).status_code == 303


@pytest.mark.parametrize("resource", [f"{ISSUER}/mcp", f"{ISSUER}/mcp/", "HTTP://127.0.0.1:8080/mcp"])
async def test_the_served_resource_is_accepted(world, resource):
    location = (await ask(world, await world.register(), resource=resource)).headers["location"]

    assert location.startswith(f"{ISSUER}/auth/start/")


@pytest.mark.parametrize("state", ["a b+c%25&d=e/?#", "x" * 1500, "é", "a\r\nSet-Cookie: x=1", "\x00"])
async def test_state_is_returned_unchanged(world, state):
    client = await world.register()

    told = query_of((await ask(world, client, state=state, response_type="bogus")).headers["location"])

    assert told["state"] == state


@pytest.mark.parametrize("state", [None, ""])
async def test_no_state_is_invented(world, state):
    client = await world.register()
    login = await world.authorize(client, state=state)

    location = (await login.browser.get(await world.callback_url(login))).headers["location"]

    assert set(query_of(location)) == {"code", "iss"}


async def test_a_registered_query_is_kept(world):
    uri = REDIRECT_URI + "?tenant=a%20b&flag"
    login = await world.authorize(await world.register(redirect_uris=[uri]), redirect_uri=uri)

    location = (await login.browser.get(await world.callback_url(login))).headers["location"]

    assert location.startswith(uri + "&code=")


async def test_scope_beyond_the_registration_is_refused(world):
    client = await world.register(scope="mcp:read")

    told = query_of((await ask(world, client, scope="mcp:read mcp:write")).headers["location"])

    assert told["error"] == "invalid_scope"


async def test_a_malformed_query_gets_a_page(world):
    assert is_page(await world.http.get("/authorize?client_id=%ff"))
    assert is_page(await world.http.get("/authorize?" + "a=b&" * 200))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_other_methods_are_refused(world, method):
    assert (await world.http.request(method, "/authorize")).status_code == 405


async def test_host_and_forwarding_headers_change_no_url(world):
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    client = await world.register()
    url = f"/authorize?client_id={client['client_id']}&response_type=bogus"

    told = query_of((await world.http.get(url, headers=headers)).headers["location"])

    assert told["iss"] == ISSUER
