"""Scope at a refresh: narrowed on request, never widened, and only for this refresh (OAuth 2.1 section 4.3)."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import REFRESH, SCOPES, check
from oauth_litmus.checks.scope.grants import (
    borrowed_grant,
    client_of_one_scope,
    equals,
    hand_on_after_refresh,
    hand_on_if_whole,
    held,
    lacks,
    narrower_login,
    not_widened,
    own_client,
    said,
    used_up,
)
from oauth_litmus.client import Target
from oauth_litmus.target.server import Server
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Tokens
    from oauth_litmus.http.answer import Answer


@check("SCOPE-01", needs={REFRESH, SCOPES})
async def subset_limits_the_token(target: Target) -> None:
    """Log in for two scopes, and refresh for the first alone."""
    kept, dropped = target.server.scopes[:2]
    async with borrowed_grant(target, kept, dropped) as tokens:
        answer = expect.conclusive(await target.tokens.refresh(tokens, scope=kept))

        if not answer.has_tokens:
            expect.ideally(False, expected="a narrowed access token", got=expect.describe(answer), at=answer)
            return
        narrowed = target.tokens.read(answer, tokens.client, kept)
        silently = dropped in (narrowed.claimed_scopes or ()) and dropped not in narrowed.scopes
        expect.that(
            not silently,
            expected=f"an access token without {dropped}, or a response that names it",
            got=f"{dropped} in the token, and {said(narrowed)}",
            at=answer,
        )
        expect.ideally(
            narrowed.scopes == frozenset({kept}), expected=f"scope {kept} alone", got=said(narrowed), at=answer
        )
        await target.until(target.now() + 1)  # see SCOPE-05
        current = narrowed if narrowed.refresh_token else tokens
        await hand_on_after_refresh(target, current, tokens, f"{kept} {dropped}")


@check("SCOPE-02", needs={REFRESH, SCOPES}, logins=2)
async def omitted_scope_means_the_original_grant(target: Target) -> None:
    """Refresh a grant of two scopes and a grant of one scope: first without scope, then with an empty scope."""
    first, second = target.server.scopes[:2]
    narrow = await client_of_one_scope(target)
    for client, scope in ((await target.clients.shared(), f"{first} {second}"), (narrow, first)):
        async with target.grants.reserved(client, scope=scope) as tokens:
            answer = await target.tokens.refresh(tokens)
            expect.tokens(answer, expected="tokens for a refresh without scope")
            refreshed = target.tokens.successor_of(answer, tokens)
            equals(refreshed, tokens)

            answer = expect.conclusive(await target.tokens.refresh(refreshed, scope=""))
            if used_up(tokens, refreshed, answer):
                continue
            expect.ideally(
                answer.has_tokens, expected="an empty scope counts as omitted", got=expect.describe(answer), at=answer
            )
            if answer.has_tokens:
                equals(target.tokens.read(answer, tokens.client, tokens.granted_scope), tokens)
            hand_on_if_whole(target, answer, refreshed)


@check("SCOPE-03", needs={REFRESH, SCOPES}, logins=2)
async def refresh_cannot_widen(target: Target) -> None:
    """Log in for one of two scopes. Refresh for both, for the other alone, and for the granted one with a star."""
    granted, beyond = target.server.scopes[:2]
    client = await client_of_one_scope(target)

    for scope in target.limit_probes((f"{granted} {beyond}", beyond, f"{granted} *"), most=2):
        async with target.grants.reserved(client, scope=granted) as tokens:
            if beyond in held(tokens):
                raise NotApplicable(f"the code exchange grants {beyond}, although only {granted} was requested")
            answer = await target.tokens.refresh(tokens, scope=scope)
            if answer.has_tokens:
                lacks(target.tokens.read(answer, client, granted), beyond)
            not_widened(target, tokens, answer, scope)
            if not answer.has_tokens:
                await hand_on_after_refresh(target, tokens, tokens)


@check("SCOPE-04", needs={REFRESH, SCOPES}, logins=3)
async def unknown_scope_is_not_granted(target: Target) -> None:
    """Refresh for an unknown scope with a granted one, for the unknown scope alone, and for a part of a granted scope's name."""
    granted = target.server.scopes[0]
    unknown = f"zz-unknown-{secrets.token_hex(4)}"

    tried = [f"{granted} {unknown}", unknown, *_fragment(target.server, granted)]

    def refresh_for(scope: str) -> Callable[[Tokens], Awaitable[Answer]]:
        return lambda tokens: target.tokens.refresh(tokens, scope=scope)

    seen = await target.probing.try_refresh_token(*(refresh_for(scope) for scope in tried))

    for scope, (tokens, answer) in zip(tried, seen, strict=True):
        not_widened(target, tokens, answer, scope)


