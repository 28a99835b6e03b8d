"""Enforcement of the registered client authentication (RFC 7591 section 2)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, LOGIN, check
from oauth_litmus.probes.token_requests import works

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Client, Code, Target
    from oauth_litmus.http.answer import Answer


_HEXADECIMAL = re.compile(r"[0-9A-Fa-f-]+")


@check("REG-04", needs={LOGIN, CONFIDENTIAL_CLIENT}, logins=5)
async def secret_is_enforced(target: Target) -> None:
    """As a confidential client, redeem and refresh without the secret, with wrong secrets of several kinds, and with the right one."""
    client = await target.grants.confidential_client()
    impostors = {
        "the client_secret is missing": replace(client, auth_method="none", client_secret=None),
        "the client_secret is wrong": replace(client, client_secret=f"not-{client.client_secret}"),
    }

    others = list(impostors.values())
    if client.auth_method == "client_secret_post":
        others.append(replace(client, auth_method="client_secret_basic"))
    answers = await target.probing.try_code_in_ways([_as(target, other) for other in others], client)

    for because, answer in zip(impostors, answers, strict=False):
        _not_authenticated(answer, because)
    await _nearly_right_secrets_are_refused(target, client)
    tokens = await target.grants.from_pool(client)
    expect.tokens(tokens.answer, expected="tokens for the right client_secret")
    if tokens.refresh_token is not None:
        for because, impostor in impostors.items():
            _not_authenticated(await target.tokens.refresh(tokens, client=impostor), because)

    for answer in answers[len(impostors) :]:
        got = "tokens by client_secret_basic too"
        taken = expect.conclusive(answer).has_tokens
        expect.ideally(not taken, expected="only client_secret_post", got=got, at=answer)


async def _nearly_right_secrets_are_refused(target: Target, client: Client) -> None:
    # Prefer HTTP Basic: there, an empty secret is sent, and differs from a missing one.
    if await works(target, "client_secret_basic"):
        client = await target.grants.confidential_client(auth_method="client_secret_basic")
    right = client.client_secret or ""
    nearly = {
        "empty": "",
        "without its last character": right[:-1],
        "only its first character": right[:1],
        "followed by a character": f"{right}x",
        "the client_id": client.client_id,
        # A server may read a hexadecimal secret as a number, for which the letter case does not matter.
        "in the other letter case": right if _HEXADECIMAL.fullmatch(right) else right.swapcase(),
    }
    tried = [(what, secret) for what, secret in nearly.items() if secret != right]
    for _, secret in tried:
        target.secret(None if secret == client.client_id else secret, "client_secret")
    impostors = [replace(client, client_secret=secret) for _, secret in tried]
    impostors.append(replace(client, auth_method="none", client_secret=None))

    answers = await target.probing.try_code_in_ways([_as(target, impostor) for impostor in impostors], client)

    for what, answer in zip([*(what for what, _ in tried), "missing"], answers, strict=True):
        _not_authenticated(answer, f"the client_secret is {what}")


def _as(target: Target, client: Client) -> Callable[[Code], Awaitable[Answer]]:
    return lambda code: target.tokens.redeem(code, client=client)


def _not_authenticated(answer: Answer, because: str) -> None:
    wrong = because.endswith("wrong")
    codes = ("invalid_client",) if wrong else ("invalid_client", "invalid_request", "unauthorized_client")
    expect.refused_grant(answer, *codes, because=because, steering=wrong)
