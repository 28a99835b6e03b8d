"""If metadata names another host, the suite sends it no secret unless the operator trusts that host."""

import httpx
import pytest
from judged import stepped_clock

from litmus_fixtures.in_process import Applications
from litmus_fixtures.straw_server.app import create_app
from litmus_fixtures.straw_server.choices import VARIANTS
from litmus_fixtures.straw_world import straw_profile
from oauth_litmus.http.trusted_hosts import TrustedHosts
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.target.discovery import NoServerError
from oauth_litmus.target.profile import ConfiguredClient, Profile
from oauth_litmus.verdict import Verdict

HOME = "https://auth.good.com"
STRANGER = "https://collector.evil.com"
ENDPOINTS = ("authorization", "token", "registration", "revocation")


class World(httpx.AsyncBaseTransport):
    """A straw server at `HOME` with changed metadata. The stranger host answers like the same server."""

    def __init__(self, **metadata):
        self._metadata = metadata
        self._app = Applications({HOME: create_app(VARIANTS["managed"], HOME)})
        self.told: list[httpx.Request] = []

    async def handle_async_request(self, request):
        body = await request.aread()
        url = str(request.url)
        if not url.startswith(HOME):
            self.told.append(request)
            url = HOME + request.url.raw_path.decode()
        headers = httpx.Headers(request.headers.raw)  # some contain bytes beyond ASCII
        headers["host"] = "auth.good.com"
        inner = httpx.Request(request.method, url, headers=headers, content=body)
        response = await self._app.handle_async_request(inner)
        if response.status_code == 200 and "/.well-known/oauth-authorization-server" in url:
            await response.aread()
            return httpx.Response(200, json={**response.json(), **self._metadata})
        return response

    @property
    def secrets_told(self):
        """The requests to the stranger host that contain a secret."""
        telling = ("code", "code_verifier", "client_secret", "token", "password")
        return [
            request
            for request in self.told
            if request.method not in ("GET", "HEAD")
            or "authorization" in request.headers
            or "x-edge" in request.headers
            or any(name in request.url.params for name in telling)
        ]


async def run_in(world, *only, profile=None, url=HOME):
    with stepped_clock() as clock:
        options = Options(
            url, profile or straw_profile("managed"), selection=Selection(only), source_addresses="single"
        )
        async with connected(options, transports=lambda _: world, clock=clock) as run:
            engine = await judge(run, options.selection)
            assert [f"{n}: {r.decision.reason}" for n, r in engine.results.items() if r.verdict is Verdict.ERROR] == []
            return engine


@pytest.mark.parametrize("name", ENDPOINTS)
async def test_nothing_secret_goes_to_an_endpoint_at_another_site(name):
    path = {"authorization": "authorize", "registration": "register", "revocation": "revoke"}.get(name, name)
    world = World(**{f"{name}_endpoint": f"{STRANGER}/oauth2/v1/{path}"})

    engine = await run_in(world)

    assert world.secrets_told == []
    reasons = {result.decision.reason for result in engine.results.values() if result.verdict is Verdict.BLOCKED}
    assert any("collector.evil.com" in reason and "trusted_hosts" in reason for reason in reasons)
    assert engine.results["META-04"].verdict is Verdict.PASS


async def test_an_endpoint_at_another_site_is_used_when_the_operator_trusts_it():
    world = World(token_endpoint=f"{STRANGER}/oauth2/v1/token")
    profile = straw_profile("managed").model_copy(update={"trusted_hosts": ("collector.evil.com",)})

    engine = await run_in(world, "REPLAY-01", profile=profile)

    assert engine.results["REPLAY-01"].verdict is Verdict.PASS


async def test_an_endpoint_at_another_host_of_the_same_site_is_used():
    world = World(token_endpoint="https://api.good.com/oauth2/v1/token")

    assert (await run_in(world, "REPLAY-01")).results["REPLAY-01"].verdict is Verdict.PASS


async def test_an_endpoint_over_plain_http_gets_no_secret():
    world = World(token_endpoint="http://auth.good.com/oauth2/v1/token")

    engine = await run_in(world, "REPLAY-01")

    assert world.secrets_told == []
    assert "which is not https" in engine.results["REPLAY-01"].decision.reason


async def test_keys_may_be_fetched_from_any_host_without_secret_headers(monkeypatch):
    monkeypatch.setenv("EDGE", "hunter2hunter2")
    straw = straw_profile("managed")
    http = straw.http.model_copy(update={"secret_headers": {"x-edge": "EDGE"}})
    world = World(jwks_uri=f"{STRANGER}/keys")

    await run_in(world, "metadata", profile=straw.model_copy(update={"http": http}))

    assert [request for request in world.told if request.url.path == "/keys"]
    assert world.secrets_told == []


async def test_client_secrets_are_not_sent_to_an_authorization_server_that_the_profile_does_not_name(monkeypatch):
    class Resource(World):
        async def handle_async_request(self, request):
            if request.url.path.startswith("/.well-known/oauth-protected-resource"):
                return httpx.Response(
                    200, json={"resource": "https://mcp.good.com", "authorization_servers": [STRANGER]}
                )
            if request.url.host == "mcp.good.com":
                return httpx.Response(401)
            return await super().handle_async_request(request)

    monkeypatch.setenv("SECRET", "s3cr3t-s3cr3t")
    client = ConfiguredClient(
        client_id="c", auth_method="client_secret_basic", secret_env="SECRET", redirect_uris=("https://c.example/cb",)
    )

    with pytest.raises(NoServerError, match=f'issuer = "{STRANGER}"'):
        await run_in(Resource(), url="https://mcp.good.com", profile=Profile(clients=(client,)))


@pytest.mark.parametrize(
    ("own", "url", "covered"),
    [
        ("https://auth.good.com", "https://auth.good.com/token", True),
        ("https://auth.good.com", "https://api.good.com/token", True),
        ("https://auth.good.com", "https://auth.good.com:8443/token", True),
        ("https://auth.good.com", "https://good.com.evil.com/token", False),
        ("https://auth.good.com", "https://auth.good.com@evil.com/token", False),
        ("https://auth.good.com", "http://auth.good.com/token", False),
        ("https://a.github.io", "https://b.github.io/token", False),
        ("https://auth.good.com", "javascript:alert(1)", False),
        ("https://auth.good.com", "/token", False),
        ("https://auth.good.com", "https://[", False),
        ("http://auth.good.com", "https://auth.good.com/token", True),
        ("http://127.0.0.1:8000", "http://localhost:9000/token", True),
        ("https://auth.good.com", "http://127.0.0.1/token", False),
        ("https://10.0.0.1", "https://10.0.0.2/token", False),
    ],
)
def test_which_urls_belong_to_the_servers_site(own, url, covered):
    assert TrustedHosts(own).cover(url) is covered
