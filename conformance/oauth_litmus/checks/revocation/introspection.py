"""Introspection, if the server offers it (RFC 7662): which clients may use it, and its answers about invalid tokens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from oauth_litmus import expect
from oauth_litmus.check import INTROSPECTION, LOGIN, REVOCATION, check
from oauth_litmus.checks.revocation.effect import UNKNOWN_HINT
from oauth_litmus.client.resource import TOKEN_GUARD, token_wait
from oauth_litmus.client.session import FORM
from oauth_litmus.client.shared import shared
from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked, Skipped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Client, Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.grants import Tokens

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
"""The grant type with which public clients poll for tokens (RFC 8628 section 3.4)."""
TRIES = 3
"""Number of tokens that may expire during the check before it gives up."""
SHORT_LIFE = 6
"""Access token lifetime in seconds that the suite requests if it controls the upstream."""


@check("REVOKE-07a", needs={LOGIN, INTROSPECTION})
async def introspection_needs_authorization(target: Target) -> None:
    """Introspect a valid access token without credentials, with a made-up bearer token, a wrong secret, and a client_id alone."""
    valid = _ValidToken(target, await _introspected(target))

    for what, headers in {
        "no credentials": {},
        "a made-up bearer token": {"authorization": f"Bearer {secrets.token_urlsafe(32)}"},
    }.items():
        answer = await valid.answer_about(lambda token, h=headers: _introspect(target, token, None, h))
        got = f"{answer.status}, active: {_active(answer)} with {what}"
        told = answer.status < 300 and _active(answer)
        expect.that(not told, expected="401 or 403", got=got, at=answer)
        expect.ideally(answer.status in (400, 401, 403), expected="401 or 403", got=got, at=answer)
    client = valid.tokens.client
    if client.client_secret is not None:
        impostor = replace(client, client_secret=f"not-{client.client_secret}")
        answer = await valid.answer_about(lambda token: _introspect(target, token, impostor))
        told = answer.status < 300 and _active(answer)
        expect.that(not told, expected="401", got=f"{answer.status}, active: true with a wrong secret", at=answer)
    await _grant_type_gives_no_access(target, valid)


@check("REVOKE-07b", needs={LOGIN, INTROSPECTION, REVOCATION})
async def dead_tokens_are_not_active(target: Target) -> None:
    """Introspect a made-up string, and tokens that were revoked."""
    own = await _introspected(target)
    tokens = await target.grants.fresh(own.client)
    dead = {"a made-up string": secrets.token_urlsafe(32)}
    for what, token in {"access token": tokens.access_token, "refresh token": tokens.refresh_token}.items():
        if token is not None and (await target.tokens.revoke(token, own.client)).status == 200:
            dead[f"a revoked {what}"] = token

    for what, token in dead.items():
        answer = expect.no_server_error(
            await target.settled(lambda t=token: _introspect(target, t, own.client), lambda: _control(target, own))
        )
        _is_inactive(answer, what)


@check("REVOKE-07c", needs={LOGIN, INTROSPECTION}, waits=token_wait)
async def expired_token_is_not_active(target: Target) -> None:
    """Introspect an access token after its expiry plus the declared leeway."""
    own = await _introspected(target)
    tokens = await target.resource.short_lived_tokens(SHORT_LIFE, own.client)
    over = tokens.ends_at + target.server.profile.lifetimes.clock_leeway + TOKEN_GUARD
    target.may_wait(over - target.now())
    await target.until(over)

    _is_inactive(expect.conclusive(await _introspect(target, tokens.access_token, own.client)), "an expired token")


@check("REVOKE-07d", needs={LOGIN, INTROSPECTION})
async def strangers_learn_nothing_of_a_token(target: Target) -> None:
    """Introspect a valid access token as another client."""
    valid = _ValidToken(target, await _introspected(target))
    stranger = await target.clients.shared("b", auth_method=valid.tokens.client.auth_method)

    answer = await valid.answer_about(lambda token: _introspect(target, token, stranger))

    told = sorted(set(answer.json_object()) - {"active"}) if answer.status < 300 and _active(answer) else []
    if told and target.server.endpoint("registration") is None:
        raise Skipped(
            "a client in [[clients]] may belong to a resource that may introspect: needs dynamic registration"
        )
    got = f"another client is told {', '.join(told)}"
    expect.that(not told, expected="active: false, or 403", got=got, at=answer)


@check("REVOKE-07e", needs={LOGIN, INTROSPECTION})
async def wrong_hint_hides_nothing_from_introspection(target: Target) -> None:
    """Introspect a valid access token with a wrong hint, and with an unknown hint."""
    own = await _introspected(target)
    tokens = await target.grants.fresh(own.client)
    plain = expect.conclusive(await _introspect(target, tokens.access_token, own.client))
    if not _active(plain):
        raise Blocked("set-up: a fresh access token is not active", (plain.number,))

    for hint, judge in (("refresh_token", expect.that), (UNKNOWN_HINT, expect.ideally)):
        answer = expect.conclusive(
            await _introspect(target, tokens.access_token, own.client, beside={"token_type_hint": hint})
        )
        got = f"{expect.describe(answer)}, active: {_active(answer)} with token_type_hint: {hint}"
        judge(_active(answer), expected="active: true, as without a hint", got=got, at=(plain, answer))


@dataclass
class _ValidToken:
    """An access token of a client that may introspect it; `answer_about` replaces the token when it expires."""

    target: Target
    tokens: Tokens

    async def answer_about(self, ask: Callable[[str], Awaitable[Answer]]) -> Answer:
        """Send an introspection request about a valid token, and return the answer.

        If the answer does not say that the token is active, the token's own client must still find it active afterwards.

        Raises:
            Blocked: each of several tokens expired too early.
        """
        for _ in range(TRIES):
            answer = expect.conclusive(await ask(self.tokens.access_token))
            if _active(answer) or await self._is_active():
                return answer
            self.tokens = await self.target.grants.fresh(self.tokens.client)
        raise Blocked("set-up: access tokens expire before the answer about them can be judged")

    async def _is_active(self) -> bool:
        answer = await _introspect(self.target, self.tokens.access_token, self.tokens.client)
        return _active(expect.conclusive(answer))


@shared
async def _introspected(target: Target) -> Tokens:
    """Return tokens of a client that may introspect them: the positive control.

    Raises:
        Skipped: no client of the suite may introspect its tokens.
    """
    refusals: list[int] = []
    for method in (*await target.clients.confidential_methods_at("introspection"), "none"):
        tokens = await target.grants.fresh(await target.clients.shared(auth_method=method))
        answer = expect.conclusive(await _introspect(target, tokens.access_token, tokens.client))
        if answer.status < 300 and _active(answer):
            return tokens
        refusals.append(answer.status)
    raise Skipped(
        f"no client of the suite may introspect its own tokens (answered {refusals}): configure one that may, as [[clients]]"
    )


async def _grant_type_gives_no_access(target: Target, valid: _ValidToken) -> None:
    """If a client_id alone gives no access, require that an added grant_type gives none either."""
    client = await target.clients.shared()
    alone = await valid.answer_about(lambda token: _introspect(target, token, client))
    if not client.is_public or _active(alone):
        return
    for grant_type in dict.fromkeys((*(target.server.listed("grant_types_supported") or ()), DEVICE_CODE)):
        beside = {"grant_type": grant_type}
        answer = await valid.answer_about(lambda token, b=beside: _introspect(target, token, client, beside=b))
        got = f"{answer.status}, active: true with a client_id alone, beside grant_type={grant_type}"
        expect.that(not _active(answer), expected="401 or 403", got=got, at=answer)


async def _control(target: Target, tokens: Tokens) -> None:
    expect.conclusive(await _introspect(target, tokens.access_token, tokens.client))


async def _introspect(
    target: Target,
    token: str,
    client: Client | None,
    headers: dict[str, str] | None = None,
    *,
    beside: dict[str, str] | None = None,
) -> Answer:
    """Introspect a token as a client, or without credentials (RFC 7662 section 2.1)."""
    form, authorization = client.credentials() if client else ({}, {})
    sent = {"content-type": FORM, "accept": "application/json", **authorization, **(headers or {})}
    body = urlencode({**form, "token": token, **(beside or {})}).encode()
    return await target.send("POST", target.endpoint("introspection"), kind=Kind.TOKEN, headers=sent, body=body)


def _active(answer: Answer) -> bool:
    return answer.json_object().get("active") is True


def _is_inactive(answer: Answer, what: str) -> None:
    got = f"active: true for {what}"
    expect.that(not _active(answer), expected="active: false", got=got, at=answer)
    told = answer.json_object()
    expected = f"200 with active: false for {what}"
    silent = answer.status == 200 and told.get("active") is False
    expect.ideally(silent, expected=expected, got=expect.describe(answer), at=answer)
    more = sorted(set(told) - {"active"})
    expect.ideally(
        not more or not silent, expected="active: false and nothing else", got=f"also {', '.join(more)}", at=answer
    )
