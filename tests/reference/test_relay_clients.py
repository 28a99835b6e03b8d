"""Client authentication at the token endpoint, and the format of its requests."""

import base64
from urllib.parse import quote

import pytest


@pytest.fixture
def token_class():
    return "supabase"


def basic(client_id, secret):
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


async def ask(world, headers=None, **form):
    return await world.http.post("/token", data={"grant_type": "bogus", **form}, headers=headers or {})


def is_authentic(answer):
    return answer.json()["error"] == "unsupported_grant_type"


async def test_a_secret_in_the_body_authenticates(world):
    client = await world.register(token_endpoint_auth_method="client_secret_post")

    assert is_authentic(await ask(world, client_id=client["client_id"], client_secret=client["client_secret"]))


async def test_basic_authenticates_without_a_client_id_in_the_body(world):
    client = await world.register(token_endpoint_auth_method="client_secret_basic")

    assert is_authentic(await ask(world, basic(client["client_id"], client["client_secret"])))


async def test_the_parts_of_basic_are_form_decoded(world):
    client = await world.register(token_endpoint_auth_method="client_secret_basic")
    encoded = "".join(f"%{ord(character):02X}" for character in client["client_secret"])

    assert is_authentic(await ask(world, basic(quote(client["client_id"]), encoded)))


@pytest.mark.parametrize("method", ["client_secret_post", "client_secret_basic"])
async def test_a_confidential_client_without_its_secret_is_refused(world, method):
    client = await world.register(token_endpoint_auth_method=method)

    for form in ({}, {"client_secret": "wrong"}, {"client_secret": ""}):
        answer = await ask(world, client_id=client["client_id"], **form)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_method_that_is_not_the_registered_one_is_refused(world):
    post = await world.register(token_endpoint_auth_method="client_secret_post")
    public = await world.register()

    assert (await ask(world, basic(post["client_id"], post["client_secret"]))).status_code == 401
    assert (await ask(world, client_id=public["client_id"], client_secret="x")).status_code == 401


async def test_an_empty_secret_of_a_public_client_counts_as_none(world):
    client = await world.register()

    assert is_authentic(await ask(world, client_id=client["client_id"], client_secret=""))


@pytest.mark.parametrize("value", ["Basic", "Basic !", "Basic bm9jb2xvbg==", "Basic /w==", "Bearer x", ""])
async def test_malformed_basic_is_refused_with_a_challenge(world, value):
    answer = await ask(world, {"Authorization": value})

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_two_methods_at_once_are_refused(world):
    client = await world.register(token_endpoint_auth_method="client_secret_basic")
    header = basic(client["client_id"], client["client_secret"])

    for form in ({"client_secret": client["client_secret"]}, {"client_id": "another"}):
        assert (await ask(world, header, **form)).json()["error"] == "invalid_request"


@pytest.mark.parametrize("client_id", [None, "", "unknown", "x" * 22, "*"])
async def test_an_unknown_client_is_refused(world, client_id):
    answer = await ask(world, **({} if client_id is None else {"client_id": client_id}))

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_confidential_client_redeems_a_code_with_its_secret(world):
    client = await world.register(token_endpoint_auth_method="client_secret_post")
    grant = await world.code(client)

    assert (await grant.redeem()).json()["error"] == "invalid_client"
    assert (await grant.redeem(client_secret=client["client_secret"])).status_code == 200


async def test_grant_type_must_be_present_and_supported(world):
    client = await world.register()

    assert (await ask(world, client_id=client["client_id"], grant_type="")).json()["error"] == "invalid_request"
    for grant_type in ("password", "client_credentials", "implicit"):
        answer = await ask(world, client_id=client["client_id"], grant_type=grant_type)
        assert answer.json()["error"] == "unsupported_grant_type"


async def test_parameters_in_the_url_and_other_encodings_do_not_count(world):
    grant = await world.code()
    form = {"grant_type": "authorization_code", "client_id": grant.client["client_id"], "code": grant.code}
    form["code_verifier"] = grant.verifier

    assert (await world.http.get("/token", params=form)).status_code == 405
    assert (await world.http.post("/token", params=form)).status_code == 400
    assert (await world.http.post("/token", json=form)).status_code == 400
    assert (await grant.redeem()).status_code == 200


async def test_repeated_token_parameters_are_refused(world):
    grant = await world.code()
    form = {"grant_type": "authorization_code", "client_id": grant.client["client_id"], "code": grant.code}

    for verifiers in ([grant.verifier, "w" * 43], ["w" * 43, grant.verifier]):
        answer = await world.http.post("/token", data={**form, "code_verifier": verifiers})
        assert answer.json()["error"] == "invalid_request"


async def test_unknown_and_empty_parameters_are_ignored(world):
    grant = await world.code()

    assert (await grant.redeem(foo="bar", scope="", resource="", client_secret="")).status_code == 200


@pytest.mark.parametrize("value", ["x" * 10_000, "\x00", "{x}:*", "' OR 1=1 --", "%ff"])
async def test_odd_values_are_refused_cleanly(world, value):
    grant = await world.code()

    for field in ("code", "code_verifier", "redirect_uri"):
        assert (await grant.redeem(**{field: value})).status_code == 400


async def test_a_million_bytes_are_refused_in_json(world):
    answer = await (await world.code()).redeem(code="x" * 1_000_000)

    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")
