"""Scope at the token endpoint: narrowed and disclosed, never widened (OAuth 2.1 sections 1.4.1 and 4.3)."""

from __future__ import annotations

import re
import secrets

from oauth_litmus import expect
from oauth_litmus.answer import Answer
from oauth_litmus.check import LOGIN, REFRESH, SCOPES, check
from oauth_litmus.client import Client, Target, Tokens
from oauth_litmus.target import Server
from oauth_litmus.verdict import NotApplicable, Skipped


@check("SCOPE-01", needs={REFRESH, SCOPES})
async def subset_limits_the_token(target: Target) -> None:
    """Grant two scopes and refresh with the first alone."""
    kept, dropped = target.server.scopes[:2]
    tokens = await _granted(target, kept, dropped)

    answer = expect.conclusive(await target.refresh(tokens, scope=kept))

    if not answer.has_tokens:
        expect.ideally(False, expected="a narrowed access token", got=expect.describe(answer), at=answer)
        return
    narrowed = target.tokens_of(answer, tokens.client, kept)
    silently = dropped in (narrowed.claimed_scopes or ()) and dropped not in narrowed.scopes
    expect.that(
        not silently,
        expected=f"an access token without {dropped}, or a response that names it",
        got=f"{dropped} in the token, and a response that says {_said(narrowed)}",
        at=answer,
    )
    expect.ideally(narrowed.scopes == frozenset({kept}), expected=f"scope {kept} alone", got=_said(narrowed), at=answer)


@check("SCOPE-02", needs={REFRESH, SCOPES}, logins=2)
async def omitted_scope_means_the_original_grant(target: Target) -> None:
    """Refresh a grant of two scopes and one of a single scope, without scope and with an empty one."""
    first, second = target.server.scopes[:2]
    narrow = await target.tokens(await _client_of_one_scope(target), scope=first)
    for tokens in (await target.tokens(scope=f"{first} {second}"), narrow):
        answer = await target.refresh(tokens)
        expect.tokens(answer, expected="tokens for a refresh without scope")
        refreshed = target.tokens_of(answer, tokens.client, tokens.granted_scope)
        _equals(refreshed, tokens)

        answer = expect.conclusive(await target.refresh(refreshed, scope=""))
        expect.ideally(
            answer.has_tokens, expected="an empty scope counts as omitted", got=expect.describe(answer), at=answer
        )
        if answer.has_tokens:
            _equals(target.tokens_of(answer, tokens.client, tokens.granted_scope), tokens)


@check("SCOPE-03", needs={REFRESH, SCOPES}, logins=2)
async def refresh_cannot_widen(target: Target) -> None:
    """Grant one of the client's scopes, then refresh for both, and (another grant) for the other one alone."""
    granted, beyond = target.server.scopes[:2]
    client = await _client_of_one_scope(target)

    for scope in (f"{granted} {beyond}", beyond):
        tokens = await target.tokens(client, scope=granted)
        if beyond in _held(tokens):
            raise NotApplicable(f"the code exchange grants {beyond} though {granted} alone was asked for")
        _not_widened(target, tokens, await target.refresh(tokens, scope=scope), scope)


@check("SCOPE-04", needs={REFRESH, SCOPES}, logins=3)
async def unknown_scope_is_not_granted(target: Target) -> None:
    """Refresh for an unknown scope beside a granted one, alone, and for a fragment of a granted scope's name."""
    granted = target.server.scopes[0]
    unknown = f"zz-unknown-{secrets.token_hex(4)}"

    for scope in (f"{granted} {unknown}", unknown, _fragment(target.server, granted)):
        if scope is not None:
            tokens = await target.tokens()
            _not_widened(target, tokens, await target.refresh(tokens, scope=scope), scope)


@check("SCOPE-05", needs={REFRESH, SCOPES}, logins=2)
async def narrowing_is_not_for_ever(target: Target) -> None:
    """Refresh for a subset, then refresh what that brought for everything, and (another grant) without scope."""
    kept, dropped = target.server.scopes[:2]

    for scope in (f"{kept} {dropped}", None):
        original = await _granted(target, kept, dropped)
        answer = expect.conclusive(await target.refresh(original, scope=kept))
        if not answer.has_tokens or dropped in _held(target.tokens_of(answer, original.client, kept)):
            raise NotApplicable("the server does not narrow at a refresh")
        narrowed = target.tokens_of(answer, original.client, kept)
        # A second apart: an upstream token of the same second may be the very same bytes, with the narrowed scope.
        await target.until(target.now() + 1)

        current = narrowed if narrowed.refresh_token else original
        answer = await target.refresh(current, scope=scope)

        expect.tokens(answer, expected=f"tokens for {kept} {dropped}, the whole of the grant")
        whole = target.tokens_of(answer, original.client, f"{kept} {dropped}")
        expect.that(
            dropped in whole.scopes, expected=f"the whole of the grant: {kept} {dropped}", got=_said(whole), at=answer
        )
        _equals(whole, original)


