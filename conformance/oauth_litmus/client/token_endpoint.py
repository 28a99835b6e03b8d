"""Token endpoint verbs (OAuth 2.1 section 3.2), revocation (RFC 7009), and races at them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from oauth_litmus.client.callbacks import CallbackVerbs
from oauth_litmus.client.session import FORM
from oauth_litmus.http.urls import with_query
from oauth_litmus.http.wire import Cut, Gate
from oauth_litmus.limits.rates import Kind
from oauth_litmus.oauth.authorization import Code, Tokens
from oauth_litmus.verdict import Blocked, Skipped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.clients import Client

T = TypeVar("T")

_LIFE_OF_A_CODE = 30.0
"""Seconds that a code lives at least where nothing is declared: the shortest that servers in the field give it."""


class TokenVerbs(CallbackVerbs):
    """What a client does with a code and with tokens."""

    async def token_request(
        self,
        parameters: Mapping[str, str | None],
        client: Client | None,
        *,
        via: Gate | None = None,
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> Answer:
        """POST to the token endpoint as this client (None: as nobody); parameters that are None are left out."""
        own_headers, body = _form(parameters, client)
        answer = await self.send(
            "POST",
            self.endpoint("token") + query,
            kind=Kind.TOKEN,
            headers={**own_headers, **(headers or {})},
            body=body,
            via=via,
        )
        for member in ("access_token", "refresh_token", "id_token"):
            self.secret(answer.member(member), member)
        return answer

    async def redeem(
        self,
        code: Code,
        *,
        client: Client | None = None,
        via: Gate | None = None,
        headers: Mapping[str, str] | None = None,
        even_if_ended: bool = False,
        **changes: str | None,
    ) -> Answer:
        """Exchange a code (OAuth 2.1 section 4.1.3), with parameters changed or left out (None).

        Raises:
            Blocked: it was refused, and had come to its end by itself (unless it is tried `even_if_ended`), as far as
                its lifetime is declared; or perhaps while it stood in a queue.
        """
        parameters: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code.value,
            "code_verifier": code.code_verifier,
            "redirect_uri": code.redirect_uri,
            "resource": self.server.resource_indicator,
            **changes,
        }
        age, declared = self.now() - code.issued_after, self.server.profile.lifetimes.code
        # What was young when it was to be presented ended in a queue, if it did; what is tried late is tried late on purpose.
        lifetime = declared or (_LIFE_OF_A_CODE if age < _LIFE_OF_A_CODE else None)
        sender = self if lifetime is None or age < lifetime / 4 else self.hurried()
        answer = await sender.token_request(parameters, client or code.client, via=via, headers=headers)
        if not even_if_ended and via is None:
            _had_not_ended("code", answer, code.issued_after, lifetime, is_declared=declared is not None)
        return answer

    async def refresh(
        self,
        tokens: Tokens,
        *,
        client: Client | None = None,
        via: Gate | None = None,
        even_if_ended: bool = False,
        **changes: str | None,
    ) -> Answer:
        """Refresh (OAuth 2.1 section 4.3.1), with parameters changed or left out (None).

        Raises:
            Blocked: it was refused, and the refresh token had come to its end by itself (unless it is tried
                `even_if_ended`), as far as its lifetime is declared.
            Skipped: there is no refresh token.
        """
        if tokens.refresh_token is None and "refresh_token" not in changes:
            raise Skipped(
                f'a login for scope "{tokens.requested_scope or ""}" brought no refresh token: '
                "list a scope that brings one (offline_access?) first in `scopes`"
            )
        parameters: dict[str, str | None] = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh_token,
            "resource": self.server.resource_indicator,
            **changes,
        }
        answer = await self.token_request(parameters, client or tokens.client, via=via)
        if not even_if_ended and via is None:
            lifetime = self.server.profile.lifetimes.refresh_token
            _had_not_ended("refresh token", answer, tokens.answer.sent_at, lifetime)
        return answer

    async def lose_refresh_answer(self, tokens: Tokens, cut: Cut) -> float:
        """Refresh, and hang up before the answer has been read; when that was begun, in Unix seconds."""
        parameters = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh_token,
            "resource": self.server.resource_indicator,
        }
        headers, body = _form(parameters, tokens.client)
        if self.paced:
            await self.run.pacer.charge(Kind.TOKEN, self.source)
        begun_at = self.now()
        await self.run.wire.hang_up(
            "POST",
            self.endpoint("token"),
            check=self.check,
            cut=cut,
            headers={**headers, **self.extra_headers},
            body=body,
            source=self.source,
        )
        self.run.last_sent[Kind.TOKEN] = self.now()
        return begun_at

    async def tokens(self, client: Client | None = None, *, scope: str | None = None) -> Tokens:
        """Tokens of a fresh login.

        Raises:
            Blocked: login or exchange failed.
        """
        return await self.tokens_for(await self.login(client, scope=scope))

    async def tokens_for(self, code: Code) -> Tokens:
        """The tokens of a code.

        Raises:
            Blocked: the exchange was refused.
        """
        return self.tokens_of(await self.redeem(code), code.client, code.request.get("scope"))

    async def refreshed(self, tokens: Tokens, *, scope: str | None = None) -> Tokens:
        """The tokens of a refresh, which a conforming server grants.

        Raises:
            Blocked: the refresh was refused.
        """
        return self.successor_of(await self.refresh(tokens, scope=scope), tokens, scope=scope)

    def successor_of(self, answer: Answer, tokens: Tokens, *, scope: str | None = None) -> Tokens:
        """What a client goes on with after a refresh: a refresh token that was not replaced stays (OAuth 2.1 section 4.3.1).

        Raises:
            Blocked: the refresh was refused.
        """
        successor = self.tokens_of(answer, tokens.client, scope or tokens.granted_scope)
        return replace(successor, refresh_token=successor.refresh_token or tokens.refresh_token)

    def tokens_of(self, answer: Answer, client: Client, requested_scope: str | None) -> Tokens:
        """Read a token response.

        Raises:
            Blocked: it is none.
        """
        if not answer.has_tokens:
            without = "" if answer.status >= 300 else ", without an access_token"
            raise Blocked(f"set-up: the token request was answered {answer.in_words}{without}", (answer.number,))
        disclosed = answer.json_object().get("scope")
        granted = disclosed if isinstance(disclosed, str) else requested_scope
        return Tokens(
            answer.member("access_token"),
            answer.member("refresh_token") or None,
            client,
            answer,
            requested_scope,
            granted,
        )

    async def revoke(
        self, token: str | None, client: Client, *, hint: str | None = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Revoke a token (RFC 7009 section 2.1); None is left out. `query` goes into the URL, where nothing belongs."""
        credentials, authorization = client.credentials()
        form = {
            **credentials,
            **({} if token is None else {"token": token}),
            **({"token_type_hint": hint} if hint else {}),
        }
        headers = {"content-type": FORM, "accept": "application/json", **authorization}
        url = with_query(self.endpoint("revocation"), query)
        return await self.send("POST", url, kind=Kind.TOKEN, headers=headers, body=urlencode(form).encode())

    async def race(
        self, racers: int, prepare: Callable[[], Awaitable[T]], act: Callable[[T, Gate], Awaitable[Answer]]
    ) -> tuple[T, list[Answer]]:
        """Have token requests for one thing arrive at one moment; what was prepared, and the answers.

        All but the last byte of each request is sent, then the last bytes together. The losers count as failures for a
        limiter: from a source of its own, or once the budget for failures is whole, `prepare` makes what is raced for.
        """
        if self.run.separate_sources:
            self.source = self.run.sources()
        pacer = self.run.pacer
        racers = pacer.most_at_once(Kind.TOKEN, self.source, racers)
        rank = self.rank
        race = await pacer.before_race(Kind.TOKEN, self.source, racers, rank=rank)
        self.hurry()  # meanwhile nobody else has most of that budget
        answers: list[Answer] = []
        try:
            prepared = await prepare()
            await race.begins()
            answers = await self._released_together(racers, lambda gate: act(prepared, gate))
        finally:
            race.is_over(answers)
            self.rank = rank
        return prepared, answers

    @staticmethod
    async def _released_together(racers: int, act: Callable[[Gate], Awaitable[T]]) -> list[T]:
        waiting = racers
        everybody = asyncio.Event()

        def arrived() -> None:
            nonlocal waiting
            waiting -= 1
            if waiting == 0:
                everybody.set()

        gates = [Gate(arrived) for _ in range(racers)]
        requests = [asyncio.ensure_future(act(gate)) for gate in gates]
        starting = asyncio.ensure_future(everybody.wait())
        try:
            # A racer that is answered before it came to the line would be waited for in vain.
            await asyncio.wait([starting, *requests], return_when=asyncio.FIRST_COMPLETED)
            for gate in gates:
                gate.released.set()
            return list(await asyncio.gather(*requests))
        finally:
            for task in (starting, *requests):
                task.cancel()


def _form(parameters: Mapping[str, str | None], client: Client | None) -> tuple[dict[str, str], bytes]:
    """Headers and body of a token request of this client (None: of nobody); parameters that are None are left out."""
    credentials, authorization = client.credentials() if client else ({}, {})
    form = {name: value for name, value in {**credentials, **parameters}.items() if value is not None}
    return {"content-type": FORM, "accept": "application/json", **authorization}, urlencode(form).encode()


def _had_not_ended(
    what: str, answer: Answer, issued_at: float, lifetime: float | None, *, is_declared: bool = True
) -> None:
    """See that a refusal is one: what is over by itself is refused by everybody."""
    age = answer.sent_at - issued_at
    if lifetime is not None and age >= lifetime and not answer.has_tokens:
        lives = f"and lives for {lifetime:g} s" if is_declared else f"and nothing says that a {what} lives so long"
        otherwise = "" if is_declared else ", or declare its lifetime in the profile, as `[lifetimes] code = SECONDS`"
        raise Blocked(
            f"the {what} was {age:.0f} s old when its request was sent, {lives}: limits or answers were too slow for it; "
            f"judge less at once (--only){otherwise}",
            (answer.number,),
        )
