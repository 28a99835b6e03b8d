"""Scope of a login: unknown, unregistered, omitted, widened at the exchange, or undisclosed (OAuth 2.1 section 1.4.1)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, SCOPES, check
from oauth_litmus.checks.scope.grants import (
    Outcome,
    client_of_one_scope,
    held,
    lacks,
    narrower_login,
    one_scope,
    outcome_of,
    said,
    without_scope,
)
from oauth_litmus.client import Client, Target, Tokens
from oauth_litmus.oauth.refusals import leads_nowhere
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable

PLACEHOLDERS = frozenset({"none", "null", "nil", "undefined"})
"""Scope names that show that a server wrote out a missing value as text."""


@check("SCOPE-06", needs={LOGIN, SCOPES}, logins=3)
async def changed_scope_is_disclosed(target: Target) -> None:
    """Log in for two scopes, for one, and without scope; compare the scope of each token with the scope in its response."""
    first, second = target.server.scopes[:2]
    client = await target.clients.shared()

    whole = (
        (await target.grants.exchanged_and_refreshed())[0]
        if len(target.server.scopes) == 2
        else await target.grants.fresh(client, scope=f"{first} {second}")
    )
    seen = [_discloses(tokens, target) for tokens in (whole, await narrower_login(target))]
    outcome = await without_scope(target)
    if _is_refused(outcome):
        seen.append(False)
    else:
        target.authorization.code_of(outcome.attempt)
        tokens = target.tokens.read(outcome.last, client, None)
        told = tokens.disclosed_scopes is not None or await _grants_nothing(target, client)
        expect.ideally(
            told,
            expected="a response with scope, since the request had none",
            got="no scope in the response",
            at=tokens.answer,
        )
        seen.append(True)
    expect.that(True, expected="no undisclosed change of scope", got="none")
    if not any(seen):
        raise Skipped("neither the access token nor the response names the granted scope")


@check("SCOPE-07a", needs={LOGIN, SCOPES})
async def unregistered_scope_is_not_granted(target: Target) -> None:
    """Log in for two scopes with a client that is registered for one of them."""
    registered, beyond = target.server.scopes[:2]
    client, says_so = await _registered_for(target, registered, beyond)

    outcome = await outcome_of(target, client, f"{registered} {beyond}")

    # RFC 7591 section 2 does not bind a server to the registered scope, unless the registration response repeats it.
    _leaves_out(target, outcome, beyond, expect.that if says_so else expect.ideally)
    if outcome.attempt.went_on and outcome.redeemed is None:
        await target.grants.fresh(client, scope=registered)
    elif outcome.redeemed is None:
        await target.authorization.control(target.authorization.request(client, scope=registered))


@check("SCOPE-07b", needs={LOGIN})
async def unknown_scope_is_not_granted_at_the_login(target: Target) -> None:
    """Log in for a made-up scope together with the known ones."""
    unknown = f"zz-unknown-{secrets.token_hex(4)}"

    outcome = await outcome_of(target, await target.clients.shared(), " ".join((*target.server.scopes, unknown)))

    _leaves_out(target, outcome, unknown, expect.that)


@check("SCOPE-10", needs={LOGIN, SCOPES}, logins=2)
async def exchange_cannot_widen(target: Target) -> None:
    """Log in for one scope, and name two in the code exchange."""
    granted, beyond = target.server.scopes[:2]
    await one_scope(target)
    code = await target.authorization.login(await client_of_one_scope(target), scope=granted)

    answer = expect.conclusive(await target.tokens.redeem(code, scope=f"{granted} {beyond}"))

    if not answer.has_tokens:
        expect.refused_grant(answer, "invalid_scope", "invalid_request", because=f"{beyond} was not authorized")
        return
    tokens = target.tokens.read(answer, code.client, granted)
    if tokens.disclosed_scopes is None and tokens.claimed_scopes is None:
        raise Skipped("neither the access token nor the response names the granted scope")
    lacks(tokens, beyond)


@check("SCOPE-11", needs={LOGIN})
async def missing_scope_is_a_default_or_an_error(target: Target) -> None:
    """Log in without scope."""
    client = await target.clients.shared()
    outcome = await without_scope(target)
    if outcome.last.status >= 500 and not outcome.last.is_inconclusive:
        await target.grants.fresh(client)
        outcome = await outcome_of(target, client, "")

    last = expect.no_server_error(outcome.last)

    wanted = "a default scope, or error=invalid_scope"
    if outcome.redeemed is None:
        response = outcome.attempt.response
        imprecise = response is not None and response.error != "invalid_scope"
        expect.ideally(not imprecise, expected=wanted, got=f"error={response and response.error}", at=last)
        return
    expect.ideally(
        last.has_tokens, expected=wanted, got=f"a code, and {expect.describe(last)} for its exchange", at=last
    )
    if last.has_tokens:
        tokens = target.tokens.read(last, client, None)
        _is_no_placeholder(tokens)


def _is_refused(outcome: Outcome) -> bool:
    """Whether the server refuses a request without scope, as it may: by a redirect or a page (OAuth 2.1 section 7.13.2)."""
    attempt = outcome.attempt
    if attempt.response is not None:
        return attempt.response.error == "invalid_scope"
    if attempt.went_on or attempt.last.is_inconclusive or attempt.last.status >= 500:
        return False
    return attempt.last.status >= 400 or leads_nowhere(attempt.last)


def _is_no_placeholder(tokens: Tokens) -> None:
    raw = tokens.answer.json_object().get("scope", "")
    expect.that(isinstance(raw, str), expected="scope as a string", got=f"scope {raw!r}", at=tokens.answer)
    written = sorted(name for name in held(tokens) if name.lower() in PLACEHOLDERS)
    expect.that(
        not written,
        expected="a default scope, or none",
        got=f"scope {' '.join(written)}, a missing value written as text",
        at=tokens.answer,
    )


async def _registered_for(target: Target, scope: str, beyond: str) -> tuple[Client, bool]:
    """A client that is registered for `scope` and not for `beyond`, and whether the server said so."""
    configured = target.clients.configured
    for client in configured:
        if client.scope is not None and scope in client.scope.split() and beyond not in client.scope.split():
            return client, True
    if configured or target.server.endpoint("registration") is None:
        raise Skipped(f"needs a client that may not have {beyond}: configure one in the profile, with its `scope`")
    answer = await target.clients.register(target.clients.metadata(scope=scope))
    client = target.clients.client_of(answer, target.redirect_uri, scope=scope)
    repeated = answer.member("scope").split()
    if beyond in repeated:
        raise NotApplicable(f"the server registers {beyond} for a client that requests only {scope}")
    return client, bool(repeated)


def _leaves_out(target: Target, outcome: Outcome, beyond: str, judge: Callable[..., None]) -> None:
    """Require that either endpoint refuses the scope, or that the token response does not name it."""
    attempt, last = outcome.attempt, expect.conclusive(outcome.last)
    wanted = f"invalid_scope, or tokens whose response leaves out {beyond}"
    if attempt.unfinished:
        raise Blocked("the login could not be finished", (last.number,))
    if outcome.redeemed is None and last.status >= 500:
        raise Blocked(f"the request was answered {last.status}, a server error instead of a refusal", (last.number,))
    if outcome.redeemed is None:
        error = attempt.response.error if attempt.response else None
        expect.ideally(error in (None, "invalid_scope"), expected=wanted, got=f"error={error}", at=last)
        return
    if not last.has_tokens:
        expect.refused_grant(last, "invalid_scope", because=f"{beyond} cannot be granted")
        return
    tokens = target.tokens.read(last, attempt.request.client, attempt.request.get("scope"))
    judge(beyond not in held(tokens), expected=wanted, got=f"tokens, and {said(tokens)}", at=last)


def _discloses(tokens: Tokens, target: Target) -> bool:
    """Judge one response; return False if neither the token nor the response names the granted scope."""
    claimed = (tokens.claimed_scopes or frozenset()) & set(target.server.scopes)
    if not claimed:  # no JWT, no such claim, or other names than the requests use
        return tokens.disclosed_scopes is not None
    disclosed = tokens.scopes & set(target.server.scopes)
    expect.that(
        claimed == disclosed,
        expected=f"a response that names scope {' '.join(sorted(claimed))}, as the token does",
        got=f"{said(tokens)}, for a request of {tokens.requested_scope}",
        at=tokens.answer,
    )
    return True


async def _grants_nothing(target: Target, client: Client) -> bool:
    """Whether a login without scope opens no operation. Its response then names no scope, because `scope` cannot be empty."""
    operations = target.server.profile.operations
    if target.server.resource is None or not operations.keys() >= set(target.server.scopes):
        return False
    tokens = target.tokens.read((await outcome_of(target, client, "")).last, client, None)
    answers = [
        expect.conclusive(await target.resource.call_operation(tokens.access_token, scope)) for scope in operations
    ]
    return all(answer.status == 403 for answer in answers)
