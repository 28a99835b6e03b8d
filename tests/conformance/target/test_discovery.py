"""The way from a URL to a server: every place of metadata, resources, and the report of each place that was tried."""

import pytest
from core_worlds import Places, connected_to
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from oauth_litmus.http.sites import scheme_of
from oauth_litmus.run.runner import Options, connected
from oauth_litmus.target.discovery import NoServerError
from oauth_litmus.target.profile import Profile

AS = "http://127.0.0.1:8000"
RS = "http://localhost:9000"
METADATA = {"issuer": AS, "authorization_endpoint": f"{AS}/authorize", "token_endpoint": f"{AS}/token"}
OAUTH = ".well-known/oauth-authorization-server"
OPENID = ".well-known/openid-configuration"
PROTECTED = ".well-known/oauth-protected-resource"


def challenge(value):
    return Response(status_code=401, headers={"www-authenticate": value})


def document(*, resource=f"{RS}/mcp", servers=(AS,)):
    return {"resource": resource, "authorization_servers": list(servers)}


async def discovered(url, *, home=None, resource=None, profile=None):
    places = {AS: home, RS: resource}
    applications = {origin: place.application() for origin, place in places.items() if place is not None}
    async with connected_to(applications, url=url, profile=profile) as run:
        return run.server.discovered


async def complaint(url, **world):
    with pytest.raises(NoServerError) as refused:
        await discovered(url, **world)
    return str(refused.value)


# Authorization servers


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        (AS, OAUTH),
        (f"{AS}/", OAUTH),
        (AS, OPENID),
        (f"{AS}/t1", f"{OAUTH}/t1"),
        (f"{AS}/t1/", f"{OAUTH}/t1"),
        (f"{AS}/t1", f"{OPENID}/t1"),
        (f"{AS}/t1", f"t1/{OPENID}"),
        (f"{AS}/t1", f"t1/{OAUTH}"),
    ],
)
async def test_metadata_is_found_wherever_clients_look(typed, place):
    found = await discovered(typed, home=Places({place: METADATA}))

    assert (found.issuer, found.metadata_url) == (typed.rstrip("/"), f"{AS}/{place}")
    assert found.metadata == METADATA


async def test_oauth_metadata_comes_before_openid():
    home = Places({OAUTH: METADATA, OPENID: {**METADATA, "issuer": "another"}})

    assert (await discovered(AS, home=home)).metadata["issuer"] == AS


@pytest.mark.parametrize(
    "shape",
    [
        Response(status_code=404),
        Response(status_code=500),
        PlainTextResponse("<html>welcome"),
        PlainTextResponse("[1, 2]", media_type="application/json"),
        PlainTextResponse('{"hello": "world"}', media_type="application/json"),
        RedirectResponse("/elsewhere"),
    ],
)
async def test_what_is_no_metadata_is_passed_over(shape):
    found = await discovered(AS, home=Places({OAUTH: shape, OPENID: METADATA}))

    assert found.metadata_url == f"{AS}/{OPENID}"


async def test_the_profile_may_name_the_issuer():
    home = Places({f"{OAUTH}/t1": METADATA})
    found = await discovered(f"{AS}/app", home=home, profile=Profile(issuer=f"{AS}/t1"))

    assert (found.issuer, found.given) == (f"{AS}/t1", f"{AS}/app")


# Resources


async def test_a_resource_of_the_server_is_found_beside_it():
    found = await discovered(AS, home=Places({OAUTH: METADATA, PROTECTED: document(resource=f"{AS}/mcp")}))

    assert (found.resource, found.resource_metadata_url) == (f"{AS}/mcp", f"{AS}/{PROTECTED}")


async def test_a_server_need_not_have_a_resource():
    found = await discovered(AS, home=Places({OAUTH: METADATA}))

    assert (found.resource, found.resource_metadata) == (None, None)


@pytest.mark.parametrize("named", [5, "mcp", "http://[broken", "urn:example:api"])
async def test_what_names_no_place_is_no_resource(named):
    found = await discovered(AS, home=Places({OAUTH: METADATA, PROTECTED: document(resource=named)}))

    assert found.resource is None


async def test_the_resource_of_the_profile_is_the_one():
    home = Places({OAUTH: METADATA, PROTECTED: document(resource=f"{AS}/other")})
    found = await discovered(AS, home=home, profile=Profile(resource=f"{AS}/mcp"))

    assert found.resource == f"{AS}/mcp"


@pytest.mark.parametrize(
    "www_authenticate",
    [
        f'Bearer resource_metadata="{RS}/meta"',
        f"Bearer resource_metadata={RS}/meta",
        f'Bearer error="invalid_token", Resource_Metadata = "{RS}/meta", scope="a"',
    ],
)
async def test_a_resource_names_its_server_in_its_challenge(www_authenticate):
    resource = Places({"mcp": challenge(www_authenticate), "meta": document()})
    found = await discovered(f"{RS}/mcp", home=Places({OAUTH: METADATA}), resource=resource)

    assert (found.issuer, found.resource, found.given) == (AS, f"{RS}/mcp", f"{RS}/mcp")
    assert found.resource_metadata_url == f"{RS}/meta"


