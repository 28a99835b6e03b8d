"""Token requests that several checks send: ordinary, with made-up values, and with an arbitrary body."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode

from oauth_litmus import expect
from oauth_litmus.client.session import FORM
from oauth_litmus.http.urls import with_query
from oauth_litmus.limits.rates import Kind
from oauth_litmus.oauth.pkce import new_verifier

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from oauth_litmus.client import Client, Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.clients import AuthMethod
    from oauth_litmus.oauth.grants import Code, Tokens

T = TypeVar("T")
Pairs = list[tuple[str, str]]


async def works(target: Target, method: AuthMethod) -> bool:
    """Whether a client gets tokens by this method. If it never does, refusals prove nothing (see TOKEN-08)."""
    if not await target.clients.exist_with(method):
        return False
    return expect.conclusive(await target.grants.exchange_by(method)).has_tokens


def made_up_code(client: Client) -> dict[str, str | None]:
    """A well-formed token request with a made-up code."""
    return {
        "grant_type": "authorization_code",
        "code": secrets.token_urlsafe(32),
        "code_verifier": new_verifier(),
        "redirect_uri": client.redirect_uri,
    }


def exchange_of(target: Target, code: Code) -> Pairs:
    """The parameters of an ordinary exchange, including the client's own in the body."""
    resource = target.server.resource_indicator
    return [
        *code.client.credentials()[0].items(),
        ("grant_type", "authorization_code"),
        ("code", code.value),
        ("code_verifier", code.code_verifier),
        ("redirect_uri", code.redirect_uri),
        *([("resource", resource)] if resource else []),
    ]


def refresh_of(target: Target, tokens: Tokens) -> Pairs:
    """The parameters of an ordinary refresh, including the client's own in the body."""
    resource = target.server.resource_indicator
    return [
        *tokens.client.credentials()[0].items(),
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token or ""),
        *([("resource", resource)] if resource else []),
    ]


async def token_call(
    target: Target,
    body: Pairs | bytes = b"",
    *,
    query: Pairs | None = None,
    method: str = "POST",
    media_type: str = FORM,
    headers: Mapping[str, str] | None = None,
    client: Client | None = None,
) -> Answer:
    """Send this exact body, a form or not, to the token endpoint, with the Authorization header of a client."""
    authorization = client.credentials()[1] if client else {}
    answer = await target.send(
        method,
        with_query(target.endpoint("token"), query),
        kind=Kind.TOKEN,
        headers={
            "accept": "application/json",
            **({"content-type": media_type} if body else {}),
            **authorization,
            **(headers or {}),
        },
        body=body if isinstance(body, bytes) else urlencode(body).encode(),
    )
    for member in ("access_token", "refresh_token", "id_token"):
        target.secret(answer.member(member), member)
    return answer


async def each_alive(
    prepare: Callable[[], Awaitable[T]],
    probes: Sequence[Callable[[T], Awaitable[Answer]]],
    control: Callable[[T], Awaitable[Answer]],
) -> list[Answer]:
    """Return the answers to probes that the server should refuse, each with a valid code (or refresh token).

    All probes share one code as long as none of them gets tokens. At the end, `control` uses the code properly, which
    proves that it was still valid. If the server revoked the code at a refusal, repeat each refused probe with a code of
    its own.
    """
    answers: list[Answer] = []
    held: T | None = None
    for probe in probes:
        held = await prepare() if held is None else held
        answers.append(await probe(held))
        held = None if answers[-1].has_tokens else held
    if held is None or expect.conclusive(await control(held)).has_tokens:
        return answers
    return [
        answer if answer.has_tokens else await probe(await prepare())
        for probe, answer in zip(probes, answers, strict=True)
    ]
