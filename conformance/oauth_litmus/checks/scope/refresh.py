"""Scope at a refresh: narrowed on request, never widened, and for this time only (OAuth 2.1 section 4.3)."""

from __future__ import annotations

import re
import secrets

from oauth_litmus import expect
from oauth_litmus.check import REFRESH, SCOPES, check
from oauth_litmus.checks.scope.grants import (
    client_of_one_scope,
    equals,
    grant_of,
    held,
    lacks,
    not_widened,
    own_client,
    said,
    used_up,
)
from oauth_litmus.client import Target
from oauth_litmus.target import Server
from oauth_litmus.verdict import NotApplicable


@check("SCOPE-01", needs={REFRESH, SCOPES})
async def subset_limits_the_token(target: Target) -> None:
    """Grant two scopes and refresh with the first alone."""
    kept, dropped = target.server.scopes[:2]
    tokens = await grant_of(target, kept, dropped)

    answer = expect.conclusive(await target.refresh(tokens, scope=kept))

    if not answer.has_tokens:
        expect.ideally(False, expected="a narrowed access token", got=expect.describe(answer), at=answer)
        return
    narrowed = target.tokens_of(answer, tokens.client, kept)
    silently = dropped in (narrowed.claimed_scopes or ()) and dropped not in narrowed.scopes
    expect.that(
        not silently,
        expected=f"an access token without {dropped}, or a response that names it",
        got=f"{dropped} in the token, and a response that says {said(narrowed)}",
        at=answer,
    )
    expect.ideally(narrowed.scopes == frozenset({kept}), expected=f"scope {kept} alone", got=said(narrowed), at=answer)


@check("SCOPE-02", needs={REFRESH, SCOPES}, logins=2)
async def omitted_scope_means_the_original_grant(target: Target) -> None:
    """Refresh a grant of two scopes and one of a single scope, without scope and with an empty one."""
    first, second = target.server.scopes[:2]
    narrow = await client_of_one_scope(target)
    for client, scope in ((await target.client(), f"{first} {second}"), (narrow, first)):
        tokens = await target.tokens(client, scope=scope)
        answer = await target.refresh(tokens)
        expect.tokens(answer, expected="tokens for a refresh without scope")
        refreshed = target.successor_of(answer, tokens)
        equals(refreshed, tokens)

        answer = expect.conclusive(await target.refresh(refreshed, scope=""))
        if used_up(tokens, refreshed, answer):
            continue
        expect.ideally(
            answer.has_tokens, expected="an empty scope counts as omitted", got=expect.describe(answer), at=answer
        )
        if answer.has_tokens:
            equals(target.tokens_of(answer, tokens.client, tokens.granted_scope), tokens)


@check("SCOPE-03", needs={REFRESH, SCOPES}, logins=2)
async def refresh_cannot_widen(target: Target) -> None:
    """Grant one of the client's scopes, then refresh for both, and (another grant) for the other one alone."""
    granted, beyond = target.server.scopes[:2]
    client = await client_of_one_scope(target)

    for scope in (f"{granted} {beyond}", beyond):
        tokens = await target.tokens(client, scope=granted)
        if beyond in held(tokens):
            raise NotApplicable(f"the code exchange grants {beyond} though {granted} alone was asked for")
        not_widened(target, tokens, await target.refresh(tokens, scope=scope), scope)


@check("SCOPE-04", needs={REFRESH, SCOPES}, logins=3)
async def unknown_scope_is_not_granted(target: Target) -> None:
    """Refresh for an unknown scope beside a granted one, alone, and for a fragment of a granted scope's name."""
    granted = target.server.scopes[0]
    unknown = f"zz-unknown-{secrets.token_hex(4)}"

    for scope in (f"{granted} {unknown}", unknown, _fragment(target.server, granted)):
        if scope is not None:
            tokens, answer = await target.try_refresh_token(lambda them, it=scope: target.refresh(them, scope=it))
            not_widened(target, tokens, answer, scope)


@check("SCOPE-05", needs={REFRESH, SCOPES}, logins=2)
async def narrowing_is_not_for_ever(target: Target) -> None:
    """Refresh for a subset, then refresh what that brought for everything, and (another grant) without scope."""
    kept, dropped = target.server.scopes[:2]

    for scope in (f"{kept} {dropped}", None):
        original = await grant_of(target, kept, dropped)
        answer = expect.conclusive(await target.refresh(original, scope=kept))
        if not answer.has_tokens or dropped in held(target.tokens_of(answer, original.client, kept)):
            raise NotApplicable("the server does not narrow at a refresh")
        narrowed = target.successor_of(answer, original, scope=kept)
        # A second apart: an upstream token of the same second may be the very same bytes, with the narrowed scope.
        await target.until(target.now() + 1)

        answer = await target.refresh(narrowed, scope=scope)

        if used_up(original, narrowed, answer):
            raise NotApplicable("a refresh ends its refresh token, and brings no other one")
        expect.tokens(answer, expected=f"tokens for {kept} {dropped}, the whole of the grant")
        whole = target.tokens_of(answer, original.client, f"{kept} {dropped}")
        expect.that(
            dropped in whole.scopes, expected=f"the whole of the grant: {kept} {dropped}", got=said(whole), at=answer
        )
        equals(whole, original)


@check("SCOPE-08", needs={REFRESH})
async def refused_scope_does_not_burn_the_token(target: Target) -> None:
    """Refresh for a scope that was not granted, then refresh the same token without scope."""
    tokens = await target.tokens()
    refused = expect.conclusive(await target.refresh(tokens, scope=f"zz-unknown-{secrets.token_hex(4)}"))
    if refused.has_tokens:
        raise NotApplicable("the server narrows an excessive scope instead of refusing it")

    answer = await target.refresh(tokens)

    expect.tokens(answer, expected="tokens: the refused scope cost nothing")


@check("SCOPE-13", needs={REFRESH, SCOPES}, logins=3)
async def grants_of_one_client_stay_apart(target: Target) -> None:
    """Let one user grant a client one scope, then two, then one, and refresh what the first grant brought."""
    granted, beyond = target.server.scopes[:2]
    client = await own_client(target)
    first = await target.tokens(client, scope=granted)
    if beyond in held(first):
        raise NotApplicable(f"the code exchange grants {beyond} though {granted} alone was asked for")
    await target.tokens(client, scope=f"{granted} {beyond}")

    answer = expect.conclusive(await target.refresh(first))

    alive = "the older grant goes on"
    expect.ideally(answer.has_tokens, expected=alive, got=f"its refresh token: {expect.describe(answer)}", at=answer)
    if answer.has_tokens:
        refreshed = target.successor_of(answer, first)
        lacks(refreshed, beyond)
        scope = f"{granted} {beyond}"
        widening = await target.refresh(refreshed, scope=scope)
        if not used_up(first, refreshed, widening):
            not_widened(target, refreshed, widening, scope)
    later = await target.tokens(client, scope=granted)
    if beyond not in later.scopes:
        lacks(later, beyond)
    expect.ideally(beyond not in later.scopes, expected=f"{granted} alone", got=said(later), at=later.answer)


def _fragment(server: Server, scope: str) -> str | None:
    """A piece of a scope's name that is no scope itself."""
    known = {*server.scopes, *(server.listed("scopes_supported") or ())}
    pieces = (re.split(r"[:./_-]", scope)[-1], scope[: max(1, len(scope) // 2)])
    return next((piece for piece in pieces if piece and piece not in known), None)
