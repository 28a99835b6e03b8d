"""Codes and tokens in the wrong place: in another parameter, or in another user's flow."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import JWT_ACCESS_TOKENS, LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Code, Target


_REFUSALS = ("invalid_grant", "invalid_request", "unsupported_grant_type", "unauthorized_client")
"""Allowed error codes; the last two apply if the server issues no refresh tokens."""


@check("INJ-03", needs={LOGIN})
async def kinds_of_token_are_not_interchangeable(target: Target) -> None:
    """Present a code as a refresh token, an access token as a refresh token and as a code, and a refresh token as a code."""
    code = await target.authorization.login()
    misused = {
        "a code is not a refresh token": await target.tokens.request(
            {"grant_type": "refresh_token", "refresh_token": code.value}, code.client
        )
    }
    redeemed = await target.tokens.redeem(code)
    tokens = target.tokens.read(redeemed, code.client, None) if redeemed.has_tokens else await target.grants.fresh()

    misused["an access token is not a refresh token"] = await target.tokens.refresh(
        tokens, refresh_token=tokens.access_token
    )
    misused["an access token is not a code"] = await target.tokens.redeem(replace(code, value=tokens.access_token))
    if tokens.refresh_token is not None:
        misused["a refresh token is not a code"] = await target.tokens.redeem(replace(code, value=tokens.refresh_token))

    for because, answer in misused.items():
        expect.refused_grant(answer, *_REFUSALS, because=because)


@check("INJ-04a", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2, holds_grants=True)
async def code_of_another_users_flow_is_refused(target: Target) -> None:
    """Let two users log in at one client, and redeem the code of each with the verifier of the other user's flow."""
    attacker, victim = await _two_users(target)

    answers = [
        await target.tokens.redeem(attacker, code_verifier=victim.code_verifier),
        await target.tokens.redeem(victim, code_verifier=attacker.code_verifier),
    ]

    for answer in answers:
        expect.refused_grant(answer, because="the code_verifier belongs to the flow of another user")


@check("INJ-04b", needs={LOGIN, RELAY, UPSTREAM_CONTROL, JWT_ACCESS_TOKENS}, logins=3, holds_grants=True)
async def tokens_belong_to_the_user_of_their_flow(target: Target) -> None:
    """Let two users log in at one client, redeem both codes only then, and compare the subjects with those of a single login."""
    first, second = await _two_users(target)
    second_tokens, first_tokens = await target.tokens.for_code(second), await target.tokens.for_code(first)
    alone = await target.tokens.for_code(await target.callbacks.login_as(target.user("a")))

    subjects = [tokens.claims.get("sub") for tokens in (alone, first_tokens, second_tokens)]

    if None in subjects:
        raise Skipped("the access tokens do not name the user for whom they were issued")
    expect.that(
        subjects[0] == subjects[1] != subjects[2],
        obtained=True,
        expected="tokens of the user who logged in for their code",
        got="tokens of another user",
        at=[first_tokens.answer, second_tokens.answer],
    )


async def _two_users(target: Target) -> tuple[Code, Code]:
    """The codes of two users at one client."""
    one = await target.callbacks.login_as(target.user("a"))
    return one, await target.callbacks.login_as(target.user("b"))
