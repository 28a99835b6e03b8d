"""Single use of codes, and the consequences of presenting a used code (OAuth 2.1 section 4.1.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, LOGIN, check
from oauth_litmus.checks.replay.replayed import replayed_code, tried_by_a_stranger
from oauth_litmus.checks.replay.spellings import other_spellings
from oauth_litmus.oauth.pkce import new_verifier
from oauth_litmus.verdict import Blocked, Skipped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Code, Target, Tokens
    from oauth_litmus.http.answer import Answer

RACERS, FEWER = 20, 10
"""Simultaneous requests, and fewer if only `core` was asked for: most of them fail, and servers limit failures separately."""
ROUNDS = 5


@check("REPLAY-01", needs={LOGIN})
async def code_works_once(target: Target) -> None:
    """Redeem a code, then repeat the identical request at once and two seconds later."""
    for answer in (await replayed_code(target)).answers:
        expect.refused_grant(answer, because="the code was used", steering=True)


@check("REPLAY-01a", needs={LOGIN, CONFIDENTIAL_CLIENT})
async def code_of_a_client_with_a_secret_works_once(target: Target) -> None:
    """Redeem a code of a client with a secret, then repeat the identical request."""
    code = await target.authorization.login(await target.clients.of_the_other_kind())
    await target.tokens.for_code(code)

    expect.refused_grant(await target.tokens.redeem(code), because="the code was used", steering=True)


@check("REPLAY-02", needs={LOGIN})
async def replay_revokes_the_tokens_of_the_code(target: Target) -> None:
    """Replay a used code with valid parameters, then use the access token and the refresh token that were issued for it."""
    replayed = await replayed_code(target)
    tokens = replayed.tokens

    expect.refused_grant(replayed.answers[0], because="the code was used")

    if replayed.refreshed is not None:
        refreshed = _conclusive(replayed.refreshed)
        expect.that(
            not refreshed.has_tokens,
            obtained=True,
            expected="the refresh token is revoked",
            got=expect.describe(refreshed),
            at=refreshed,
        )
    if replayed.called is not None:
        called = _conclusive(replayed.called)
        if called.status == 401 and tokens.expires_in is not None and called.sent_at >= tokens.ends_at:
            raise Blocked("the access token expired before the check used it", (called.number,))
        expect.that(
            called.status == 401, expected="401: the access token is revoked", got=expect.describe(called), at=called
        )


def _conclusive(answer: Answer | Blocked) -> Answer:
    if isinstance(answer, Blocked):
        raise answer
    return expect.conclusive(answer)


@check("REPLAY-03", needs={LOGIN}, logins=2)
async def invalid_replay_revokes_nothing(target: Target) -> None:
    """Replay one used code with a wrong verifier and one as another client; after each replay, use the tokens of that code."""
    stranger, wrong = await target.clients.shared("b"), new_verifier()
    target.secret(wrong, "code_verifier")
    replays: dict[str, Callable[[Code], Awaitable[Answer]]] = {
        "with a wrong code_verifier": lambda code: target.tokens.redeem(code, code_verifier=wrong),
        "by another client": lambda code: target.tokens.redeem(code, client=stranger),
    }
    for what, replay in replays.items():
        code = await target.authorization.login()
        tokens = await _with_visible_revocation(target, await target.tokens.for_code(code))

        expect.conclusive(await replay(code))

        await _still_working(target, tokens, after=f"a replay {what}")


@check("REPLAY-04", needs={LOGIN}, logins=ROUNDS)
async def parallel_redemption_yields_one_success(target: Target) -> None:
    """Redeem one code on twenty connections at the same moment, five times; at most one request may get tokens."""
    racers = FEWER if target.quick else RACERS
    for _ in range(ROUNDS):
        _, answers = await target.races.at_token_endpoint(
            racers, target.authorization.login, lambda code, gate: target.tokens.redeem(code, via=gate)
        )

        # Several successes may share one access token of an upstream, but each with a different refresh token.
        winners = [answer for answer in answers if answer.has_tokens]
        families = {answer.member("refresh_token") for answer in winners}
        expect.that(
            len(families) <= 1,
            obtained=True,
            expected=f"at most one of {len(answers)} simultaneous requests gets tokens",
            got=f"{len(winners)} successes with {len(families)} different refresh tokens",
            at=winners,
        )
        expect.at_most_one(answers, expect.is_token_response)


@check("REPLAY-13a", needs={LOGIN})
async def another_client_does_not_use_up_a_code(target: Target) -> None:
    """Redeem a code as another client, then as the client to which it was issued."""
    tried = await tried_by_a_stranger(target)
    expect.refused_grant(tried.refused, "invalid_grant", "invalid_client", because="the code belongs to another client")

    answer = tried.answer

    expect.that(
        expect.conclusive(answer).has_tokens,
        expected="the code still works for its own client",
        got=expect.describe(answer),
        at=answer,
    )


@check("REPLAY-16a", needs={LOGIN})
async def used_code_in_another_spelling_is_refused(target: Target) -> None:
    """Redeem a code, then present it with an added character at its end, and with other letters that decode to the same bytes."""
    code = await target.authorization.login()
    await target.tokens.for_code(code)

    for what, respell in other_spellings(code.value).items():
        spelled = respell(code.value)
        target.secret(spelled, "code")
        answer = await target.tokens.redeem(replace(code, value=spelled))
        expect.refused_grant(
            answer, "invalid_grant", "invalid_request", because=f"the code was used, and is still the same code {what}"
        )


async def _with_visible_revocation(target: Target, tokens: Tokens) -> Tokens:
    """Return the tokens if a revocation of them can be seen: by their refresh token, or else by a call of the resource.

    Raises:
        Blocked: the resource does not accept the access token.
        Skipped: there is neither a refresh token nor a resource that answers.
    """
    if tokens.refresh_token is None:
        if not target.server.seen.resource_answers:
            raise Skipped(
                'without refresh tokens, only a protected resource shows whether tokens still work: declare `resource = "URL"`'
            )
        await target.resource.accepted_call(tokens)
    return tokens


async def _still_working(target: Target, tokens: Tokens, *, after: str) -> None:
    if tokens.refresh_token is None:
        answer = expect.conclusive(await target.resource.call(tokens.access_token))
        works = answer.status not in (401, 403)
    else:
        answer = expect.conclusive(await target.tokens.refresh(tokens))
        works = answer.has_tokens
    expect.that(works, expected=f"tokens that still work after {after}", got=expect.describe(answer), at=answer)
