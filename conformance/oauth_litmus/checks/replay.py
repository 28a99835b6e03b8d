"""Single use of codes and refresh tokens, rotation, and families (OAuth 2.1 sections 4.1.3 and 4.3.1)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, check
from oauth_litmus.client import Target, Tokens
from oauth_litmus.verdict import NotApplicable

RACERS = 20
ROUNDS = 5
GENERATIONS = 5
GUARD = 1.0
"""Seconds on either side of a boundary: servers count lifetimes in whole seconds."""
UNDECLARED_GRACE = 60.0


@check("REPLAY-01", needs={LOGIN})
async def code_is_good_once(target: Target) -> None:
    """Redeem a code, then repeat the identical request at once and two seconds later."""
    code = await target.login()
    await target.tokens_for(code)

    for pause in (0.0, 2.0):
        await target.until(target.now() + pause)
        answer = await target.redeem(code)
        expect.refused_grant(answer, because="the code was used", steering=True)


@check("REPLAY-02", needs={LOGIN})
async def replay_revokes_what_the_code_brought(target: Target) -> None:
    """Replay a used code with valid parameters, then use the refresh token and the access token that it brought."""
    code = await target.login()
    tokens = await target.tokens_for(code)

    expect.refused_grant(await target.redeem(code), because="the code was used")

    if tokens.refresh_token is not None:
        refreshed = expect.conclusive(await target.refresh(tokens))
        expect.that(
            not refreshed.has_tokens,
            expected="the refresh token is revoked",
            got=expect.describe(refreshed),
            at=refreshed,
        )
    if target.server.seen.resource_answers:
        called = expect.conclusive(await target.call_resource(tokens.access_token))
        expect.that(
            called.status == 401, expected="401: the access token is revoked", got=expect.describe(called), at=called
        )


@check("REPLAY-04", needs={LOGIN}, logins=ROUNDS)
async def parallel_redemption_yields_one_success(target: Target) -> None:
    """Twenty connections present one code at the same moment; at most one gets tokens."""
    for _ in range(ROUNDS):
        _, answers = await target.race(RACERS, target.login, lambda code, gate: target.redeem(code, via=gate))

        # Several winners may get one and the same access token, from an upstream, and each a refresh token of their own.
        winners = [answer for answer in answers if answer.has_tokens]
        families = {answer.member("refresh_token") for answer in winners}
        expect.that(
            len(families) <= 1,
            expected=f"at most one of {RACERS} simultaneous requests gets tokens",
            got=f"{len(winners)} successes with {len(families)} different refresh tokens",
            at=winners,
        )
        expect.at_most_one(answers, expect.is_token_response)


@check("REPLAY-05", needs={REFRESH})
async def refresh_rotates(target: Target) -> None:
    """Refresh five times, a second apart, each time with the newest refresh token."""
    tokens = await target.tokens()

    for _ in range(GENERATIONS):
        _not_sender_constrained(tokens)
        answer = await target.refresh(tokens)
        expect.tokens(answer, expected="tokens for the newest refresh token")
        successor = target.tokens_of(answer, tokens.client, tokens.granted_scope)
        expect.that(
            successor.refresh_token is not None and successor.refresh_token != tokens.refresh_token,
            expected="a new refresh token with every refresh",
            got="none" if successor.refresh_token is None else "the same refresh token again",
            at=answer,
        )
        tokens = successor
        await target.until(target.now() + 1)


@check("REPLAY-06", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def rotated_token_is_refused(target: Target) -> None:
    """Rotate a refresh token, wait for the declared grace to end, and present the old one."""
    old = await target.tokens()
    await target.refreshed(old)
    await _grace_is_over(target)

    answer = await target.refresh(old)

    if answer.has_tokens and not target.server.refresh_reuse_grace and await _refused_after_a_minute(target):
        expect.ideally(
            False,
            expected="a declared grace",
            got="the old refresh token works in a grace that is not declared",
            at=answer,
        )
        return
    expect.refused_grant(answer, because="the refresh token was rotated", steering=True)


@check("REPLAY-07", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def reuse_revokes_the_successor(target: Target) -> None:
    """Present a rotated refresh token after the grace, then the one that replaced it."""
    old = await target.tokens()
    successor = await target.refreshed(old)
    await _grace_is_over(target)
    await target.refresh(old)

    answer = await target.refresh(successor)

    expect.refused_grant(answer, because="its predecessor was presented again, which signals theft")


@check("REPLAY-08", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def reuse_is_detected_across_generations(target: Target) -> None:
    """Rotate three times, present the first token of the family, then the newest."""
    first = await target.tokens()
    newest = await target.refreshed(await target.refreshed(await target.refreshed(first)))
    await _grace_is_over(target)

    answer = await target.refresh(first)
    expect.refused_grant(answer, because="the refresh token was rotated three times", steering=True)

    answer = await target.refresh(newest)
    expect.refused_grant(answer, because="the first token of its family was presented again")


@check("REPLAY-10", needs={REFRESH}, logins=ROUNDS)
async def parallel_refresh_never_forks_the_family(target: Target) -> None:
    """Twenty connections refresh with one token at the same moment; then every distinct successor is used in turn."""
    for _ in range(ROUNDS):
        tokens, answers = await target.race(
            RACERS, target.tokens, lambda tokens, gate: target.refresh(tokens, via=gate)
        )

        successors = {answer.member("refresh_token"): answer for answer in answers if answer.has_tokens}
        usable = [
            await target.refresh(target.tokens_of(answer, tokens.client, tokens.granted_scope))
            for answer in successors.values()
        ]
        usable = [answer for answer in usable if answer.has_tokens]
        expect.that(
            len(usable) <= 1,
            expected="at most one usable successor",
            got=f"{len(usable)} successors that each can be used",
            at=usable,
        )
        faulty = [answer for answer in answers if answer.status == 500]
        expect.ideally(
            not faulty, expected="no server error under concurrency", got=f"{len(faulty)} answers of 500", at=faulty[:1]
        )


@check("REPLAY-13", needs={REFRESH})
async def stranger_consumes_nothing(target: Target) -> None:
    """Present a code and a refresh token as another client, then as their own."""
    stranger = await target.client("b")
    code = await target.login()

    expect.refused_grant(
        await target.redeem(code, client=stranger),
        "invalid_grant",
        "invalid_client",
        because="the code belongs to another client",
    )
    answer = await target.redeem(code)
    expect.ideally(
        answer.has_tokens, expected="the code still works for its own client", got=expect.describe(answer), at=answer
    )

    tokens = target.tokens_of(answer, code.client, None) if answer.has_tokens else await target.tokens()
    refused = await target.refresh(tokens, client=stranger)
    expect.refused_grant(
        refused, "invalid_grant", "invalid_client", because="the refresh token belongs to another client"
    )
    answer = await target.refresh(tokens)
    expect.ideally(
        answer.has_tokens,
        expected="the refresh token still works for its own client",
        got=expect.describe(answer),
        at=answer,
    )


async def _grace_is_over(target: Target) -> None:
    grace = target.server.refresh_reuse_grace
    await target.until(target.now() + (grace + GUARD if grace else 0.0))


async def _refused_after_a_minute(target: Target) -> bool:
    """Whether another family's old token is refused once 60 s have passed: the grace is short, if undeclared."""
    if target.run.budget.max_wait < UNDECLARED_GRACE:
        return False
    old = await target.tokens()
    await target.refreshed(old)
    await target.until(target.now() + UNDECLARED_GRACE)
    return not (await target.refresh(old)).has_tokens


def _not_sender_constrained(tokens: Tokens) -> None:
    if tokens.answer.member("token_type").lower() == "dpop":
        raise NotApplicable("the tokens are bound to a key of the client (DPoP)")
