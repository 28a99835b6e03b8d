"""Discovery, CORS, headers, and the routes for operators."""

import pytest
from relay_worlds import ISSUER, open_world

METADATA = "/.well-known/oauth-authorization-server"
RESOURCE_METADATA = "/.well-known/oauth-protected-resource"


async def test_the_metadata_names_the_issuer(world):
    assert (await world.http.get(METADATA)).json()["issuer"] == ISSUER


async def test_the_resource_names_the_issuer(world):
    for path in (RESOURCE_METADATA, f"{RESOURCE_METADATA}/mcp"):
        document = (await world.http.get(path)).json()
        assert document["resource"] == f"{ISSUER}/mcp"
        assert document["authorization_servers"] == [ISSUER]


async def test_keys_are_published_only_if_the_relay_signs(world, token_class):
    document = (await world.http.get(METADATA)).json()

    assert ("jwks_uri" in document) == (token_class == "relay")
    assert (await world.http.get("/jwks.json")).status_code == (200 if token_class == "relay" else 404)


async def test_every_advertised_endpoint_answers(world):
    document = (await world.http.get(METADATA)).json()

    for name, method in (("authorization", "GET"), ("token", "POST"), ("registration", "POST"), ("revocation", "POST")):
        answer = await world.http.request(method, document[f"{name}_endpoint"])
        assert answer.status_code in {400, 401}


async def test_an_issuer_with_a_path_has_its_endpoints_below_it(token_class):
    issuer = "https://auth.example.com/tenant"
    async with open_world(access_tokens=token_class, issuer=issuer + "/") as world:
        world.http.base_url = issuer
        document = (await world.http.get(f"https://auth.example.com{METADATA}/tenant")).json()
        assert document["issuer"] == issuer
        assert document["token_endpoint"] == f"{issuer}/token"
        resource = (await world.http.get(f"https://auth.example.com{RESOURCE_METADATA}/tenant/mcp")).json()
        assert resource["resource"] == f"{issuer}/mcp"
        assert (await world.http.get(f"https://auth.example.com{METADATA}")).status_code == 404

        tokens = await world.tokens()
        assert (await tokens.call()).status_code == 200
        challenge = (await world.call("x")).headers["www-authenticate"]
        assert f"https://auth.example.com{RESOURCE_METADATA}/tenant/mcp" in challenge


async def test_the_metadata_names_a_resource_on_another_host():
    async with open_world(resource="https://api.example.com/v1") as world:
        document = (await world.http.get(f"{RESOURCE_METADATA}/mcp")).json()

        assert document["resource"] == "https://api.example.com/v1"
        assert (await (await world.tokens()).call()).status_code == 200


SCRIPTED = [
    ("GET", METADATA),
    ("GET", f"{RESOURCE_METADATA}/mcp"),
    ("POST", "/register"),
    ("POST", "/token"),
    ("POST", "/revoke"),
    ("GET", "/mcp"),
]
NAVIGATED = ["/authorize", "/auth/start/x", "/auth/callback", "/auth/consent"]


@pytest.mark.parametrize(("method", "path"), SCRIPTED)
async def test_scripts_can_read_answers_of_endpoints_that_they_call(world, method, path):
    answer = await world.http.request(method, path, headers={"Origin": "https://app.example"})

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(("method", "path"), SCRIPTED)
async def test_preflight_requests_of_scripts_succeed(world, method, path):
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type, mcp-protocol-version",
    }

    answer = await world.http.options(path, headers=headers)

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("path", NAVIGATED)
@pytest.mark.parametrize("method", ["GET", "OPTIONS", "POST"])
async def test_pages_have_no_cors(world, path, method):
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}

    answer = await world.http.request(method, path, headers=headers)

    assert "access-control-allow-origin" not in answer.headers


async def test_cors_origins_can_be_restricted():
    async with open_world(cors_origins="https://app.example") as world:
        good = await world.http.get(METADATA, headers={"Origin": "https://app.example"})
        bad = await world.http.get(METADATA, headers={"Origin": "https://evil.example"})

        assert good.headers["access-control-allow-origin"] == "https://app.example"
        assert "access-control-allow-origin" not in bad.headers


@pytest.mark.parametrize("path", [METADATA, "/mcp", "/authorize", "/nowhere", "/token"])
async def test_every_answer_has_nosniff(world, path):
    answer = await world.http.get(path)

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "strict-transport-security" not in answer.headers


async def test_an_https_issuer_sends_hsts():
    async with open_world(issuer="https://auth.example.com") as world:
        assert "strict-transport-security" in (await world.http.get(METADATA)).headers


@pytest.mark.parametrize("path", ["/authorize?client_id=x", "/auth/start/x", "/auth/callback"])
async def test_error_pages_cannot_be_framed_and_repeat_no_input(world, path):
    mark = "<script>mark</script>"

    answer = await world.http.get(path, params={"client_id": mark, "state": mark, "error": mark})

    assert answer.headers["content-type"].startswith("text/html")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "mark" not in answer.text


async def test_no_redirect_is_built_from_the_host_header(world):
    answer = await world.http.get(METADATA + "/", headers={"Host": "evil.example"})

    assert answer.status_code == 404


async def test_operators_see_that_the_relay_is_healthy_and_ready(world):
    assert (await world.http.get("/health")).json() == {"status": "ok"}
    assert (await world.http.get("/ready")).json() == {"status": "ok", "store": "ok"}


async def test_the_openapi_document_has_exactly_the_served_routes(world):
    document = (await world.http.get("/openapi.json")).json()

    documented = {(path, method.upper()) for path, operations in document["paths"].items() for method in operations}
    served = {(route.path, method) for route in world.app.routes for method in route.methods if method != "HEAD"}
    assert documented == served
    assert document["servers"] == [{"url": ISSUER}]


async def test_the_openapi_document_has_the_paths_of_the_issuer():
    async with open_world(issuer="https://auth.example.com/tenant") as world:
        document = (await world.http.get("https://auth.example.com/tenant/openapi.json")).json()

        assert f"{METADATA}/tenant" in document["paths"]
        assert f"{RESOURCE_METADATA}/tenant/mcp" in document["paths"]
        assert "/tenant/mcp" in document["paths"]
        assert document["servers"] == [{"url": "https://auth.example.com"}]
