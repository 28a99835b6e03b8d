"""A relay with a fake Supabase, in this process, and the requests of a correct client and of a browser."""

import base64
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from fake_supabase import URL, FakeSupabase
from starlette.applications import Starlette

from supabase_relay.app import create_app
from supabase_relay.settings import Settings

ISSUER = "http://127.0.0.1:8080"
REDIRECT_URI = "https://client.example.com/cb"


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def query_of(location: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(urlsplit(location).query, keep_blank_values=True).items()}


def is_page(answer: httpx.Response) -> bool:
    """Whether the answer is an error page that the user sees, not a redirect to the client."""
    return answer.status_code == 400 and "location" not in answer.headers


class Browser:
    """A browser for one host: it keeps cookies by name and does not follow redirects."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http
        self.cookies: dict[str, str] = {}

    async def get(self, url: str, **headers: str) -> httpx.Response:
        return self._keep(await self.http.get(url, headers={**self._cookie(), **headers}))

    async def post(self, url: str, data: dict[str, str]) -> httpx.Response:
        return self._keep(await self.http.post(url, data=data, headers=self._cookie()))

    def _cookie(self) -> dict[str, str]:
        pairs = [f"{name}={value}" for name, value in self.cookies.items()]
        return {"Cookie": "; ".join(pairs)} if pairs else {}

    def _keep(self, response: httpx.Response) -> httpx.Response:
        for line in response.headers.get_list("set-cookie"):
            name, _, rest = line.partition("=")
            value, _, attributes = rest.partition(";")
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return response


class ConsentForm(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        members = dict(attrs)
        if tag == "form":
            self.action = members["action"] or ""
        if tag == "input":
            self.fields[members["name"] or ""] = members["value"] or ""


@dataclass
class Login:
    """A started login: the client's data, and the browser in which the login happens."""

    client: dict
    verifier: str
    browser: Browser
    location: str
    redirect_uri: str | None = REDIRECT_URI


@dataclass
class World:
    app: Starlette
    supabase: FakeSupabase
    settings: Settings
    client: httpx.AsyncClient | None = None

    @property
    def http(self) -> httpx.AsyncClient:
        assert self.client is not None
        return self.client

    def browser(self) -> Browser:
        return Browser(self.http)

    async def register(self, **metadata: object) -> dict:
        body = {
            "client_name": "Example",
            "redirect_uris": [REDIRECT_URI],
            "token_endpoint_auth_method": "none",
            **metadata,
        }
        answer = await self.http.post("/register", json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def authorize(self, client: dict, browser: Browser | None = None, **parameters: str | None) -> Login:
        """Send an authorization request; a parameter of None is omitted."""
        verifier = secrets.token_urlsafe(32)
        query = {
            "client_id": client["client_id"],
            "redirect_uri": REDIRECT_URI,
            "response_type": "code",
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            "state": "client-state",
            **parameters,
        }
        browser = browser or self.browser()
        url = "/authorize?" + urlencode({name: value for name, value in query.items() if value is not None})
        answer = await browser.get(url)
        assert answer.status_code == 303, answer.text
        return Login(client, verifier, browser, answer.headers["location"], query["redirect_uri"])

    async def approve(self, login: Login) -> str:
        """Approve the client and return the URL at Supabase to which the browser is redirected."""
        page = await login.browser.get(login.location)
        if page.status_code == 303:
            return page.headers["location"]
        form = ConsentForm(page.text)
        answer = await login.browser.post(form.action, {**form.fields, "decision": "allow"})
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    async def callback_url(self, login: Login, user: str = "ada@example.org", **outcome: str) -> str:
        return self.supabase.log_in(await self.approve(login), user, **outcome)

    async def code(
        self, client: dict | None = None, user: str = "ada@example.org", **parameters: str | None
    ) -> "Grant":
        client = client or await self.register()
        login = await self.authorize(client, **parameters)
        answer = await login.browser.get(await self.callback_url(login, user))
        assert answer.status_code == 303, answer.text
        return Grant(self, client, login.verifier, query_of(answer.headers["location"])["code"])

    async def tokens(self, client: dict | None = None, **parameters: str | None) -> "Tokens":
        return await (await self.code(client, **parameters)).tokens()

    async def call(self, access_token: str, method: str = "GET") -> httpx.Response:
        return await self.http.request(method, "/mcp", headers={"Authorization": f"Bearer {access_token}"})

    async def revoke(self, client: dict, token: str, **parameters: str) -> httpx.Response:
        return await self.http.post("/revoke", data={"client_id": client["client_id"], "token": token, **parameters})

    async def refresh(self, client: dict, refresh_token: str, **parameters: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "client_id": client["client_id"], "refresh_token": refresh_token}
        return await self.http.post("/token", data={**form, **parameters})


@dataclass
class Grant:
    """A code that was issued, with the data to redeem it."""

    world: World
    client: dict
    verifier: str
    code: str

    async def redeem(self, **parameters: str | None) -> httpx.Response:
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client["client_id"],
            "code": self.code,
            "code_verifier": self.verifier,
            "redirect_uri": REDIRECT_URI,
            **parameters,
        }
        return await self.world.http.post("/token", data={n: v for n, v in form.items() if v is not None})

    async def tokens(self) -> "Tokens":
        answer = await self.redeem()
        assert answer.status_code == 200, answer.text
        return Tokens(self.world, self.client, answer.json())


@dataclass
class Tokens:
    """The tokens of one login."""

    world: World
    client: dict
    body: dict

    @property
    def access_token(self) -> str:
        return self.body["access_token"]

    @property
    def refresh_token(self) -> str:
        return self.body["refresh_token"]

    async def refresh(self, **parameters: str) -> httpx.Response:
        return await self.world.refresh(self.client, self.refresh_token, **parameters)

    async def refreshed(self, **parameters: str) -> "Tokens":
        answer = await self.refresh(**parameters)
        assert answer.status_code == 200, answer.text
        return Tokens(self.world, self.client, answer.json())

    async def call(self, method: str = "GET") -> httpx.Response:
        return await self.world.call(self.access_token, method)

    async def revoke(self, token: str) -> httpx.Response:
        return await self.world.revoke(self.client, token)


UNLIMITED = {f"limit_{action}": "0" for action in ("register", "authorize", "start", "callback", "token_failures")}


def new_relay(*, redis: object = None, algorithm: str = "ES256", **overrides: object) -> World:
    """Build a relay and its Supabase, without an HTTP client and without starting the lifespan."""
    supabase = FakeSupabase(algorithm)
    settings = Settings(**{"supabase_url": URL, **UNLIMITED, **overrides})
    app = create_app(settings, redis=redis, upstream_transport=supabase.transport())
    return World(app, supabase, settings)


@asynccontextmanager
async def open_world(**overrides: object) -> AsyncIterator[World]:
    """Build a world, start its lifespan, and give it an HTTP client with the address 127.0.0.7."""
    world = new_relay(**overrides)
    transport = httpx.ASGITransport(world.app, raise_app_exceptions=False, client=("127.0.0.7", 1))
    async with (
        world.app.router.lifespan_context(world.app),
        httpx.AsyncClient(transport=transport, base_url=world.settings.issuer, trust_env=False) as http,
    ):
        yield replace(world, client=http)
