"""Grants that checks share: some are only looked at, others are handed on by whoever is done with them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.client.token_endpoint import TokenVerbs
from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.authorization import Attempt, Tokens
    from oauth_litmus.oauth.clients import AuthMethod, Client

_APART = 3.0
"""Seconds between an exchange and a refresh whose tokens are compared: lifetimes are counted in whole seconds."""
_SHARES = 4
_TRIES = 3
_USUAL_LIFETIME = 600.0
"""Seconds that refresh tokens are taken to live where nothing is declared."""
SOON = 5.0
"""Seconds after which a revocation has arrived everywhere, as a rule (RFC 7009 section 2.1)."""


@dataclass(frozen=True)
class Revoked:
    """A refresh token (or an access token, where there is none) that was revoked as an ordinary client does it."""

    tokens: Tokens
    revoked: Answer
    refreshed: Answer | None
    """What a refresh with it is answered right after that."""
    later: Answer | None
    """What the newest refresh token is answered some seconds after the revocation; None if the first one was refused."""


class SharedGrantVerbs(TokenVerbs):
    """What is made once for several checks, or goes from one to the next."""

    async def living_tokens(self, client: Client | None = None, *, scope: str | None = None) -> Tokens:
        """Tokens that are good and whole: those with which another check is done, or else those of a fresh login.

        Raises:
            Blocked: login or exchange failed.
        """
        client = client or await self.client()
        tokens = self._handed_on(client, scope)
        if tokens is None:
            # Others may have ended when it is this one's turn to begin a login.
            await self.run.pacer.turn(Kind.AUTHORIZE, self.source, rank=self.rank)
            tokens = self._handed_on(client, scope)
        return tokens or await self.tokens(client, scope=scope)

    @asynccontextmanager
    async def borrowed_tokens(
        self, client: Client | None = None, *, scope: str | None = None
    ) -> AsyncGenerator[Tokens]:
        """The same for checks that hand the grant on in the end: one has it after the other, so that it may serve them all."""
        client = client or await self.client()
        turn = self.run.borrowing.setdefault((self._grant(client, scope), self.share()), asyncio.Lock())
        await self.run.clock.for_result_of(turn.acquire())
        try:
            yield await self.living_tokens(client, scope=scope)
        finally:
            turn.release()

    def share(self) -> int:
        """Which of several that serve one thing serves this check: one for all, but where no limit makes logins dear.

        Checks that wait for each other make few logins, and far away a long run.
        """
        return 0 if self.run.pacer.is_limited(Kind.AUTHORIZE, self.source) else self.rank % _SHARES

    def _grant(self, client: Client, scope: str | None) -> tuple[str, frozenset[str]]:
        wanted = " ".join(self.server.scopes) if scope is None else scope
        return client.client_id, frozenset(wanted.split())

    def _handed_on(self, client: Client, scope: str | None) -> Tokens | None:
        handed_on = self.run.living.get(self._grant(client, scope), [])
        while handed_on:
            tokens = handed_on.pop()
            if self._is_fresh(tokens):
                return tokens
        return None

    def hand_on(self, tokens: Tokens) -> None:
        """Leave to other checks what was granted a moment ago and was not used since; its scope is that of the grant.

        Nothing must have become of the grant but what becomes of one in ordinary use, or in attempts that were refused.
        """
        if tokens.refresh_token is not None:
            self.run.living.setdefault((tokens.client.client_id, tokens.scopes), []).append(tokens)

    async def hand_on_code(self, attempt: Attempt) -> None:
        """Leave to other checks what a finished login brings, of which this one has seen all that it looks at."""
        if attempt.response is None or attempt.response.code is None:
            return
        with suppress(Blocked):  # nothing that was judged hangs on it
            self.hand_on(await self.tokens_for(self.code_of(attempt)))

    def _is_fresh(self, tokens: Tokens) -> bool:
        """Whether neither token comes near its end, nor the login behind them, before another check is done with them."""
        lifetimes = self.server.profile.lifetimes
        age = self.now() - tokens.answer.received_at
        shortest = min(lifetimes.refresh_token or _USUAL_LIFETIME, tokens.expires_in or _USUAL_LIFETIME)
        return lifetimes.session is None and age < shortest / 2

    async def exchanged_and_refreshed(self) -> tuple[Tokens, ...]:
        """Tokens of an exchange, and of a refresh 3 s later if there is one; checks share them and only look at them.

        Raises:
            Blocked: login, exchange or refresh failed.
        """

        async def make() -> tuple[Tokens, ...]:
            tokens = await self.tokens()
            if tokens.refresh_token is None:
                return (tokens,)
            await self.until(self.now() + _APART)
            refreshed = await self.refreshed(tokens)
            self.hand_on(refreshed)
            return (tokens, refreshed)

        return await self.once("exchanged and refreshed", make)

    async def not_ended_by_a_login(self, answer: Answer) -> None:
        """See that a refresh was not refused because another check logged in meanwhile: a server may keep one grant of a user.

        Raises:
            Skipped: so it is.
        """
        if answer.error == "invalid_grant" and await self.once("a login ends others", self._login_ends_others):
            raise Skipped(
                "a login of this user ends the grants before it, and other checks log in meanwhile: give --only with this check alone"
            )

    async def _login_ends_others(self) -> bool:
        client = await self.client()
        for _ in range(_TRIES):  # a login of yet another check may come between
            earlier, later = await self.tokens(client), await self.tokens(client)
            if (await self.refresh(earlier)).has_tokens:
                return False
            if (await self.refresh(later)).has_tokens:
                return True
        return False

    async def exchange_by(self, method: AuthMethod) -> Answer:
        """The answer to an ordinary exchange of the shared client that has this method; checks only look at it."""

        async def exchange() -> Answer:
            code = await self.login(await self.client(auth_method=method))
            answer = await self.redeem(code)
            if answer.has_tokens:
                self.hand_on(self.tokens_of(answer, code.client, code.request.get("scope")))
            return answer

        return await self.once(("exchange by", method), exchange)

    async def confidential_client(self, label: str = "a", *, auth_method: AuthMethod | None = None) -> Client:
        """A shared client with a secret, which was seen to get tokens; by default with any method that is advertised.

        Raises:
            NotApplicable: the server registers public clients only.
        """
        method = auth_method or await self.confidential_method()
        if method is None:
            raise NotApplicable("the server registers no client with a secret for any method that it advertises")
        client = await self.client(label, auth_method=method)
        if label == "a":
            self.tokens_of(await self.exchange_by(method), client, None)
        else:
            await self.once(("control", client.client_id), lambda: self.tokens(client))
        return client

    async def other_kind_of_client(self) -> Client:
        """A shared client with a secret, where the ordinary ones have none.

        Raises:
            NotApplicable: all clients are of one kind.
        """
        ordinary, *others = await self.client_of_each_kind()
        if not others:
            secret = "no secret" if ordinary.is_public else "a secret"
            raise NotApplicable(f"all clients have {secret}: what is judged of the ordinary one holds for all")
        return others[0]

    async def revoking_client(self, label: str = "a") -> Client:
        """A shared client whose revocations are taken: an ordinary one, or else one with a secret (REVOKE-05 says which).

        Raises:
            Blocked: the endpoint takes them from neither.
        """
        confidential = await self.confidential_methods_at("revocation")
        for method in dict.fromkeys((self.server.ordinary_method, *confidential)):
            if _is_taken((await self.revoked_by(method)).revoked):
                return await self.client(label, auth_method=method)
        raise Blocked("set-up: a revocation is taken neither from an ordinary client nor from one with a secret")

    async def revoked_by(self, method: AuthMethod) -> Revoked:
        """What becomes of a revocation, without a hint, by the shared client that has this method; checks only look at it."""

        async def revoke() -> Revoked:
            tokens = await self.tokens(await self.client(auth_method=method))
            answer = await self.revoke(tokens.refresh_token or tokens.access_token, tokens.client)
            return await self.after_revocation(answer, tokens)

        return await self.once(("revoked by", method), revoke)

    async def after_revocation(self, revoked: Answer, tokens: Tokens, *, presented_again: bool = False) -> Revoked:
        """What becomes of these tokens, at once and, where they are still good, once the revocation has spread.

        Presented is then the newest refresh token, or the same one again.
        """
        if tokens.refresh_token is None:
            return Revoked(tokens, revoked, None, None)
        answer = await self.refresh(tokens)
        if not answer.has_tokens:
            return Revoked(tokens, revoked, answer, None)
        await self.run.clock.until(revoked.received_at + SOON)
        presented = tokens if presented_again else self.successor_of(answer, tokens)
        return Revoked(tokens, revoked, answer, await self.hurried().refresh(presented))


def _is_taken(answer: Answer) -> bool:
    return answer.status < 400 or answer.is_inconclusive
