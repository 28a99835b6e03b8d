"""Verbs that try a code or a refresh token which other checks try too, as long as it survives that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.client.replicas import ReplicaVerbs
from oauth_litmus.lending import Lender, Proof

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.answer import Answer
    from oauth_litmus.authorization import Code, Tokens
    from oauth_litmus.client.token_endpoint import TokenVerbs
    from oauth_litmus.clients import Client


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

        async def one(code: Code) -> list[Answer]:
            return [await probe(code)]

        return (await self.try_code_repeatedly(one, client))[0]

    async def try_code_repeatedly(
        self, probe: Callable[[Code], Awaitable[list[Answer]]], client: Client | None = None
    ) -> list[Answer]:
        """The answers to several ways of redeeming one code, all of which ought to be refused; else see `try_code`."""
        owner = client or await self.client()
        lender = self.run.lenders.get(("code", owner.client_id))
        if lender is None:
            lender = self.run.lenders[("code", owner.client_id)] = Lender(lambda by: by.login(owner), _redeemed)
        return (await lender.lend(self, probe))[1]

    async def try_refresh_token(self, probe: Callable[[Tokens], Awaitable[Answer]]) -> tuple[Tokens, Answer]:
        """Tokens that are alive, and the answer to one use of their refresh token, which ought to be refused; see `try_code`.

        Raises:
            Blocked: there is no refresh token to be had.
        """

        async def one(tokens: Tokens) -> list[Answer]:
            return [await probe(tokens)]

        lender = self.run.lenders.get("refresh token")
        if lender is None:
            lender = self.run.lenders["refresh token"] = Lender(lambda by: by.tokens(), _refreshed)
        tokens, answers = await lender.lend(self, one)
        return tokens, answers[0]


async def _redeemed(target: TokenVerbs, code: Code) -> Proof[Code]:
    return Proof((await target.redeem(code)).has_tokens)


async def _refreshed(target: TokenVerbs, tokens: Tokens) -> Proof[Tokens]:
    answer = await target.refresh(tokens)
    if not answer.has_tokens:
        return Proof(alive=False)
    successor = target.tokens_of(answer, tokens.client, tokens.granted_scope)
    return Proof(alive=True, successor=successor if successor.refresh_token else None)
