"""A small Supabase Auth for these tests, with PKCE, ES256 or RS256 keys, refresh token rotation, and injected faults."""

import asyncio
import base64
import hashlib
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

URL = "http://localhost:9999"


class SigningKey:
    def __init__(self, algorithm: str = "ES256") -> None:
        self.algorithm = algorithm
        self.kid = str(uuid.uuid4())
        if algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
            jwk = ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            self.private = rsa.generate_private_key(65537, 2048)
            jwk = RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.jwk = {**jwk, "kid": self.kid, "alg": algorithm, "use": "sig", "key_ops": ["verify"]}

    def sign(self, claims: dict, **header: object) -> str:
        return jwt.encode(claims, self.private, algorithm=self.algorithm, headers={"kid": self.kid, **header})


@dataclass
class Session:
    user: str
    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    # Pairs of a refresh token and its parent, the newest last.
    refresh_tokens: list[tuple[str, str | None]] = field(default_factory=list)


@dataclass
class Fault:
    route: str
    response: Response | Exception
    times: int
    after_effect: bool


class FakeSupabase:
    def __init__(self, algorithm: str = "ES256") -> None:
        self.key = SigningKey(algorithm)
        self.keys = [self.key]
        self.lifetime = 3600
        self.claims: dict[str, object] = {}
        self.calls: list[str] = []
        self.faults: list[Fault] = []
        self.held: dict[str, tuple[asyncio.Event, asyncio.Event]] = {}
        self.flows: dict[str, tuple[str, str]] = {}
        self.sessions: dict[str, Session] = {}
        self.app = Starlette(
            routes=[
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/logout", self.logout, methods=["POST"]),
                Route("/.well-known/jwks.json", self.jwks),
            ]
        )

    def transport(self) -> httpx.AsyncBaseTransport:
        return _Transport(httpx.ASGITransport(self.app))

    def fail(self, route: str, response: Response | Exception, *, times: int = 1, after_effect: bool = False) -> None:
        self.faults.append(Fault(route, response, times, after_effect))

    def hold(self, route: str) -> tuple[asyncio.Event, asyncio.Event]:
        """Make the next call of the route set the first event and wait for the second."""
        self.held[route] = (asyncio.Event(), asyncio.Event())
        return self.held[route]

    def log_in(self, authorize_url: str, user: str = "ada@example.org", **outcome: str) -> str:
        """Return the callback URL to which Supabase redirects the browser; every call creates a new code."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorize_url).query).items()}
        answer = dict(outcome)
        if not outcome:
            code = str(uuid.uuid4())
            self.flows[code] = (query["code_challenge"], user)
            answer = {"code": code}
        return f"{query['redirect_to']}&{urlencode(answer)}"

    def mint(self, session: Session, **claims: object) -> str:
        now = int(time.time())
        full = {
            "iss": URL,
            "aud": "authenticated",
            "sub": str(uuid.uuid5(uuid.NAMESPACE_URL, session.user)),
            "exp": now + self.lifetime,
            "iat": now,
            "role": "authenticated",
            "session_id": session.session_id,
            **self.claims,
            **claims,
        }
        return self.key.sign({name: value for name, value in full.items() if value is not None})

    def rotate_key(self) -> None:
        self.key = SigningKey(self.key.algorithm)
        self.keys = [self.key]

    async def authorize(self, request: Request) -> Response:
        return RedirectResponse(self.log_in(str(request.url)), 302)

    async def logout(self, request: Request) -> Response:
        self.calls.append("logout")
        return Response(status_code=204)

    async def jwks(self, request: Request) -> Response:
        return self._answer_or_fail("jwks", lambda: JSONResponse({"keys": [key.jwk for key in self.keys]}))

    async def token(self, request: Request) -> Response:
        body = await request.json()
        if request.query_params["grant_type"] == "pkce":
            await self._wait("pkce")
            return self._answer_or_fail("pkce", lambda: self.exchange(body["auth_code"], body["code_verifier"]))
        await self._wait("refresh")
        return self._answer_or_fail("refresh", lambda: self.refresh(body["refresh_token"]))

    async def _wait(self, route: str) -> None:
        if hold := self.held.pop(route, None):
            arrived, go_on = hold
            arrived.set()
            await go_on.wait()

    def exchange(self, code: str, verifier: str) -> Response:
        challenge, user = self.flows.get(code, ("", ""))
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if not challenge:
            return error(404, "flow_state_not_found")
        if digest != challenge:
            return error(400, "bad_code_verifier")
        del self.flows[code]
        session = Session(user)
        return self._answer(session, parent=None)

    def refresh(self, token: str) -> Response:
        session = self.sessions.get(token)
        if session is None:
            return error(400, "refresh_token_not_found")
        active, parent = session.refresh_tokens[-1]
        if token == active:
            return self._answer(session, parent=token)
        if token == parent:
            return self._answer(session, parent=None, again=active)
        return error(400, "refresh_token_already_used")

    def end_sessions(self) -> None:
        self.sessions.clear()

    def _answer(self, session: Session, *, parent: str | None, again: str | None = None) -> Response:
        token = again or secrets.token_hex(6)
        if again is None:
            session.refresh_tokens.append((token, parent))
            self.sessions[token] = session
        body = {"access_token": self.mint(session), "token_type": "bearer", "expires_in": self.lifetime}
        return JSONResponse({**body, "refresh_token": token, "user": {"email": session.user}})

    def _answer_or_fail(self, route: str, effect) -> Response:
        """Answer with `effect`, or with the next fault that is planned for the route."""
        self.calls.append(route)
        fault = next((fault for fault in self.faults if fault.route == route), None)
        if fault is None:
            return effect()
        fault.times -= 1
        if not fault.times:
            self.faults.remove(fault)
        if fault.after_effect:
            effect()
        if isinstance(fault.response, Exception):
            raise fault.response
        return fault.response


class _Transport(httpx.AsyncBaseTransport):
    """Raise the exceptions of a fault to the caller, as network errors are raised."""

    def __init__(self, inner: httpx.ASGITransport) -> None:
        self.inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.inner.handle_async_request(request)


def error(status: int, code: str) -> Response:
    body = {"code": status, "error_code": code, "msg": code}
    return Response(json.dumps(body), status, {"x-sb-error-code": code}, "application/json")
