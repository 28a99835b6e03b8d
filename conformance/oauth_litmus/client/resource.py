"""Verbs for the protected resource (OAuth 2.1 section 5): calls with and without a token, and tokens that end soon."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast
from urllib.parse import urljoin, urlsplit

import httpx

from oauth_litmus.client.browser_leg import BrowserLegVerbs
from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked, Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.authorization import Code, Tokens
    from oauth_litmus.oauth.clients import Client
    from oauth_litmus.oauth.handed_in import HandedIn
    from oauth_litmus.target.server import Server

TOKEN_GUARD = 2.0
"""Seconds on either side of the end of an access token."""
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
"""What an MCP client sends first, as POST."""


class ResourceVerbs(BrowserLegVerbs):
    """What a client does with an access token."""

    async def call_resource(
        self,
        token: str | None,
        *,
        headers: Mapping[str, str] | None = None,
        query: str = "",
        method: str | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """Call the protected resource with a bearer token (RFC 6750 section 2.1), or with none.

        Without a method, by one that the resource is seen to guard; a POST without a body opens an MCP session.

        Raises:
            Blocked: no protected resource is known.
        """
        resource = self.server.resource
        if resource is None:
            raise Blocked("no protected resource is known")
        if token is not None or query:
            self._see_no_stranger("its protected resource", resource)
        method = method or await self.once("guarded method", self._guarded_method)
        content = {"content-type": "application/json"} if method == "POST" else {}
        bearer = {"authorization": f"Bearer {token}"} if token is not None else {}
        sent = httpx.Headers({"accept": _ACCEPTS, **content, **bearer})
        sent.update(httpx.Headers(headers, encoding="utf-8"))
        return await self.send(
            method,
            resource + (query.replace("?", "&", 1) if "?" in resource else query),
            kind=Kind.RESOURCE,
            headers=sent,
            body=(_INITIALIZE if method == "POST" else b"") if body is None else body,
        )

    async def call_operation(self, token: str, scope: str) -> Answer:
        """Call, with this token, the operation that the profile declares for a scope."""
        method, _, path = self.server.profile.operations[scope].partition(" ")
        headers = {"accept": _ACCEPTS, "authorization": f"Bearer {token}"}
        return await self.send(
            method, urljoin(self.server.resource or self.server.issuer, path), kind=Kind.RESOURCE, headers=headers
        )

    async def opened(self, tokens: Tokens | HandedIn) -> Answer:
        """The resource's answer to a valid access token, with which refusals are compared.

        Raises:
            Blocked: the resource does not take it, or nothing can be judged by the answer.
        """
        answer = await self.call_resource(tokens.access_token)
        if answer.is_inconclusive or answer.status in (401, 403) or answer.status >= 500:
            raise Blocked(f"set-up: the resource answers {answer.status} to a valid access token", (answer.number,))
        return answer

    async def valid_tokens(self) -> tuple[Tokens, Answer]:
        """Tokens that the checks of the resource share, with its answer to them a moment ago.

        Raises:
            Blocked: it does not take them.
        """
        tokens = await self.once("bearer tokens", self.living_tokens)
        if not self._ends_soon(tokens):
            try:
                return tokens, await self.opened(tokens)
            except Blocked:
                if not self._ends_soon(tokens):
                    raise
        tokens = await self.tokens()
        return tokens, await self.opened(tokens)

    def _ends_soon(self, tokens: Tokens) -> bool:
        return tokens.expires_in is not None and self.now() > tokens.ends_at - TOKEN_GUARD

    async def access_token(self) -> tuple[Tokens | HandedIn, Answer]:
        """The access token with which the resource is tried: the one handed in, or that of a login; and the answer to it.

        Raises:
            Blocked: the resource does not take it.
        """
        handed_in = self.run.handed_in
        if handed_in is not None:
            return handed_in, await self.opened(handed_in)
        return await self.valid_tokens()

    async def key_set(self, claims: Mapping[str, object]) -> list[dict[str, object]]:
        """The public keys behind access tokens: as the metadata says, or those of the upstream that issued them."""
        url, issuer, upstream = (
            self.server.endpoint("jwks_uri"),
            claims.get("iss"),
            self.server.seen.upstream_url,
        )
        if url is not None:
            answer = await self.get(url)
        elif isinstance(issuer, str) and upstream and urlsplit(issuer)[:2] == urlsplit(upstream)[:2]:
            answer = await self.send("GET", f"{issuer}/.well-known/jwks.json", kind=None)
        else:
            return []
        keys = answer.json_object().get("keys")
        return cast("list[dict[str, object]]", keys) if isinstance(keys, list) else []

    async def short_lived_tokens(self, seconds: int, client: Client | None = None) -> Tokens:
        """Tokens of a fresh login, whose access token ends so soon where the operator lends the upstream.

        A server that issues access tokens of its own need not follow the upstream: `expires_in` tells.
        """
        if self.run.upstream is None or self.server.seen.upstream_url is None:
            return await self.tokens(client)
        code, answer = await self._exchanged_at_once(seconds, client)
        if answer.status == 429:  # a limit that nobody has declared, and that is known from now on
            code, answer = await self._exchanged_at_once(seconds, client)
        return self.tokens_of(answer, code.client, code.request.get("scope"))

    async def _exchanged_at_once(self, seconds: int, client: Client | None) -> tuple[Code, Answer]:
        request = self.request(client or await self.client())
        held = await self.hold_callback(request, user=self.user(), access_token_lifetime=seconds)
        # From the callback on the upstream's token ends: there must be room for the exchange before that.
        race = await self.run.pacer.before_race(Kind.TOKEN, self.source, 1, rank=self.rank)
        answers: list[Answer] = []
        try:
            code = self.code_of(await self.deliver_callback(held))
            await race.begins()
            answers.append(await self.unpaced().redeem(code))
        finally:
            race.is_over(answers)
        return code, answers[0]

    def may_wait(self, seconds: float) -> None:
        """See that a wait of which the plan could not know is allowed.

        Raises:
            Skipped: it is longer than the operator allows.
        """
        longest = self.run.budget.max_wait
        if seconds > longest:
            raise Skipped(f"waits {seconds:.0f} s, more than --max-wait {longest:g}: give --max-wait {seconds + 1:.0f}")

    async def _guarded_method(self) -> str:
        # An MCP endpoint may answer GET with 405 before it looks at the token; POST is what it must offer.
        for method in ("GET", "POST") if self.server.profile.specification == "mcp" else ("GET",):
            answer = await self.call_resource(None, method=method)
            if answer.status in (401, 403):
                return method
        return "GET"


def token_wait(server: Server) -> float:
    """Seconds that a check waits for an access token to end; 0 where the upstream is asked for a short one.

    Raises:
        Skipped: the lifetime is not known.
    """
    if server.profile.upstream_control:
        return 0.0
    return server.access_token_ttl + server.profile.lifetimes.clock_leeway + TOKEN_GUARD
