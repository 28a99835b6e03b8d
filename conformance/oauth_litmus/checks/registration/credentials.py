"""Which client authentication a registration binds the client to (RFC 7591 section 2)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, LOGIN, check

if TYPE_CHECKING:
    from oauth_litmus.answer import Answer
    from oauth_litmus.client import Target


@check("REG-04", needs={LOGIN, CONFIDENTIAL_CLIENT}, logins=4)
async def secret_is_enforced(target: Target) -> None:
    """As a confidential client, redeem and refresh without the secret, with a wrong one, and with the right one."""
    client = await target.confidential_client()
    impostors = {
        "the client_secret is missing": replace(client, auth_method="none", client_secret=None),
        "the client_secret is wrong": replace(client, client_secret=f"not-{client.client_secret}"),
    }

    for because, impostor in impostors.items():
        _not_authenticated(await target.redeem(await target.login(client), client=impostor), because)
    answer = await target.redeem(await target.login(client))
    expect.tokens(answer, expected="tokens for the right client_secret")
    tokens = target.tokens_of(answer, client, None)
    if tokens.refresh_token is not None:
        for because, impostor in impostors.items():
            _not_authenticated(await target.refresh(tokens, client=impostor), because)

    if client.auth_method == "client_secret_post":
        basic = replace(client, auth_method="client_secret_basic")
        answer = expect.conclusive(await target.redeem(await target.login(client), client=basic))
        got = "client_secret_basic works too"
        expect.ideally(not answer.has_tokens, expected="only client_secret_post", got=got, at=answer)


def _not_authenticated(answer: Answer, because: str) -> None:
    wrong = because.endswith("wrong")
    codes = ("invalid_client",) if wrong else ("invalid_client", "invalid_request", "unauthorized_client")
    expect.refused_grant(answer, *codes, because=because, steering=wrong)
