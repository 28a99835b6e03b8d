"""Verbs that try a code, a refresh token or a login which other checks try too, as long as it survives that."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from oauth_litmus.client.grant_pool import LONGEST, Lender, Proof
from oauth_litmus.client.replicas import ReplicaVerbs
from oauth_litmus.oauth.authorization import new_verifier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Sequence

    from oauth_litmus.client.shared_grants import SharedGrantVerbs
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.authorization import Attempt, Code, Tokens
    from oauth_litmus.oauth.clients import Client

G = TypeVar("G")
R = TypeVar("R")


class LentGrantVerbs(ReplicaVerbs):
    """What a client tries with a grant, and should not get away with."""

    async def try_code(self, probe: Callable[[Code], Awaitable[Answer]], client: Client | None = None) -> Answer:
        """The answer to one way of redeeming a code that is alive, which ought to be refused.

        Args:
            probe: sends the one request; it may be called again, with another code.
            client: whose code it is; by default that of the shared client.

        Raises:
            Blocked: there is no code to be had.
        """
        return (await self.try_code_in_ways([probe], client))[0]

    async def try_code_in_ways(
        self, probes: Sequence[Callable[[Code], Awaitable[Answer]]], client: Client | None = None
    ) -> list[Answer]:
        """The answers to several ways of redeeming a code that is alive, as far as it goes the same; else see `try_code`."""
        seen = await self.try_code_repeatedly([_alone(probe) for probe in probes], client)
        return [answers[0] for answers in seen]

    async def try_code_repeatedly(
        self, probes: Sequence[Callable[[Code], Awaitable[list[Answer]]]], client: Client | None = None
    ) -> list[list[Answer]]:
        """The same with probes of several requests each, all of which ought to be refused."""
        owner = client or await self.client()
        lifetime = self.server.profile.lifetimes.code
        lender = self._lender(("code", owner.client_id), partial(_code_of, owner), _redeemed, _brought_tokens, lifetime)
        return [answers for _, answers in await lender.lend(self, *probes)]

    async def try_refresh_token(self, *probes: Callable[[Tokens], Awaitable[Answer]]) -> list[tuple[Tokens, Answer]]:
        """For each probe tokens that are alive, and the answer to its use of them, which ought to be refused; see `try_code`.

        Raises:
            Blocked: there is no refresh token to be had.
        """
        lifetime = self.server.profile.lifetimes.refresh_token
        lender = self._lender("refresh token", lambda by: by.living_tokens(), _refreshed, _brought_tokens, lifetime)
        return [(tokens, answers[0]) for tokens, answers in await lender.lend(self, *map(_alone, probes))]

    async def try_callback(self, *probes: Callable[[Attempt], Awaitable[list[Attempt]]]) -> list[list[Attempt]]:
        """What became of several ways to deliver the callback of a login that is pending, none of which ought to give a code.

        Args:
            probes: each with a browser of its own or a copy of the login's; they may be called again, with another login.

        Raises:
            Blocked: there is no login to be had.
        """
        lifetime = self.server.profile.lifetimes.pending_login
        lender = self._lender("callback", _held, _delivered, _brought_a_code, lifetime, longest=math.inf)
        return [attempts for _, attempts in await lender.lend(self, *probes)]

    def _lender(
        self,
        what: Hashable,
        make: Callable[[SharedGrantVerbs], Awaitable[G]],
        prove: Callable[[SharedGrantVerbs, G], Awaitable[Proof[G]]],
        is_granted: Callable[[R], bool],
        lifetime: float | None,
        longest: float = LONGEST,
    ) -> Lender[G, R]:
        """The one that lends this to all checks; one of several where no limit makes logins dear."""
        key = (what, self.share())
        if key not in self.run.lenders:
            longest = min(longest, lifetime / 2) if lifetime else LONGEST
            self.run.lenders[key] = Lender(make, prove, is_granted, longest)
        return self.run.lenders[key]


async def _held(target: SharedGrantVerbs) -> Attempt:
    return await target.hold_callback(target.request(await target.client()))


async def _delivered(target: SharedGrantVerbs, held: Attempt) -> Proof[Attempt]:
    # With a fresh code of the upstream, where one can be had: the probes may have used the first one up.
    url = held.callback_url if target.run.upstream is None else await target.call_back(held)
    return Proof((await target.deliver_callback(held, url=url)).code is not None)


def _brought_a_code(attempts: list[Attempt]) -> bool:
    return any(attempt.code is not None for attempt in attempts)


def _brought_tokens(answers: list[Answer]) -> bool:
    return any(answer.has_tokens for answer in answers)


def _alone(probe: Callable[[G], Awaitable[Answer]]) -> Callable[[G], Awaitable[list[Answer]]]:
    async def one(grant: G) -> list[Answer]:
        return [await probe(grant)]

    return one


async def _code_of(owner: Client, target: SharedGrantVerbs) -> Code:
    # Its verifier begins with a small letter: there are probes that present another letter in its place.
    return await target.login(request=target.request(owner, code_verifier=f"a{new_verifier(63)}"))


async def _redeemed(target: SharedGrantVerbs, code: Code) -> Proof[Code]:
    return Proof((await target.redeem(code)).has_tokens)


async def _refreshed(target: SharedGrantVerbs, tokens: Tokens) -> Proof[Tokens]:
    answer = await target.refresh(tokens)
    if not answer.has_tokens:
        return Proof(alive=False)
    successor = target.tokens_of(answer, tokens.client, tokens.granted_scope)
    if successor.refresh_token and successor.scopes == tokens.scopes:
        target.hand_on(successor)
    return Proof(alive=True)
