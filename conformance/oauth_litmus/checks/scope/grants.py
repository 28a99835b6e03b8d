"""Grants of some scopes and not of others, and what may come out of them (OAuth 2.1 sections 1.4.1 and 4.3)."""

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
    """What became of an authorization request: how far it went, and the answer to its code, if it brought one."""

    attempt: Attempt
    redeemed: Answer | None

    @property
    def last(self) -> Answer:
        """The answer with which it ended."""
        return self.redeemed or self.attempt.last


async def grant_of(target: Target, *scopes: str) -> Tokens:
    """Tokens of a fresh login that brought all of these scopes."""
    return _all_of(await target.grants.fresh(scope=" ".join(scopes)), *scopes)


@asynccontextmanager
async def borrowed_grant(target: Target, *scopes: str) -> AsyncGenerator[Tokens]:
    """Tokens that are good for all of these scopes, for checks that hand them on."""
    async with target.grants.reserved(scope=" ".join(scopes)) as tokens:
        yield _all_of(tokens, *scopes)


def _all_of(tokens: Tokens, *scopes: str) -> Tokens:
    if not tokens.scopes >= set(scopes):
        wanted = " ".join(scopes)
        raise Skipped(f"a login for scope {wanted} brought {said(tokens)}: declare `scopes` that can be granted")
    return tokens


async def own_client(target: Target) -> Client:
    """A client to which nobody has granted anything yet, where clients can be registered."""
    return await (target.clients.shared() if target.clients.configured else target.clients.new())


@shared
async def client_of_one_scope(target: Target) -> Client:
    """A client to which the user never grants more than the first scope: a server may remember what was granted."""
    return await own_client(target)


def hand_on_if_whole(target: Target, answer: Answer, original: Tokens) -> None:
    """Leave a grant to other checks, if its last refresh brought all that was granted."""
    if answer.has_tokens:
        tokens = target.tokens.read(answer, original.client, original.granted_scope)
        if held(tokens) == held(original):
            target.grants.add_to_pool(replace(tokens, refresh_token=tokens.refresh_token or original.refresh_token))


async def hand_on_after_refresh(target: Target, tokens: Tokens, original: Tokens, scope: str | None = None) -> None:
    """The same, after a refresh for that alone: nothing that was judged hangs on it."""
    with suppress(Blocked):
        hand_on_if_whole(target, await target.tokens.refresh(tokens, scope=scope), original)


@shared
async def narrower_login(target: Target) -> Tokens:
    """Tokens of a login for the first scope alone, at a client that was granted more before; checks only look at them."""
    client, scope = await target.clients.shared(), target.server.scopes[0]
    return await target.grants.fresh(client, scope=scope)


def held(tokens: Tokens) -> frozenset[str]:
    """What was granted, by the response or by the token."""
    return tokens.scopes | (tokens.claimed_scopes or frozenset())


def said(tokens: Tokens) -> str:
    """What the response says of scope, in words."""
    return "nothing of scope" if tokens.disclosed_scopes is None else f"scope {' '.join(sorted(tokens.scopes))}"


def lacks(tokens: Tokens, scope: str) -> None:
    """Neither the response nor the token names this scope."""
    expect.that(
        scope not in held(tokens),
        expected=f"no {scope}, which this grant does not have",
        got=f"{scope} in the {'response' if scope in tokens.scopes else 'access token'}",
        at=tokens.answer,
    )


def equals(refreshed: Tokens, original: Tokens, *asked: str) -> None:
    """The same scopes as the original grant, or those of it that were asked for; fewer only if the response says so.

    Claims are compared with claims.
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
    """What was not granted is refused, or left out by a response that says so."""
    beyond = set(asked.split()) - held(before)
    if not expect.conclusive(answer).has_tokens:
        expect.refused_grant(answer, "invalid_scope", because=f"{' '.join(sorted(beyond))} was not granted")
        return
    after = target.tokens.read(answer, before.client, asked)
    wanted = f"invalid_scope, or a response whose scope lacks {' '.join(sorted(beyond))}"
    expect.that(not beyond & held(after), expected=wanted, got=f"tokens, with {said(after)}", at=answer)
    alone = not set(asked.split()) & held(before)
    expect.ideally(
        not alone, expected="invalid_scope: nothing of what was asked for can be granted", got=said(after), at=answer
    )


def used_up(tokens: Tokens, successor: Tokens, answer: Answer) -> bool:
    """Whether the first refresh ended its refresh token and brought no other one: what is refused then shows nothing."""
    return successor.refresh_token == tokens.refresh_token and answer.error == "invalid_grant"


async def one_scope(target: Target) -> Tokens:
    """Tokens of a login for the first scope alone, which checks share and only look at.

    Raises:
        NotApplicable: the login brings the second one too.
    """
    first, second = target.server.scopes[:2]
    tokens = await _tokens_of_first_scope(target)
    if second in held(tokens):
        raise NotApplicable(f"the code exchange grants {second} though {first} alone was asked for")
    return tokens


@shared
async def _tokens_of_first_scope(target: Target) -> Tokens:
    return await target.grants.fresh(await client_of_one_scope(target), scope=target.server.scopes[0])


async def outcome_of(target: Target, client: Client, scope: str) -> Outcome:
    """Ask for this scope, log in, and redeem the code if there is one; nothing is judged."""
    attempt = await target.authorization.attempt(target.authorization.request(client, scope=scope))
    return Outcome(attempt, await target.tokens.redeem(target.authorization.code_of(attempt)) if attempt.code else None)


@shared
async def without_scope(target: Target) -> Outcome:
    """What became of a login without scope, which checks share."""
    client = await target.clients.shared()
    return await outcome_of(target, client, "")
