"""Codes and tokens cannot be guessed (OAuth 2.1 section 7.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, check
from oauth_litmus.probes.randomness import MIN_BITS, bits_that_vary, least_characters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer

SAMPLES = 5


@check("AUTHZ-06", needs={LOGIN}, logins=SAMPLES)
async def codes_and_tokens_cannot_be_guessed(target: Target) -> None:
    """Collect the codes of five logins, and the tokens of the last login and of four refreshes. Compare their lengths and varying bits."""
    client = await target.clients.shared()

    codes = [await target.authorization.login(client) for _ in range(SAMPLES)]
    tokens = [await target.tokens.for_code(codes[-1])]
    while tokens[-1].refresh_token is not None and len(tokens) < SAMPLES:
        answer = expect.conclusive(await target.tokens.refresh(tokens[-1]))
        if not answer.has_tokens and tokens[-1].refresh_token in [each.refresh_token for each in tokens[:-1]]:
            break  # a server that returns one refresh token twice may end it with a refresh
        tokens.append(target.tokens.successor_of(answer, tokens[-1]))

    values, at = [code.value for code in codes], [code.response.answer for code in codes]
    expect.that(
        len(set(values)) == len(values), expected="a different code for each login", got="a repeated code", at=at
    )
    _varies_enough("codes", values, at)
    # A refresh may return the same refresh token. REPLAY-05 judges whether it must return a new one.
    refresh_tokens = [each.refresh_token for each in tokens if each.refresh_token is not None]
    answers = [each.answer for each in tokens]
    _varies_enough("refresh tokens", list(dict.fromkeys(refresh_tokens)), answers)
    # The signature protects a JWT, however few of its bits vary.
    opaque = [each.access_token for each in tokens if not each.claims]
    _varies_enough("access tokens", list(dict.fromkeys(opaque)), answers)


def _varies_enough(what: str, values: Sequence[str], at: Sequence[Answer]) -> None:
    if not values:
        return
    shortest, least = min(len(value) for value in values), least_characters(values)
    expected = f"{what} of at least {least} characters (128 bits)"
    expect.that(shortest >= least, expected=expected, got=f"a value of {shortest} characters", at=at)
    bits = bits_that_vary(values)
    got = f"at most {bits:.0f} bits that vary between the values"
    expect.that(bits >= MIN_BITS, expected=f"{what} of at least 128 random bits", got=got, at=at)
