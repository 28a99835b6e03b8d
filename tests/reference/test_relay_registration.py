"""Dynamic client registration (RFC 7591)."""

import pytest
from relay_worlds import REDIRECT_URI, open_world


@pytest.fixture
def token_class():
    return "supabase"


async def test_a_public_client_gets_no_secret(world):
    answer = await world.http.post(
        "/register", json={"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none", "unknown": 1}
    )

    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert "client_secret" not in answer.json()
    assert answer.json()["redirect_uris"] == [REDIRECT_URI]


async def test_a_confidential_client_gets_a_secret_and_its_expiry(clock, world):
    client = await world.register(token_endpoint_auth_method="client_secret_post")

    assert len(client["client_secret"]) == 43
    assert client["client_secret_expires_at"] == client["client_id_issued_at"] + world.settings.client_ttl


async def test_the_answer_states_the_registered_values(world):
    client = await world.register(
        grant_types=["authorization_code", "client_credentials"],
        scope="mcp:read admin",
        response_types=["code", "token"],
    )

    assert client["grant_types"] == ["authorization_code", "refresh_token"]
    assert client["response_types"] == ["code"]
    assert client["scope"] == "mcp:read"


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [REDIRECT_URI, "http://evil.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": [""]}, "invalid_redirect_uri"),
        ({"redirect_uris": [None]}, "invalid_redirect_uri"),
        ({"redirect_uris": REDIRECT_URI}, "invalid_redirect_uri"),
        ({"redirect_uris": None}, "invalid_redirect_uri"),
        ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"client_name": 5}, "invalid_client_metadata"),
        ({"client_name": "evil\u202egnp.exe"}, "invalid_client_metadata"),
        ({"client_name": "x" * 256}, "invalid_client_metadata"),
        ({"client_uri": "javascript:alert(1)"}, "invalid_client_metadata"),
        ({"scope": ["mcp:read"]}, "invalid_client_metadata"),
    ],
)
async def test_invalid_metadata_is_refused_with_the_right_error(world, metadata, error):
    body = {"redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none", **metadata}

    answer = await world.http.post("/register", json=body)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize("body", ["{", "[]", "null", '"x"', "[" * 20_000, "\xff"])
async def test_a_body_that_is_not_a_json_object_is_refused(world, body):
    answer = await world.http.post(
        "/register", content=body.encode("latin-1"), headers={"Content-Type": "application/json"}
    )

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


async def test_a_form_is_refused(world):
    assert (await world.http.post("/register", data={"redirect_uris": REDIRECT_URI})).status_code == 400


async def test_a_body_that_is_too_large_is_refused_in_json(world):
    answer = await world.http.post("/register", json={"redirect_uris": [REDIRECT_URI], "x": "x" * 1_000_000})

    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")


async def test_a_registration_expires(clock):
    async with open_world(client_ttl=100) as world:
        client = await world.register(token_endpoint_auth_method="client_secret_post")
        form = {"grant_type": "x", "client_id": client["client_id"], "client_secret": client["client_secret"]}
        clock.tick(99)
        assert (await world.http.post("/token", data=form)).json()["error"] == "unsupported_grant_type"
        clock.tick(1)
        assert (await world.http.post("/token", data=form)).json()["error"] == "invalid_client"
