"""Grants of selected scopes, and expectations about the scopes of their tokens (OAuth 2.1 sections 1.4.1 and 4.3)."""

from __future__ import annotations

from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.client.shared import shared
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from oauth_litmus.client import Attempt, Client, Target, Tokens
    from oauth_litmus.http.answer import Answer


@dataclass(frozen=True)
class Outcome:
    """The result of an authorization request: the attempt, and the answer to the exchange of its code, if there is a code."""

    attempt: Attempt
    redeemed: Answer | None

    @property
    def last(self) -> Answer:
        """The last answer: to the exchange, or else of the attempt."""
        return self.redeemed or self.attempt.last


async def grant_of(target: Target, *scopes: str) -> Tokens:
    """Tokens of a fresh login that granted all of these scopes."""
    return _all_of(await target.grants.fresh(scope=" ".join(scopes)), *scopes)


@asynccontextmanager
async def borrowed_grant(target: Target, *scopes: str) -> AsyncGenerator[Tokens]:
    """Tokens with all of these scopes, for checks that hand the grant on to other checks afterwards."""
    async with target.grants.reserved(scope=" ".join(scopes)) as tokens:
        yield _all_of(tokens, *scopes)


def _all_of(tokens: Tokens, *scopes: str) -> Tokens:
    if not tokens.scopes >= set(scopes):
        wanted = " ".join(scopes)
        raise Skipped(f"a login for scope {wanted} gave {said(tokens)}: declare `scopes` that can be granted")
    return tokens


async def own_client(target: Target) -> Client:
    """A new client without any grant; if the profile configures clients, the ordinary one."""
    return await (target.clients.shared() if target.clients.configured else target.clients.new())


@shared
async def client_of_one_scope(target: Target) -> Client:
    """A client to which the user grants only the first scope, since a server may remember earlier grants."""
    return await own_client(target)


def hand_on_if_whole(target: Target, answer: Answer, original: Tokens) -> None:
    """Hand a grant on to other checks if its last refresh returned all granted scopes."""
    if answer.has_tokens:
        tokens = target.tokens.read(answer, original.client, original.granted_scope)
        if held(tokens) == held(original):
            target.grants.add_to_pool(replace(tokens, refresh_token=tokens.refresh_token or original.refresh_token))


async def hand_on_after_refresh(target: Target, tokens: Tokens, original: Tokens, scope: str | None = None) -> None:
    """Refresh once more and hand the grant on if it is whole. A failure does not affect the verdict."""
    with suppress(Blocked):
        hand_on_if_whole(target, await target.tokens.refresh(tokens, scope=scope), original)


@shared
async def narrower_login(target: Target) -> Tokens:
    """Tokens of a login for the first scope alone, with a client that was granted more before. Checks only inspect them."""
    client, scope = await target.clients.shared(), target.server.scopes[0]
    return await target.grants.fresh(client, scope=scope)


def held(tokens: Tokens) -> frozenset[str]:
    """The scopes that the response or the token names as granted."""
    return tokens.scopes | (tokens.claimed_scopes or frozenset())


def said(tokens: Tokens) -> str:
    """Whether the token response names a scope, and which, in words."""
    return (
        "a response without scope"
        if tokens.disclosed_scopes is None
        else f"a response with scope {' '.join(sorted(tokens.scopes))}"
    )


def lacks(tokens: Tokens, scope: str) -> None:
    """Require that neither the response nor the token names this scope."""
    expect.that(
        scope not in held(tokens),
        obtained=True,
        expected=f"no {scope}, which was not granted",
        got=f"{scope} in the {'response' if scope in tokens.scopes else 'access token'}",
        at=tokens.answer,
    )


def equals(refreshed: Tokens, original: Tokens, *asked: str) -> None:
    """Require the scopes of the original grant, or the requested part of them; fewer only if the response says so.

    The scope claim of a token is compared only with the scope claim of the original token.
    """
    for scope in sorted(held(refreshed) - held(original)):
        lacks(refreshed, scope)
    lost = (original.scopes - refreshed.scopes) | (
        (original.claimed_scopes or frozenset()) - (refreshed.claimed_scopes or frozenset())
        if refreshed.claimed_scopes is not None
        else frozenset[str]()
    )
    if asked:
        lost &= set(asked)
    whole = f"scope {' '.join(sorted(asked or original.scopes))}, as it was granted"
    silently = lost & refreshed.scopes
    expect.that(not silently, expected=whole, got=f"a token without {' '.join(sorted(silently))}", at=refreshed.answer)
    expect.ideally(not lost, expected=whole, got=said(refreshed), at=refreshed.answer)


def not_widened(target: Target, before: Tokens, answer: Answer, asked: str) -> None:
    """Require that scopes beyond the grant are refused, or omitted by a response that says so."""
    beyond = set(asked.split()) - held(before)
    if not expect.conclusive(answer).has_tokens:
        expect.refused_grant(answer, "invalid_scope", because=f"{' '.join(sorted(beyond))} was not granted")
        return
    after = target.tokens.read(answer, before.client, asked)
    wanted = f"invalid_scope, or a response whose scope lacks {' '.join(sorted(beyond))}"
    expect.that(not beyond & held(after), obtained=True, expected=wanted, got=f"tokens, and {said(after)}", at=answer)
    alone = not set(asked.split()) & held(before)
    expect.ideally(
        not alone, expected="invalid_scope, since none of the requested scopes was granted", got=said(after), at=answer
    )


def used_up(tokens: Tokens, successor: Tokens, answer: Answer) -> bool:
    """Whether a refresh used up the refresh token without a new one: a refusal after that proves nothing."""
    return successor.refresh_token == tokens.refresh_token and answer.error == "invalid_grant"


async def one_scope(target: Target) -> Tokens:
    """Tokens of a login for the first scope alone. Checks share and only inspect them.

    Raises:
        NotApplicable: the login also grants the second scope.
    """
    first, second = target.server.scopes[:2]
    tokens = await _tokens_of_first_scope(target)
    if second in held(tokens):
        raise NotApplicable(f"the code exchange grants {second}, although only {first} was requested")
    return tokens


@shared
async def _tokens_of_first_scope(target: Target) -> Tokens:
    return await target.grants.fresh(await client_of_one_scope(target), scope=target.server.scopes[0])


async def outcome_of(target: Target, client: Client, scope: str) -> Outcome:
    """Log in for this scope, and redeem the code if there is one; judge nothing."""
    attempt = await target.authorization.attempt(target.authorization.request(client, scope=scope))
    return Outcome(attempt, await target.tokens.redeem(target.authorization.code_of(attempt)) if attempt.code else None)


@shared
async def without_scope(target: Target) -> Outcome:
    """The outcome of a login without scope; checks share it."""
    client = await target.clients.shared()
    return await outcome_of(target, client, "")
