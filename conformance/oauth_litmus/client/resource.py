"""The protected resource (OAuth 2.1 section 5): calls with and without a token, and tokens that expire soon."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin, urlsplit

import httpx

from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.client.authorization import Authorization
    from oauth_litmus.client.callbacks import Callbacks
    from oauth_litmus.client.clients import Clients
    from oauth_litmus.client.grants import Grants
    from oauth_litmus.client.session import Session
    from oauth_litmus.client.tokens import TokenEndpoint
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.clients import Client
    from oauth_litmus.oauth.grants import Code, Tokens
    from oauth_litmus.oauth.handed_in import HandedIn
    from oauth_litmus.target.server import Server

TOKEN_GUARD = 2.0
"""Seconds before and after the expiry of an access token in which no verdict depends on it."""
_ACCEPTS = "application/json, text/event-stream"
_INITIALIZE = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "oauth-litmus", "version": "1"},
        },
    }
).encode()
"""The first POST of an MCP client."""


@dataclass(frozen=True)
class ProtectedResource:
    """Calls the protected resource."""

    session: Session
    clients: Clients
    authorization: Authorization
    callbacks: Callbacks
    tokens: TokenEndpoint
    grants: Grants

    async def call(
        self,
        token: str | None,
        *,
        headers: Mapping[str, str] | None = None,
        query: str = "",
        method: str | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Call the protected resource with a bearer token (RFC 6750 section 2.1), or without one.

        The default method is one that the resource protects. A POST without a body opens an MCP session.

        Raises:
            Blocked: no protected resource is known.
        """
        resource = self.session.server.resource
        if resource is None:
            raise Blocked("no protected resource is known")
        if token is not None or query:
            self.session.require_trusted("its protected resource", resource)
        method = method or await self.session.once("guarded method", self._guarded_method)
        content = {"content-type": "application/json"} if method == "POST" else {}
        bearer = {"authorization": f"Bearer {token}"} if token is not None else {}
        sent = httpx.Headers({"accept": _ACCEPTS, **content, **bearer})
        sent.update(httpx.Headers(headers, encoding="utf-8"))
        return await self.session.send(
            method,
            resource + (query.replace("?", "&", 1) if "?" in resource else query),
            kind=Kind.RESOURCE,
            headers=sent,
            body=(_INITIALIZE if method == "POST" else b"") if body is None else body,
        )

    async def call_operation(self, token: str, scope: str) -> Answer:
        """Call the operation that the profile declares for a scope, with this token."""
        method, _, path = self.session.server.profile.operations[scope].partition(" ")
        headers = {"accept": _ACCEPTS, "authorization": f"Bearer {token}"}
        return await self.session.send(
            method,
            urljoin(self.session.server.resource or self.session.server.issuer, path),
            kind=Kind.RESOURCE,
            headers=headers,
        )

    async def accepted_call(self, tokens: Tokens | HandedIn) -> Answer:
        """Call the resource with a valid access token. Checks compare refusals with this answer.

        Raises:
            Blocked: the resource refuses the token, or the answer proves nothing.
        """
        answer = await self.call(tokens.access_token)
        if answer.is_inconclusive or answer.status in (401, 403) or answer.status >= 500:
            raise Blocked(f"set-up: the resource answers {answer.status} to a valid access token", (answer.number,))
        return answer

    async def valid_tokens(self) -> tuple[Tokens, Answer]:
        """Tokens that all checks of the resource share, and the resource's present answer to them.

        Raises:
            Blocked: the resource refuses them.
        """
        tokens = await self.grants.shared()
        if not self._ends_soon(tokens):
            try:
                return tokens, await self.accepted_call(tokens)
            except Blocked:
                if not self._ends_soon(tokens):
                    raise
        tokens = await self.grants.fresh()
        return tokens, await self.accepted_call(tokens)

    def _ends_soon(self, tokens: Tokens) -> bool:
        return tokens.expires_in is not None and self.session.now() > tokens.ends_at - TOKEN_GUARD

    async def access_token(self) -> tuple[Tokens | HandedIn, Answer]:
        """The access token for checks of the resource, handed in or of a login, and the resource's answer to it.

        Raises:
            Blocked: the resource refuses it.
        """
        handed_in = self.session.run.handed_in
        if handed_in is not None:
            return handed_in, await self.accepted_call(handed_in)
        return await self.valid_tokens()

    async def key_set(self, claims: Mapping[str, object]) -> list[dict[str, object]]:
        """The public keys of access tokens: from the `jwks_uri` of the metadata, or of the upstream that issued the tokens."""
        url, issuer, upstream = (
            self.session.server.endpoint("jwks_uri"),
            claims.get("iss"),
            self.session.server.seen.upstream_url,
        )
        if url is not None:
            answer = await self.session.get(url)
        elif isinstance(issuer, str) and upstream and urlsplit(issuer)[:2] == urlsplit(upstream)[:2]:
            answer = await self.session.send("GET", f"{issuer}/.well-known/jwks.json", kind=None)
        else:
            return []
        keys = answer.json_object().get("keys")
        return cast("list[dict[str, object]]", keys) if isinstance(keys, list) else []

    async def short_lived_tokens(self, seconds: int, client: Client | None = None) -> Tokens:
        """Tokens of a fresh login. With the upstream control, the access token expires after so many seconds.

        A server that issues its own access tokens may choose another lifetime: read `expires_in`.
        """
        if not self.session.controls_upstream or self.session.server.seen.upstream_url is None:
            return await self.grants.fresh(client)
        code, answer = await self._exchanged_at_once(seconds, client)
        if answer.status == 429:  # the first refusal of an undeclared limit, which is known from now on
            code, answer = await self._exchanged_at_once(seconds, client)
        return self.tokens.read(answer, code.client, code.request.get("scope"))

    async def _exchanged_at_once(self, seconds: int, client: Client | None) -> tuple[Code, Answer]:
        request = self.authorization.request(client or await self.clients.shared())
        held = await self.callbacks.hold(request, user=self.session.user(), access_token_lifetime=seconds)
        # The upstream token's lifetime begins at the callback, so room for the exchange is reserved before.
        race = await self.session.run.pacer.before_race(Kind.TOKEN, self.session.source, 1, rank=self.session.rank)
        answers: list[Answer] = []
        try:
            code = self.authorization.code_of(await self.callbacks.deliver(held))
            await race.begins()
            answers.append(await replace(self.tokens, session=self.session.unpaced()).redeem(code))
        finally:
            race.is_over(answers)
        return code, answers[0]

    async def _guarded_method(self) -> str:
        # An MCP endpoint may answer GET with 405 before it looks at the token. It must support POST.
        for method in ("GET", "POST") if self.session.server.profile.specification == "mcp" else ("GET",):
            answer = await self.call(None, method=method)
            if answer.status in (401, 403):
                return method
        return "GET"


def token_wait(server: Server) -> float:
    """Seconds until an access token expires; 0 if the upstream issues a short-lived one on request.

    Raises:
        Skipped: the lifetime is not known.
    """
    if server.profile.upstream_control:
        return 0.0
    return server.access_token_ttl + server.profile.lifetimes.clock_leeway + TOKEN_GUARD
