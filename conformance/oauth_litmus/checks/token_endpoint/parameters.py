"""Repeated, unknown and empty parameters of a token request (OAuth 2.1 section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, check
from oauth_litmus.oauth.pkce import new_verifier
from oauth_litmus.probes.token_requests import (
    each_alive,
    exchange_of,
    made_up_code,
    refresh_of,
    token_call,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.grants import Code

ONCE = ("code", "client_id", "grant_type")
EXTRA = ("litmus_extra", "bar")


@check("TOKEN-05a", needs={LOGIN})
async def wrong_verifier_beside_the_right_one_does_not_count(target: Target) -> None:
    """Redeem codes with two verifiers, a right one and a wrong one, in both orders."""
    wrong = ("code_verifier", new_verifier())
    target.secret(wrong[1], "code_verifier")

    async def wrong_last(code: Code) -> Answer:
        return await _lasting(
            target, lambda: token_call(target, [*exchange_of(target, code), wrong], client=code.client)
        )

    async def wrong_first(code: Code) -> Answer:
        return await _lasting(
            target, lambda: token_call(target, [wrong, *exchange_of(target, code)], client=code.client)
        )

    answers = await each_alive(target.authorization.login, (wrong_last, wrong_first), target.tokens.redeem)

    for answer in answers:
        expect.no_server_error(answer)
    both = all(answer.has_tokens for answer in answers)
    got = "tokens in both orders: one right verifier among several is enough"
    expect.that(not both, obtained=True, expected="400 with error=invalid_request", got=got, at=answers)
    for answer in answers:
        got = "tokens: only the first or only the last of two verifiers counts"
        expect.ideally(not answer.has_tokens, expected="400 with error=invalid_request", got=got, at=answer)
        _is_invalid_request(answer)


@check("TOKEN-05b", needs={LOGIN})
async def repeated_parameter_is_refused(target: Target) -> None:
    """Redeem a code with one parameter sent twice with equal values; then refresh with refresh_token sent twice."""
    code = await target.authorization.login()
    form = exchange_of(target, code)
    answers: list[Answer] = []
    for name in (name for name in ONCE if name in dict(form)):
        pairs = [*form, *(pair for pair in form if pair[0] == name)]
        answers.append(await _lasting(target, lambda p=pairs: token_call(target, p, client=code.client)))
        if answers[-1].has_tokens:
            break
    else:
        answer = expect.conclusive(await target.tokens.redeem(code))
        if answer.has_tokens and answer.member("refresh_token"):
            refresh = refresh_of(target, target.tokens.read(answer, code.client, None))
            pairs = [*refresh, *(pair for pair in refresh if pair[0] == "refresh_token")]
            answers.append(await _lasting(target, lambda p=pairs: token_call(target, p, client=code.client)))

    for answer in answers:
        expect.no_server_error(answer)
        got = "tokens: the server ignores the repetition"
        expect.ideally(not answer.has_tokens, expected="400 with error=invalid_request", got=got, at=answer)
        _is_invalid_request(answer)


@check("TOKEN-06a", needs={LOGIN})
async def unknown_parameters_are_ignored(target: Target) -> None:
    """Redeem a code and refresh, each with a parameter that no specification defines."""
    code = await target.authorization.login()

    answer = await token_call(target, [*exchange_of(target, code), EXTRA], client=code.client)
    expect.tokens(answer, expected="tokens, since an unknown parameter must be ignored")
    if answer.member("refresh_token"):
        refresh = refresh_of(target, target.tokens.read(answer, code.client, None))
        answer = await token_call(target, [*refresh, EXTRA], client=code.client)
        expect.tokens(answer, expected="tokens, since an unknown parameter must be ignored")


@check("TOKEN-06b", needs={LOGIN})
async def empty_parameters_count_as_left_out(target: Target) -> None:
    """Redeem a code with an empty scope; refresh (or else redeem) with an empty client_secret; redeem an empty code."""
    client = await target.clients.shared()
    code = await target.authorization.login(client)
    answer = await token_call(target, [*exchange_of(target, code), ("scope", "")], client=client)
    _counts_as_left_out("scope", answer)
    again = answer.has_tokens and answer.member("refresh_token")
    pairs = (
        refresh_of(target, target.tokens.read(answer, client, None))
        if again
        else exchange_of(target, await target.authorization.login(client))
    )
    _counts_as_left_out("client_secret", await token_call(target, [*pairs, ("client_secret", "")], client=client))

    empty = {**made_up_code(client), "code": ""}
    answer = expect.no_server_error(
        await target.settled(lambda: target.tokens.request(empty, client), target.grants.fresh)
    )
    expect.refused_grant(answer, "invalid_request", "invalid_grant", because="the code is missing")


async def _lasting(target: Target, send: Callable[[], Awaitable[Answer]]) -> Answer:
    return await target.settled(send, target.grants.fresh)


def _counts_as_left_out(name: str, answer: Answer) -> None:
    got = f"{expect.describe(expect.conclusive(answer))} for {name}="
    expect.ideally(answer.has_tokens, expected="tokens, as if the parameter were left out", got=got, at=answer)


def _is_invalid_request(answer: Answer) -> None:
    if not answer.has_tokens:
        precise = answer.error == "invalid_request"
        expected = "400 with error=invalid_request"
        expect.ideally(precise, expected=expected, got=expect.describe(answer), at=answer)
