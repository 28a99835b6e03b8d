"""The OAuth client of the `mcp` SDK logs in at the reference relay, over sockets, and uses its tokens."""

import time
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from browsing import browse
from loopback import listen, served
from mcp.client.auth import OAuthClientProvider, OAuthFlowError
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from litmus_fixtures.supabase_sim.server import run_in_thread
from supabase_relay.app import create_app
from supabase_relay.settings import Settings

pytestmark = pytest.mark.sockets

REDIRECT_URI = "http://127.0.0.1:33418/callback"


class Memory:
    """The storage that an MCP client keeps between two starts."""

    def __init__(self):
        self.tokens: list[OAuthToken] = []
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self):
        return self.tokens[-1] if self.tokens else None

    async def set_tokens(self, tokens):
        self.tokens.append(tokens)

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


class Application:
    """An MCP client application: the SDK's provider, its storage, and a browser in which a user logs in."""

    def __init__(self, resource: str):
        self.memory = Memory()
        self.logins: list[dict[str, str]] = []
        metadata = OAuthClientMetadata.model_validate(
            {"client_name": "Notes", "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "none"}
        )
        self.provider = OAuthClientProvider(resource, metadata, self.memory, self._open_browser, self._await_callback)
        self.http = httpx2.AsyncClient(auth=self.provider, trust_env=False)

    async def register(self, scope: str):
        """Register for this scope; by itself, the SDK registers only for the scope of the first challenge."""
        metadata = {**self.provider.context.client_metadata.model_dump(mode="json", exclude_none=True), "scope": scope}
        async with httpx2.AsyncClient(trust_env=False) as http:
            answer = await http.post(self.provider.context.server_url.replace("/mcp", "/register"), json=metadata)
        self.memory.client = OAuthClientInformationFull.model_validate(answer.json())

    def expire_access_token(self):
        self.provider.context.token_expiry_time = time.time() - 1

    async def _open_browser(self, url: str):
        landed = urlsplit(await browse(url, REDIRECT_URI))
        self.logins.append({name: values[0] for name, values in parse_qs(landed.query).items()})

    async def _await_callback(self):
        answer = self.logins[-1]
        return AuthorizationCodeResult(code=answer.get("code", ""), state=answer.get("state"), iss=answer.get("iss"))


@pytest.fixture(scope="module", params=["supabase", "relay"])
def resource(request):
    """The URL of the protected resource of a relay on loopback that uses a simulated Supabase."""
    listener = listen()
    issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with run_in_thread(f"{issuer}/auth/callback") as simulator:
        settings = Settings(issuer=issuer, supabase_url=simulator, access_tokens=request.param)
        with served(create_app(settings), listener):
            yield settings.resource


@pytest.fixture
async def application(resource):
    opened = Application(resource)
    async with opened.http:
        yield opened


async def test_the_sdk_discovers_the_relay_logs_in_and_calls_the_resource(application, resource):
    answer = await application.http.get(resource)

    assert (answer.status_code, answer.json()["client_id"]) == (200, application.memory.client.client_id)
    assert answer.json()["scopes"] == ["mcp:read"]
    assert len(application.logins) == 1


async def test_the_answer_has_the_issuer_and_the_sdk_accepts_it(application, resource):
    await application.http.get(resource)

    assert application.logins[0]["iss"] == resource.removesuffix("/mcp")


async def test_the_sdk_refreshes_without_a_login(application, resource):
    await application.http.get(resource)
    application.expire_access_token()

    answer = await application.http.get(resource)

    before, after = application.memory.tokens
    assert answer.status_code == 200
    assert after.refresh_token not in (None, before.refresh_token)
    assert len(application.logins) == 1


async def test_a_restarted_application_continues_with_its_refresh_token(application, resource):
    await application.http.get(resource)
    restarted = Application(resource)
    restarted.memory = application.memory
    restarted.provider.context.storage = application.memory
    async with restarted.http:
        answer = await restarted.http.get(resource)

    assert (answer.status_code, restarted.logins) == (200, [])


async def test_a_step_up_works_for_a_client_that_registered_for_every_scope(application, resource):
    await application.register("mcp:read mcp:write")
    await application.http.get(resource)

    answer = await application.http.put(resource)

    assert (answer.status_code, sorted(answer.json()["scopes"])) == (200, ["mcp:read", "mcp:write"])
    assert len(application.logins) == 2


async def test_a_step_up_is_refused_for_a_client_that_registered_for_less_scope(application, resource):
    """The SDK registers for the scope of the first challenge, and the relay grants no more (RFC 7591 section 2)."""
    await application.http.get(resource)

    with pytest.raises(OAuthFlowError):
        await application.http.put(resource)

    assert application.memory.client.scope == "mcp:read"
    assert application.logins[-1]["error"] == "invalid_scope"
