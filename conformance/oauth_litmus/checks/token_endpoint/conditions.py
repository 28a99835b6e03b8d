"""Parameters that frameworks parse as objects, and databases evaluate as conditions (OAuth 2.1 section 7.12)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, check

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.grants import Code

CONDITIONS = {"[$ne]": "litmus", "[$gt]": "", "[$regex]": ".*", "[]": ""}
"""Endings of parameter names, each with a value; nearly every string meets the condition."""


@check("TOKEN-13", needs={LOGIN}, logins=3)
async def conditions_do_not_replace_values(target: Target) -> None:
    """Send conditions instead of a refresh token, of a code, and of the secret of a confidential client."""
    tokens = await target.grants.fresh(await target.clients.shared())
    if tokens.refresh_token is not None:
        for ending, value in target.limit_probes(CONDITIONS.items()):
            name = f"refresh_token{ending}"
            answer = await target.tokens.request({"grant_type": "refresh_token", name: value}, tokens.client)
            _is_refused(answer, name)

    code = await target.authorization.login()
    _is_refused(await target.tokens.request(_redemption(code) | {"code[$ne]": "litmus"}, code.client), "code[$ne]")

    if await target.clients.confidential_method() is not None:
        code = await target.authorization.login(await target.grants.confidential_client())
        impostor = replace(code.client, auth_method="none", client_secret=None)
        form = _redemption(code) | {"code": code.value, "client_secret[$ne]": "litmus"}
        _is_refused(await target.tokens.request(form, impostor), "client_secret[$ne]")


def _redemption(code: Code) -> dict[str, str]:
    """The parameters of an exchange, without the code."""
    return {
        "grant_type": "authorization_code",
        "redirect_uri": code.redirect_uri,
        "code_verifier": code.code_verifier,
    }


def _is_refused(answer: Answer, name: str) -> None:
    expect.conclusive(answer)
    got = f"{expect.describe(answer)} for {name}"
    expect.that(
        not answer.has_tokens,
        obtained=True,
        expected=f"a refusal, since {name} is an unknown parameter",
        got=got,
        at=answer,
    )
    expect.ideally(answer.status < 500, expected="a 4xx", got=got, at=answer)