@pytest.mark.parametrize("place", [f"{PROTECTED}/mcp", PROTECTED])
@pytest.mark.parametrize("www_authenticate", ["Bearer", 'Bearer resource_metadata=""', "Basic realm=x"])
async def test_without_a_challenge_that_names_it_the_metadata_is_looked_for(place, www_authenticate):
    resource = Places({"mcp": challenge(www_authenticate), place: document()})
    found = await discovered(f"{RS}/mcp", home=Places({OAUTH: METADATA}), resource=resource)

    assert (found.issuer, found.resource_metadata_url) == (AS, f"{RS}/{place}")


async def test_a_resource_may_name_servers_that_cannot_be_used_first():
    servers = [7, "http://[broken", "ftp://x.example", "http://localhost:1", AS]
    resource = Places({"mcp": challenge("Bearer"), PROTECTED: document(servers=servers)})
    found = await discovered(f"{RS}/mcp", home=Places({OAUTH: METADATA}), resource=resource)

    assert found.issuer == AS


# No server there


async def test_what_was_tried_is_said():
    told = await complaint(f"{AS}/app", home=Places(app=PlainTextResponse("hello")))

    assert "neither an authorization server nor a protected resource that names one" in told
    assert f"GET {AS}/{OAUTH}/app: 404" in told
    assert f"GET {AS}/app/{OPENID}: 404" in told
    assert f"GET {AS}/app: 200 text/plain" in told
    assert f"GET {AS}/{PROTECTED}: 404" in told


async def test_a_redirect_is_said_with_its_target():
    told = await complaint(AS, home=Places({OAUTH: RedirectResponse("https://as.example.com/x")}))

    assert "307 to https://as.example.com/x (redirects are not followed)" in told


async def test_a_resource_whose_server_is_away_is_said():
    resource = Places({"mcp": challenge("Bearer"), PROTECTED: document()})
    told = await complaint(f"{RS}/mcp", resource=resource)

    assert "no answer to GET 127.0.0.1/.well-known/oauth-authorization-server" in told


async def test_an_address_without_a_server_is_reported_once():
    told = await complaint(AS)

    assert told == f"{AS} cannot be reached: nothing listens at 127.0.0.1:8000"


@pytest.mark.sockets
async def test_a_port_that_refuses_is_said():
    with pytest.raises(NoServerError, match=r"http://127\.0\.0\.1:1 cannot be reached: Connection refused"):
        async with connected(Options("http://127.0.0.1:1")):
            pass


async def test_every_place_that_was_looked_at_is_remembered():
    found = await discovered(f"{AS}/t1", home=Places({f"t1/{OPENID}": METADATA}))

    assert [scheme_of(line.partition(" ")[2]) for line in found.tried] == ["http"] * len(found.tried)
    assert len(found.tried) >= 3


MCP = f"{PROTECTED}/mcp"


async def test_the_origin_of_an_mcp_server_is_enough_to_find_its_endpoint():
    found = await discovered(RS, home=Places({OAUTH: METADATA}), resource=Places({MCP: document()}))

    assert (found.issuer, found.given, found.resource) == (AS, RS, f"{RS}/mcp")


async def test_the_resource_beside_an_authorization_server_is_found_at_mcp():
    own = document(resource=f"{AS}/mcp")
    found = await discovered(AS, home=Places({OAUTH: METADATA, MCP: own}))

    assert found.resource == f"{AS}/mcp"
    assert found.resource_metadata == own


async def test_a_guess_that_names_another_resource_is_no_find():
    found = await discovered(
        AS, home=Places({OAUTH: METADATA, MCP: document(resource="https://elsewhere.example/mcp")})
    )

    assert found.resource is None


async def test_nothing_is_guessed_where_the_resource_is_declared():
    home = Places({OAUTH: METADATA, MCP: document(resource=f"{AS}/mcp")})
    found = await discovered(AS, home=home, profile=Profile(resource=f"{AS}/api"))

    assert found.resource == f"{AS}/api"
    assert found.resource_metadata is None


# A server that takes any path for an issuer


def mirroring(*, names):
    """Its resource at `/notes` names this server; its metadata says of every path that it is an issuer."""

    def mirrored(request):
        path = request.url.path.partition(OAUTH)[2]
        return JSONResponse({**METADATA, "issuer": f"{AS}{path}"})

    paths = ("notes", "o")
    return Places(
        {
            **{f"{OAUTH}/{path}": mirrored for path in paths},
            f"{PROTECTED}/notes": document(resource=f"{AS}/notes", servers=names),
        }
    )


async def test_a_resource_is_not_taken_for_the_issuer_that_it_does_not_name():
    found = await discovered(f"{AS}/notes", home=mirroring(names=[f"{AS}/o"]))

    assert (found.issuer, found.metadata["issuer"], found.resource) == (f"{AS}/o", f"{AS}/o", f"{AS}/notes")


async def test_a_resource_that_names_itself_or_no_reachable_server_is_the_issuer():
    for names in ([f"{AS}/notes"], [f"{AS}/nowhere"], []):
        found = await discovered(f"{AS}/notes", home=mirroring(names=names))

        assert found.issuer == f"{AS}/notes"
