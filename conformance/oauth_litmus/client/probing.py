"""Tries what a server ought to refuse, with grants that several probes share as long as the grants survive it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from oauth_litmus.client.grant_pool import LONGEST, GrantPool, Proof
from oauth_litmus.oauth.pkce import new_verifier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Sequence

    from oauth_litmus.client.authorization import Authorization
    from oauth_litmus.client.callbacks import Callbacks
    from oauth_litmus.client.clients import Clients
    from oauth_litmus.client.grants import Grants
    from oauth_litmus.client.session import Session
    from oauth_litmus.client.tokens import TokenEndpoint
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.attempt import Attempt
    from oauth_litmus.oauth.clients import Client
    from oauth_litmus.oauth.grants import Code, Tokens

G = TypeVar("G")
R = TypeVar("R")


@dataclass(frozen=True)
class Probing:
    """Sends probes that a server ought to refuse, each with a grant that is valid at that moment."""

    session: Session
    clients: Clients
    authorization: Authorization
    callbacks: Callbacks
    tokens: TokenEndpoint
    grants: Grants

    async def try_code(self, probe: Callable[[Code], Awaitable[Answer]], client: Client | None = None) -> Answer:
        """Send one probe with a valid code, and return its answer.

        Args:
            probe: sends one request. It may be called again with another code.
            client: the client of the code; by default the shared one.

        Raises:
            Blocked: no code could be obtained.
        """
        return (await self.try_code_in_ways([probe], client))[0]

    async def try_code_in_ways(
        self, probes: Sequence[Callable[[Code], Awaitable[Answer]]], client: Client | None = None
    ) -> list[Answer]:
        """Send several probes, each with a valid code, as `try_code` does. They share one code as long as it survives."""
        seen = await self.try_code_repeatedly([_single(probe) for probe in probes], client)
        return [answers[0] for answers in seen]

    async def try_code_repeatedly(
        self, probes: Sequence[Callable[[Code], Awaitable[list[Answer]]]], client: Client | None = None
    ) -> list[list[Answer]]:
        """Send several probes, each of several requests, with valid codes. All answers should be refusals."""
        owner = client or await self.clients.shared()
        lifetime = self.session.server.profile.lifetimes.code
        key = ("code", owner.client_id)
        pool = self._pool(key, partial(_code_of, owner), _redeemed, _any_tokens, lifetime)
        return [answers for _, answers in await pool.probe(self, *probes)]

    async def try_refresh_token(self, *probes: Callable[[Tokens], Awaitable[Answer]]) -> list[tuple[Tokens, Answer]]:
        """Send each probe with a valid refresh token. Returns for each the tokens it used and its answer.

        Raises:
            Blocked: no refresh token could be obtained.
        """
        lifetime = self.session.server.profile.lifetimes.refresh_token
        pool = self._pool("refresh token", lambda by: by.grants.from_pool(), _refreshed, _any_tokens, lifetime)
        return [(tokens, answers[0]) for tokens, answers in await pool.probe(self, *map(_single, probes))]

    async def try_callback(self, *probes: Callable[[Attempt], Awaitable[list[Attempt]]]) -> list[list[Attempt]]:
        """Deliver the callback of a pending login in several wrong ways. None of them should end with a code.

        Args:
            probes: each uses a browser of its own or a copy of the login's. It may be called again with another login.

        Raises:
            Blocked: no login could be obtained.
        """
        lifetime = self.session.server.profile.lifetimes.pending_login
        pool = self._pool("callback", _held, _delivered, _any_code, lifetime, longest=math.inf)
        return [attempts for _, attempts in await pool.probe(self, *probes)]

    def _pool(
        self,
        kind: Hashable,
        make: Callable[[Probing], Awaitable[G]],
        prove: Callable[[Probing, G], Awaitable[Proof[G]]],
        is_granted: Callable[[R], bool],
        lifetime: float | None,
        longest: float = LONGEST,
    ) -> GrantPool[Probing, G, R]:
        """The pool of one kind of grant for this check."""
        key, pools = (kind, self.grants.pool_number()), self.session.run.grant_pools
        if key not in pools:
            longest = min(longest, lifetime / 2) if lifetime else LONGEST
            pools[key] = GrantPool(make, prove, is_granted, longest)
        return pools[key]


async def _held(by: Probing) -> Attempt:
    return await by.callbacks.hold(by.authorization.request(await by.clients.shared()))


async def _delivered(by: Probing, held: Attempt) -> Proof[Attempt]:
    # If possible with a fresh code of the upstream, because the probes may have used the first one up.
    url = await by.callbacks.obtain(held) if by.session.controls_upstream else held.callback_url
    return Proof((await by.callbacks.deliver(held, url=url)).code is not None)


def _any_code(attempts: list[Attempt]) -> bool:
    return any(attempt.code is not None for attempt in attempts)


def _any_tokens(answers: list[Answer]) -> bool:
    return any(answer.has_tokens for answer in answers)


def _single(probe: Callable[[G], Awaitable[Answer]]) -> Callable[[G], Awaitable[list[Answer]]]:
    async def one(grant: G) -> list[Answer]:
        return [await probe(grant)]

    return one


async def _code_of(owner: Client, by: Probing) -> Code:
    # The verifier begins with a lower-case letter, because some probes present another letter in its place.
    request = by.authorization.request(owner, code_verifier=f"a{new_verifier(63)}")
    return await by.authorization.login(request=request)


async def _redeemed(by: Probing, code: Code) -> Proof[Code]:
    return Proof((await by.tokens.redeem(code)).has_tokens)


async def _refreshed(by: Probing, tokens: Tokens) -> Proof[Tokens]:
    answer = await by.tokens.refresh(tokens)
    if not answer.has_tokens:
        return Proof(valid=False)
    successor = by.tokens.read(answer, tokens.client, tokens.granted_scope)
    if successor.refresh_token and successor.scopes == tokens.scopes:
        by.grants.add_to_pool(successor)
    return Proof(valid=True)
