"""Grants of whole logins: fresh ones, ones from the pool of unused tokens, and ones that checks share."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from oauth_litmus.client.authorization import Authorization
    from oauth_litmus.client.clients import Clients
    from oauth_litmus.client.session import Session
    from oauth_litmus.client.tokens import TokenEndpoint
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.attempt import Attempt
    from oauth_litmus.oauth.clients import AuthMethod, Client
    from oauth_litmus.oauth.grants import Tokens

_TIME_BETWEEN = 3.0
"""Seconds between an exchange and a refresh whose tokens are compared: lifetimes are counted in whole seconds."""
_POOLS = 4
_TRIES = 3
_USUAL_LIFETIME = 600.0
"""Seconds that refresh tokens are assumed to be valid if nothing is declared."""
SPREAD_OF_A_REVOCATION = 5.0
"""Seconds after which a revocation usually is known everywhere (RFC 7009 section 2.1)."""


@dataclass(frozen=True)
class Revoked:
    """A refresh token (or an access token, if there is none) that an ordinary client revoked, and what followed."""

    tokens: Tokens
    revoked: Answer
    refreshed: Answer | None
    """The answer to a refresh immediately after the revocation."""
    later: Answer | None
    """The answer to another refresh some seconds after the revocation; None if the first one was refused."""


@dataclass(frozen=True)
class Grants:
    """Gets tokens by whole logins, and saves logins where checks can share."""

    session: Session
    clients: Clients
    authorization: Authorization
    tokens: TokenEndpoint

    async def fresh(self, client: Client | None = None, *, scope: str | None = None) -> Tokens:
        """Tokens of a fresh login.

        Raises:
            Blocked: login or exchange failed.
        """
        return await self.tokens.for_code(await self.authorization.login(client, scope=scope))

    async def from_pool(self, client: Client | None = None, *, scope: str | None = None) -> Tokens:
        """Valid, unused tokens: from the pool, or of a fresh login if the pool holds none.

        Raises:
            Blocked: login or exchange failed.
        """
        client = client or await self.clients.shared()
        tokens = self._pooled(client, scope)
        if tokens is None:
            # Another check may return tokens to the pool while this one waits to begin a login.
            await self.session.run.pacer.turn(Kind.AUTHORIZE, self.session.source, rank=self.session.rank)
            tokens = self._pooled(client, scope)
        return tokens or await self.fresh(client, scope=scope)

    async def shared(self) -> Tokens:
        """Tokens that all checks share and only look at.

        Raises:
            Blocked: login or exchange failed.
        """
        return await self.session.once("shared tokens", self.from_pool)

    @asynccontextmanager
    async def reserved(self, client: Client | None = None, *, scope: str | None = None) -> AsyncGenerator[Tokens]:
        """Tokens from the pool, for checks that return them afterwards. Such checks wait for each other and share a grant."""
        client = client or await self.clients.shared()
        lock = self.session.run.pool.lock((self._grant(client, scope), self.pool_number()))
        await self.session.run.clock.for_result_of(lock.acquire())
        try:
            yield await self.from_pool(client, scope=scope)
        finally:
            lock.release()

    def pool_number(self) -> int:
        """Pick the grant pool for this check: one shared pool when logins are rate-limited, otherwise one of four.

        Checks that share a pool wait for each other. That saves logins, but makes a run against a distant server long.
        """
        limited = self.session.run.pacer.is_limited(Kind.AUTHORIZE, self.session.source)
        return 0 if limited else self.session.rank % _POOLS

    def _grant(self, client: Client, scope: str | None) -> tuple[str, frozenset[str]]:
        wanted = " ".join(self.session.server.scopes) if scope is None else scope
        return client.client_id, frozenset(wanted.split())

    def _pooled(self, client: Client, scope: str | None) -> Tokens | None:
        return self.session.run.pool.take(self._grant(client, scope), self._is_fresh)

    def add_to_pool(self, tokens: Tokens) -> None:
        """Offer tokens to other checks.

        The grant must be in the state that ordinary use leaves behind; refused attempts do not matter.
        """
        if tokens.refresh_token is not None:
            self.session.run.pool.add(tokens)

    async def add_login_to_pool(self, attempt: Attempt) -> None:
        """Exchange the code of a login that the check has finished with, and offer the tokens to other checks."""
        if attempt.response is None or attempt.response.code is None:
            return
        with suppress(Blocked):  # no verdict depends on this exchange
            self.add_to_pool(await self.tokens.for_code(self.authorization.code_of(attempt)))

    def _is_fresh(self, tokens: Tokens) -> bool:
        """Whether another check can still finish before either token, or the login, expires."""
        lifetimes = self.session.server.profile.lifetimes
        age = self.session.now() - tokens.answer.received_at
        shortest = min(lifetimes.refresh_token or _USUAL_LIFETIME, tokens.expires_in or _USUAL_LIFETIME)
        return lifetimes.session is None and age < shortest / 2

    async def exchanged_and_refreshed(self) -> tuple[Tokens, ...]:
        """Shared tokens of an exchange and, if there is a refresh token, of a refresh 3 s later. Checks only look at them.

        Raises:
            Blocked: login, exchange or refresh failed.
        """

        async def make() -> tuple[Tokens, ...]:
            tokens = await self.fresh()
            if tokens.refresh_token is None:
                return (tokens,)
            await self.session.until(self.session.now() + _TIME_BETWEEN)
            refreshed = await self.tokens.refreshed(tokens)
            self.add_to_pool(refreshed)
            return (tokens, refreshed)

        return await self.session.once("exchanged and refreshed", make)

    async def not_ended_by_a_login(self, answer: Answer) -> None:
        """Ensure that a refresh was not refused because another check logged in: a server may keep one grant a user.

        Raises:
            Skipped: a login does end the earlier grants of its user.
        """
        if answer.error == "invalid_grant" and await self.session.once("a login ends others", self._login_ends_others):
            raise Skipped(
                "a login of this user ends the grants before it, and other checks log in meanwhile: give --only with this check alone"
            )

    async def _login_ends_others(self) -> bool:
        client = await self.clients.shared()
        for _ in range(_TRIES):  # another check may log in between the two
            earlier, later = await self.fresh(client), await self.fresh(client)
            if (await self.tokens.refresh(earlier)).has_tokens:
                return False
            if (await self.tokens.refresh(later)).has_tokens:
                return True
        return False

    async def exchange_by(self, method: AuthMethod) -> Answer:
        """The answer to an ordinary exchange of the shared client with this method. All checks share it."""

        async def exchange() -> Answer:
            code = await self.authorization.login(await self.clients.shared(auth_method=method))
            answer = await self.tokens.redeem(code)
            if answer.has_tokens:
                self.add_to_pool(self.tokens.read(answer, code.client, code.request.get("scope")))
            return answer

        return await self.session.once(("exchange by", method), exchange)

    async def confidential_client(self, label: str = "a", *, auth_method: AuthMethod | None = None) -> Client:
        """A shared confidential client that has got tokens. By default its method is any that the server advertises.

        Raises:
            NotApplicable: the server registers public clients only.
        """
        method = auth_method or await self.clients.confidential_method()
        if method is None:
            raise NotApplicable("the server registers no client with a secret for any method that it advertises")
        client = await self.clients.shared(label, auth_method=method)
        if label == "a":
            self.tokens.read(await self.exchange_by(method), client, None)
        else:
            await self.session.once(("control", client.client_id), lambda: self.fresh(client))
        return client

    async def revoking_client(self, label: str = "a") -> Client:
        """A shared client that may revoke: the ordinary one or else a confidential one (REVOKE-05 judges which).

        Raises:
            Blocked: the revocation endpoint accepts neither.
        """
        confidential = await self.clients.confidential_methods_at("revocation")
        for method in dict.fromkeys((self.session.server.ordinary_method, *confidential)):
            if _is_accepted((await self.revoked_by(method)).revoked):
                return await self.clients.shared(label, auth_method=method)
        raise Blocked("set-up: a revocation is accepted neither from an ordinary client nor from one with a secret")

    async def revoked_by(self, method: AuthMethod) -> Revoked:
        """A revocation without a hint, by the shared client with this method, and what followed. All checks share it."""

        async def revoke() -> Revoked:
            tokens = await self.fresh(await self.clients.shared(auth_method=method))
            answer = await self.tokens.revoke(tokens.refresh_token or tokens.access_token, tokens.client)
            return await self.after_revocation(answer, tokens)

        return await self.session.once(("revoked by", method), revoke)

    async def after_revocation(self, revoked: Answer, tokens: Tokens, *, presented_again: bool = False) -> Revoked:
        """Refresh after a revocation: at once and, if that succeeds, again when the revocation should have spread.

        The second refresh presents the newest refresh token or, with `presented_again`, the first one again.
        """
        if tokens.refresh_token is None:
            return Revoked(tokens, revoked, None, None)
        answer = await self.tokens.refresh(tokens)
        if not answer.has_tokens:
            return Revoked(tokens, revoked, answer, None)
        await self.session.run.clock.until(revoked.received_at + SPREAD_OF_A_REVOCATION)
        presented = tokens if presented_again else self.tokens.successor_of(answer, tokens)
        urgent = replace(self.tokens, session=self.session.urgent())
        return Revoked(tokens, revoked, answer, await urgent.refresh(presented))


def _is_accepted(answer: Answer) -> bool:
    return answer.status < 400 or answer.is_inconclusive
