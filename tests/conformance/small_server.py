"""A small OAuth server for the tests of reports and command: correct, with a few switches, and with a memory of its secrets."""

import base64
import hashlib
import json
import secrets
import string
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route


@dataclass
class SmallServer:
    """One user, who is logged in already; codes and refresh tokens are good once, and reuse ends the family."""

    issuer: str = ""
    verifies_pkce: bool = True
    shows_a_page: bool = False
    """A page that only a person can answer: what it asks is in a script."""
    echoes_secrets: bool = False
    """Says codes, tokens and states in places where no redaction by name finds them."""
    refuses_logins: bool = False
    error_description: str = "no such grant"
    clients: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    secrets: set[str] = field(default_factory=set[str])
    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    families: dict[str, str] = field(default_factory=dict[str, str])
    """The refresh token of each family that is good now."""
    heard: list[str] = field(default_factory=list[str])
    """The User-Agent headers of those who asked for the metadata."""
    gave_tokens: threading.Event = field(default_factory=threading.Event)

    def application(self) -> Starlette:
        routes = [
            Route("/.well-known/oauth-authorization-server", self.metadata),
            Route("/register", self.register, methods=["POST"]),
            Route("/authorize", self.authorize),
            Route("/finish", self.finish),
            Route("/token", self.token, methods=["POST"]),
        ]
        return Starlette(routes=routes)

    def secret(self) -> str:
        """Letters only: nothing about it looks like a secret."""
        value = "".join(secrets.choice(string.ascii_letters) for _ in range(18))
        self.secrets.add(value)
        return value

    async def metadata(self, request: Request) -> Response:
        self.heard.append(request.headers["user-agent"])
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "registration_endpoint": f"{self.issuer}/register",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
            }
        )

    async def register(self, request: Request) -> Response:
        document = await request.json()
        client_id = secrets.token_hex(8)
        self.clients[client_id] = document["redirect_uris"]
        return JSONResponse({**document, "client_id": client_id}, 201)

    async def authorize(self, request: Request) -> Response:
        query = request.query_params
        redirect_uri = query.get("redirect_uri", "")
        self.secrets.update(value for name in ("state", "code_challenge") if len(value := query.get(name, "")) > 8)
        if redirect_uri not in self.clients.get(query.get("client_id", ""), []):
            return HTMLResponse("<p>unknown client or redirect URI", 400)
        if self.refuses_logins:
            return HTMLResponse("<p>the login is out of order", 500)
        if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
            return RedirectResponse(f"{redirect_uri}?error=invalid_request&state={query.get('state')}", 302)
        if self.shows_a_page:
            return HTMLResponse(f"<script>location='/finish?{request.url.query}'</script>")
        return await self.finish(request)

    async def finish(self, request: Request) -> Response:
        query = request.query_params
        code = self.secret()
        self.codes[code] = dict(query)
        answer = RedirectResponse(f"{query['redirect_uri']}?code={code}&state={query['state']}", 302)
        if self.echoes_secrets:
            answer.headers["x-debug"] = f"made {code} for {query['state']}"
        return answer

    async def token(self, request: Request) -> Response:
        form = dict((await request.form()).items())
        self.secrets.update(str(form[name]) for name in ("code_verifier",) if form.get(name))
        if form.get("grant_type") == "refresh_token":
            return self.refresh(form)
        asked = self.codes.get(str(form.get("code")))
        if asked is None or not (self.verifies_pkce is False or _fits(str(form.get("code_verifier")), asked)):
            description = f"no grant {form.get('code')}" if self.echoes_secrets else self.error_description
            return JSONResponse({"error": "invalid_grant", "error_description": description}, 400)
        del self.codes[str(form["code"])]
        return self.tokens(form, self.secret())

    def refresh(self, form: dict[str, object]) -> Response:
        family = str(form.get("refresh_token")).partition(".")[0]
        if self.families.get(family) == form.get("refresh_token"):
            return self.tokens(form, family)
        self.families.pop(family, None)
        return JSONResponse({"error": "invalid_grant"}, 400)

    def tokens(self, form: dict[str, object], family: str) -> Response:
        self.gave_tokens.set()
        access_token, refresh_token = self.secret(), f"{family}.{self.secret()}"
        self.families[family] = refresh_token
        document: dict[str, object] = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": refresh_token,
        }
        if self.echoes_secrets:
            document["trace"] = [f"gave <b>{access_token}</b>", {refresh_token: "\x1b[2J\u202e\ud800"}, str(form)]
            # Plain json, since Starlette's response would refuse the lone surrogate.
            headers = {"x-request": f"{access_token},{form.get('code')}"}
            return Response(json.dumps(document), media_type="application/json", headers=headers)
        return JSONResponse(document, headers={"cache-control": "no-store"})


def _fits(code_verifier: str, asked: dict[str, str]) -> bool:
    digest = hashlib.sha256(code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]


@contextmanager
def served(server: SmallServer) -> Generator[SmallServer]:
    """Serve it on a loopback port, in a thread."""
    config = uvicorn.Config(server.application(), port=0, log_level="error", lifespan="off", ws="none")
    listener = config.bind_socket()
    server.issuer = f"http://127.0.0.1:{listener.getsockname()[1]}"
    runner = uvicorn.Server(config)
    thread = threading.Thread(target=runner.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        runner.should_exit = True
        thread.join(10)
        listener.close()