@check("SCOPE-05", needs={REFRESH, SCOPES}, logins=2)
async def narrowing_is_not_for_ever(target: Target) -> None:
    """Refresh for a subset, then refresh the result for all granted scopes; on a second grant, refresh the result without scope."""
    kept, dropped = target.server.scopes[:2]

    for scope in (f"{kept} {dropped}", None):
        async with borrowed_grant(target, kept, dropped) as original:
            answer = expect.conclusive(await target.tokens.refresh(original, scope=kept))
            if not answer.has_tokens or dropped in held(target.tokens.read(answer, original.client, kept)):
                raise NotApplicable("the server does not narrow the scope at a refresh")
            narrowed = target.tokens.successor_of(answer, original, scope=kept)
            # Wait a second: an upstream token of the same second may be the identical token, with the narrowed scope.
            await target.until(target.now() + 1)

            answer = await target.tokens.refresh(narrowed, scope=scope)

            if used_up(original, narrowed, answer):
                raise NotApplicable("a refresh uses up its refresh token, and returns no new one")
            await target.grants.not_ended_by_a_login(answer)
            expect.tokens(answer, expected=f"tokens for {kept} {dropped}, the whole grant")
            whole = target.tokens.read(answer, original.client, f"{kept} {dropped}")
            expect.that(
                dropped in whole.scopes,
                expected=f"the whole grant: {kept} {dropped}",
                got=said(whole),
                at=answer,
            )
            equals(whole, original, *((kept, dropped) if scope else ()))
            hand_on_if_whole(target, answer, original)


@check("SCOPE-08", needs={REFRESH})
async def refused_scope_does_not_burn_the_token(target: Target) -> None:
    """Refresh for a scope that was not granted, then refresh the same token without scope."""
    async with target.grants.reserved() as tokens:
        refused = expect.conclusive(await target.tokens.refresh(tokens, scope=f"zz-unknown-{secrets.token_hex(4)}"))
        if refused.has_tokens:
            raise NotApplicable("the server narrows an excessive scope instead of refusing it")

        answer = await target.tokens.refresh(tokens)

        expect.tokens(answer, expected="tokens, since the refused request must not use up the refresh token")
        hand_on_if_whole(target, answer, tokens)


@check("SCOPE-13", needs={REFRESH, SCOPES}, logins=3)
async def grants_of_one_client_stay_apart(target: Target) -> None:
    """Log in for one scope, then for two. Refresh the first grant, and try to widen it. Then log in for one scope again."""
    granted, beyond = target.server.scopes[:2]
    client = await own_client(target)
    first = await target.grants.fresh(client, scope=granted)
    if beyond in held(first):
        raise NotApplicable(f"the code exchange grants {beyond}, although only {granted} was requested")
    await target.grants.fresh(client, scope=f"{granted} {beyond}")

    answer = expect.conclusive(await target.tokens.refresh(first))

    alive = "the older grant stays valid"
    expect.ideally(answer.has_tokens, expected=alive, got=f"{expect.describe(answer)} for its refresh token", at=answer)
    if answer.has_tokens:
        refreshed = target.tokens.successor_of(answer, first)
        lacks(refreshed, beyond)
        scope = f"{granted} {beyond}"
        widening = await target.tokens.refresh(refreshed, scope=scope)
        if not used_up(first, refreshed, widening):
            not_widened(target, refreshed, widening, scope)
    later = await narrower_login(target)
    if beyond not in later.scopes:
        lacks(later, beyond)
    expect.ideally(beyond not in later.scopes, expected=f"{granted} alone", got=said(later), at=later.answer)


def _fragment(server: Server, scope: str) -> list[str]:
    """A part of a scope's name that is not a known scope itself; empty if there is none."""
    known = {*server.scopes, *(server.listed("scopes_supported") or ())}
    pieces = (re.split(r"[:./_-]", scope)[-1], scope[: max(1, len(scope) // 2)])
    return [piece for piece in pieces if piece and piece not in known][:1]
