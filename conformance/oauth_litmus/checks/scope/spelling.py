"""How scopes are written: in any order, in the right letter case, separated by spaces (OAuth 2.1 section 1.4.1)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, SCOPES, check
from oauth_litmus.checks.scope.grants import equals, grant_of, held, said
from oauth_litmus.client import Target, Tokens
from oauth_litmus.client.shared import shared
from oauth_litmus.http.answer import Answer
from oauth_litmus.verdict import Blocked, NotApplicable


@check("SCOPE-09a", needs={REFRESH, SCOPES})
async def order_of_scopes_means_nothing(target: Target) -> None:
    """Refresh for the granted scopes in reverse order."""
    first, second = target.server.scopes[:2]
    tokens, answer = await _refreshed_in_reverse(target)

    if not expect.conclusive(answer).has_tokens:
        control = await target.tokens.refresh(await grant_of(target, first, second), scope=f"{first} {second}")
        if not control.has_tokens:
            raise NotApplicable("the server refuses a refresh that names the granted scopes, in either order")
    expect.tokens(answer, expected=f"tokens for scope {second} {first}, as for {first} {second}")
    equals(target.tokens.read(answer, tokens.client, f"{second} {first}"), tokens, first, second)


@check("SCOPE-09b", needs={REFRESH, SCOPES}, logins=2)
async def case_of_scopes_counts(target: Target) -> None:
    """Refresh for a granted scope in the other letter case."""
    first, second = target.server.scopes[:2]
    other = first.swapcase()
    if other in {first, *target.server.scopes, *(target.server.listed("scopes_supported") or ())}:
        raise NotApplicable(f"the scope {first} has no other letter case, or its other case is a known scope")
    tokens = await grant_of(target, first, second)

    answer = expect.conclusive(await target.tokens.refresh(tokens, scope=other))

    if not answer.has_tokens:
        if not (await _refreshed_in_reverse(target))[1].has_tokens:
            raise Blocked("the server also refuses a refresh that names the granted scopes", (answer.number,))
        expect.refused_grant(answer, "invalid_scope", because=f"{other} is not the scope {first}")
        return
    after = target.tokens.read(answer, tokens.client, other)
    wanted = f"invalid_scope, or a response whose scope lacks {other}"
    expect.that(
        held(after) <= held(tokens), obtained=True, expected=wanted, got=f"tokens, and {said(after)}", at=answer
    )
    if second in after.scopes:
        raise NotApplicable("the server ignores the scope of a refresh, and its response says so")
    expect.ideally(
        first not in after.scopes, expected=wanted, got=f"{first}, although {other} was requested", at=answer
    )


@check("SCOPE-09c", needs={LOGIN, SCOPES})
async def scope_is_one_string_with_spaces(target: Target) -> None:
    """Inspect scope in the response to an exchange, and in the response to a refresh."""
    seen = [_judged(target, tokens.answer) for tokens in await target.grants.exchanged_and_refreshed()]

    if not any(seen):
        raise NotApplicable("no response names a scope, which is right if all requested scopes were granted")


@shared
async def _refreshed_in_reverse(target: Target) -> tuple[Tokens, Answer]:
    """A grant of two scopes, and the answer to a refresh that names them in reverse order; checks share both."""
    first, second = target.server.scopes[:2]
    tokens = await grant_of(target, first, second)
    return tokens, await target.tokens.refresh(tokens, scope=f"{second} {first}")


def _judged(target: Target, answer: Answer) -> bool:
    """Judge the scope of one response; return False if the response has none."""
    value = answer.json_object().get("scope")
    if value is None:
        return False
    wanted = "scope as one string of names, with single spaces between them"
    expect.that(isinstance(value, str), expected=wanted, got=f"a JSON {type(value).__name__}", at=answer)
    names = str(value).split(" ")
    # A comma is a legal character of a name, so only requested names that are joined by commas are an error.
    joined = [name for name in names if "," in name and set(name.split(",")) <= set(target.server.scopes)]
    expect.that(not joined, expected=wanted, got=f"scopes joined by commas: {' '.join(joined)}", at=answer)
    expect.ideally("" not in names, expected=wanted, got="additional spaces", at=answer)
    expect.ideally(len(names) == len(set(names)), expected="each name once", got=f"scope {value}", at=answer)
    return True