@check("SCOPE-06", needs={LOGIN, SCOPES}, logins=3)
async def changed_scope_is_disclosed(target: Target) -> None:
    """Log in for two scopes, for one, and without scope, and compare each token with what its response says."""
    first, second = target.server.scopes[:2]
    client = await target.client()

    seen = [_discloses(await target.tokens(client, scope=scope), target) for scope in (f"{first} {second}", first)]
    attempt = await target.attempt(target.request(client, scope=""))
    if attempt.response is not None and attempt.response.error == "invalid_scope":
        seen.append(False)
    else:
        tokens = await target.tokens_for(target.code_of(attempt))
        expect.ideally(
            tokens.disclosed_scopes is not None,
            expected="a response with scope, since the request had none",
            got="no scope in the response",
            at=tokens.answer,
        )
        seen.append(True)
    if not any(seen):
        raise Skipped("neither the access token nor the response tells what was granted")


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
    client = await _own_client(target)
    first = await target.tokens(client, scope=granted)
    if beyond in _held(first):
        raise NotApplicable(f"the code exchange grants {beyond} though {granted} alone was asked for")
    await target.tokens(client, scope=f"{granted} {beyond}")

    answer = expect.conclusive(await target.refresh(first))

    alive = "the older grant goes on"
    expect.ideally(answer.has_tokens, expected=alive, got=f"its refresh token: {expect.describe(answer)}", at=answer)
    if answer.has_tokens:
        refreshed = target.tokens_of(answer, client, granted)
        _lacks(refreshed, beyond)
        scope = f"{granted} {beyond}"
        _not_widened(target, refreshed, await target.refresh(refreshed, scope=scope), scope)
    later = await target.tokens(client, scope=granted)
    if beyond not in later.scopes:
        _lacks(later, beyond)
    expect.ideally(beyond not in later.scopes, expected=f"{granted} alone", got=_said(later), at=later.answer)


async def _granted(target: Target, *scopes: str) -> Tokens:
    """Tokens of a fresh login that brought all of these scopes."""
    tokens = await target.tokens(scope=" ".join(scopes))
    if not tokens.scopes >= set(scopes):
        wanted = " ".join(scopes)
        raise Skipped(f"a login for scope {wanted} brought {_said(tokens)}: declare `scopes` that can be granted")
    return tokens


async def _own_client(target: Target) -> Client:
    """A client to which nobody has granted anything yet, where clients can be registered."""
    return await (target.client() if target.run.configured_clients else target.new_client())


async def _client_of_one_scope(target: Target) -> Client:
    """A client to which the user never grants more than the first scope: a server may remember what was granted."""
    return await target.once("client of one scope", lambda: _own_client(target))


def _held(tokens: Tokens) -> frozenset[str]:
    """What was granted, by the response or by the token."""
    return tokens.scopes | (tokens.claimed_scopes or frozenset())


def _said(tokens: Tokens) -> str:
    return "nothing of scope" if tokens.disclosed_scopes is None else f"scope {' '.join(sorted(tokens.scopes))}"


def _lacks(tokens: Tokens, scope: str) -> None:
    expect.that(
        scope not in _held(tokens),
        expected=f"no {scope}, which this grant does not have",
        got=f"{scope} in the {'response' if scope in tokens.scopes else 'access token'}",
        at=tokens.answer,
    )


def _equals(refreshed: Tokens, original: Tokens) -> None:
    """The same scopes as the original grant; fewer only if the response says so. Claims are compared with claims."""
    for scope in sorted(_held(refreshed) - _held(original)):
        _lacks(refreshed, scope)
    lost = (original.scopes - refreshed.scopes) | (
        (original.claimed_scopes or frozenset()) - (refreshed.claimed_scopes or frozenset())
        if refreshed.claimed_scopes is not None
        else frozenset[str]()
    )
    whole = f"scope {' '.join(sorted(original.scopes))}, as it was granted"
    silently = lost & refreshed.scopes
    expect.that(not silently, expected=whole, got=f"a token without {' '.join(sorted(silently))}", at=refreshed.answer)
    expect.ideally(not lost, expected=whole, got=_said(refreshed), at=refreshed.answer)


def _not_widened(target: Target, before: Tokens, answer: Answer, asked: str) -> None:
    """What was not granted is refused, or left out by a response that says so."""
    beyond = set(asked.split()) - _held(before)
    if not expect.conclusive(answer).has_tokens:
        expect.refused_grant(answer, "invalid_scope", because=f"{' '.join(sorted(beyond))} was not granted")
        return
    after = target.tokens_of(answer, before.client, asked)
    wanted = f"invalid_scope, or a response whose scope lacks {' '.join(sorted(beyond))}"
    expect.that(not beyond & _held(after), expected=wanted, got=f"tokens, with {_said(after)}", at=answer)
    alone = not set(asked.split()) & _held(before)
    expect.ideally(
        not alone, expected="invalid_scope: nothing of what was asked for can be granted", got=_said(after), at=answer
    )


def _discloses(tokens: Tokens, target: Target) -> bool:
    """Judge one response; False if nothing tells what was granted."""
    claimed = (tokens.claimed_scopes or frozenset()) & set(target.server.scopes)
    if not claimed:  # no JWT, no such claim, or other names than the requests use
        return tokens.disclosed_scopes is not None
    said = tokens.scopes & set(target.server.scopes)
    expect.that(
        claimed == said,
        expected=f"a response that names scope {' '.join(sorted(claimed))}, as the token does",
        got=f"{_said(tokens)} beside such a token, for a request of {tokens.requested_scope}",
        at=tokens.answer,
    )
    return True


def _fragment(server: Server, scope: str) -> str | None:
    """A piece of a scope's name that is no scope itself."""
    known = {*server.scopes, *(server.listed("scopes_supported") or ())}
    pieces = (re.split(r"[:./_-]", scope)[-1], scope[: max(1, len(scope) // 2)])
    return next((piece for piece in pieces if piece and piece not in known), None)
