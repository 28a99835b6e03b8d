"""Scope at the protected resource: an operation requires a token with its scope (OAuth 2.1 section 5.3.2)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, OPERATIONS, RESOURCE, SCOPES, check
from oauth_litmus.client import Target, Tokens
from oauth_litmus.http.answer import Answer
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped


@check("SCOPE-12a", needs={LOGIN, RESOURCE, SCOPES, OPERATIONS})
async def missing_scope_closes_an_operation(target: Target) -> None:
    """Log in for a scope other than the one that an operation needs, and call the operation."""
    needed, other = _scopes_of_the_operation(target)
    tokens, opened = await _lacking(target, needed, other)

    answer = await target.resource.call_operation(tokens.access_token, needed)

    _is_closed(answer, opened, needed)


@check("SCOPE-12c", needs={LOGIN, RESOURCE, SCOPES, OPERATIONS})
async def challenge_names_the_missing_scope(target: Target) -> None:
    """Read the challenge of an operation refused for lack of scope; if it names an unexpected scope, log in for that and call again."""
    if target.server.profile.specification != "mcp":
        raise NotApplicable("only MCP asks for scope in a challenge; in RFC 6750 it is optional")
    needed, other = _scopes_of_the_operation(target)
    tokens, opened = await _lacking(target, needed, other)

    answer = expect.conclusive(await target.resource.call_operation(tokens.access_token, needed))

    challenged = _insufficient(answer)
    if challenged is None:
        raise NotApplicable("the refusal has no challenge with error=insufficient_scope; SCOPE-12a judges that")
    named, raw = challenged.get("scope", "").split(), answer.headers.get("www-authenticate", "")
    expect.that(bool(named), expected=f"scope in the challenge, with {needed}", got=raw, at=answer)
    unknown = set(named) - set(target.server.scopes)
    if needed not in named and unknown:
        raise Skipped(f"the challenge names {' '.join(sorted(unknown))}, which is not among the profile's scopes")
    if needed not in named:
        wider = await target.grants.fresh(scope=" ".join(dict.fromkeys((other, *named))))
        retried = expect.conclusive(await target.resource.call_operation(wider.access_token, needed))
        opens = expect.let_in(retried, opened) and not _is_rpc_error(retried)
        expect.that(
            opens, expected=f"a scope that opens the operation, as {needed} does", got=raw, at=(answer, retried)
        )


@check("SCOPE-12b", needs={LOGIN, RESOURCE, SCOPES, OPERATIONS})
async def narrowed_token_closes_an_operation(target: Target) -> None:
    """Refresh for fewer scopes, and call an operation that needs the omitted scope."""
    needed, other = _scopes_of_the_operation(target)
    tokens = await target.grants.fresh(scope=f"{other} {needed}")
    if tokens.refresh_token is None:
        raise NotApplicable("the server issues no refresh token")
    opened = await _opened(target, tokens, needed)
    # Wait a second: an upstream token of the same second may be the identical token, with the whole scope.
    await target.until(target.now() + 1)
    refused_or_narrowed = expect.conclusive(await target.tokens.refresh(tokens, scope=other))
    if not refused_or_narrowed.has_tokens:
        raise NotApplicable("the server does not narrow the scope at a refresh (SCOPE-01)")
    narrowed = target.tokens.read(refused_or_narrowed, tokens.client, other)
    if needed in narrowed.scopes:
        raise NotApplicable("the server ignores the scope of a refresh, and its response says so (SCOPE-01)")
    await _is_alive(target, narrowed, other)

    answer = await target.resource.call_operation(narrowed.access_token, needed)

    _is_closed(answer, opened, needed)


def _scopes_of_the_operation(target: Target) -> tuple[str, str]:
    """The scope that a declared operation needs, and another scope that the suite can request alone."""
    needed = next(iter(target.server.profile.operations))
    other = next(scope for scope in target.server.scopes if scope != needed)
    return needed, other


async def _lacking(target: Target, needed: str, other: str) -> tuple[Tokens, Answer]:
    """Tokens without the scope that an operation needs, and the operation's answer to a token that has the scope.

    Raises:
        NotApplicable: the login also grants the needed scope.
    """
    whole, _ = await target.resource.valid_tokens()
    opened = await _opened(target, whole, needed)
    tokens = await target.grants.fresh(scope=other)
    if needed in tokens.scopes | (tokens.claimed_scopes or frozenset()):
        raise NotApplicable(f"a login for {other} alone also grants {needed}")
    await _is_alive(target, tokens, other)
    return tokens, opened


async def _opened(target: Target, tokens: Tokens, needed: str) -> Answer:
    """The answer of the operation to a token that has the scope.

    Raises:
        Blocked: the operation refuses this token, too.
    """
    answer = await target.resource.call_operation(tokens.access_token, needed)
    if answer.is_inconclusive or answer.status in (401, 403) or answer.status >= 500 or _is_rpc_error(answer):
        raise Blocked(f"set-up: the operation answers {answer.status} to a token with {needed}", (answer.number,))
    return answer


async def _is_alive(target: Target, tokens: Tokens, scope: str) -> None:
    """The positive control: the token opens the operation that is declared for its scope.

    Without a declared operation, the resource must accept the token, or refuse it only for insufficient scope.

    Raises:
        Blocked: the token is refused for another reason.
    """
    if scope in target.server.profile.operations:
        await _opened(target, tokens, scope)
        return
    answer = await target.resource.call(tokens.access_token)
    if _insufficient(answer) is None:
        await target.resource.accepted_call(tokens)


def _is_closed(answer: Answer, opened: Answer, needed: str) -> None:
    expect.conclusive(answer)
    wanted = f"403 with error=insufficient_scope in a challenge, since the token lacks {needed}"
    taken = expect.let_in(answer, opened) and not _is_rpc_error(answer)
    expect.that(
        not taken, obtained=True, expected=wanted, got=f"{answer.status}: the operation is carried out", at=answer
    )
    if answer.status >= 500:
        raise Blocked(
            f"the request was answered {answer.status}, a server error instead of a refusal", (answer.number,)
        )
    named = _insufficient(answer) is not None
    got = f"{answer.status}, {expect.challenge_of(answer)}"
    expect.ideally(answer.status == 403 and named, expected=wanted, got=got, at=answer)


def _insufficient(answer: Answer) -> dict[str, str] | None:
    """The parameters of a challenge with error=insufficient_scope (RFC 6750 section 3.1); None if there is none."""
    challenges = (challenge.parameters for challenge in answer.challenges or ())
    return next((each for each in challenges if each.get("error") == "insufficient_scope"), None)


def _is_rpc_error(answer: Answer) -> bool:
    """Whether the answer is a JSON-RPC error (JSON-RPC 2.0 section 5.1)."""
    document = answer.json_object()
    return document.get("jsonrpc") == "2.0" and "error" in document
