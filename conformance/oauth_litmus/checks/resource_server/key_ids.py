"""Unknown key ids: they must not cause a flood of key set fetches, nor lock out valid tokens (RFC 8725 section 3.10)."""

from __future__ import annotations

import asyncio

from oauth_litmus import expect
from oauth_litmus.check import BURST, JWT_ACCESS_TOKENS, LOGIN, RESOURCE, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.http.answer import Answer
from oauth_litmus.oauth.jwts import with_key_id

FLOOD, AT_ONCE, AFTERWARDS = 100, 20, 10
FETCHES = 10
"""Allowed fetches of the key set during a flood, for each process behind the resource."""
MANY = 1_000
"""A number of key set fetches that the check never reaches."""


@check("BEARER-15", needs={LOGIN, RESOURCE, JWT_ACCESS_TOKENS, UPSTREAM_CONTROL, BURST})
async def unknown_key_ids_do_no_harm(target: Target) -> None:
    """Send many invented key ids, then a few more while the key set is unavailable. Present a valid token after each round."""
    tokens, opened = await target.resource.valid_tokens()
    before = len(await target.upstream.requests(route="jwks"))

    flood = await _invented(target, tokens.access_token, FLOOD)
    after = await target.resource.call(tokens.access_token)
    fetches = len(await target.upstream.requests(route="jwks")) - before
    fault = await target.upstream.fault("jwks", "status", status=500, times=MANY)
    few = await _invented(target, tokens.access_token, AFTERWARDS)
    meanwhile = await target.resource.call(tokens.access_token)
    await target.upstream.lift(fault)

    for answer in (*flood, *few):
        if answer.status != 503 or answer in flood:
            expect.conclusive(answer)
        right = not expect.let_in(answer, opened) and (answer.status < 500 or answer.status == 503)
        expect.safe(right, expected="401 for an unknown kid", got=expect.describe(answer), at=answer)
    for when, answer in (("after the flood", after), ("while the key set is unavailable", meanwhile)):
        taken = expect.let_in(answer, opened)
        expect.safe(taken, expected=f"a valid token is accepted {when}", got=expect.describe(answer), at=answer)
    allowed = FETCHES * target.server.profile.worker_processes
    expect.that(fetches <= allowed, expected=f"at most {allowed} fetches of the key set", got=f"{fetches} fetches")


async def _invented(target: Target, token: str, count: int) -> list[Answer]:
    answers: list[Answer] = []
    for begin in range(0, count, AT_ONCE):
        batch = range(begin, min(begin + AT_ONCE, count))
        forged = [with_key_id(token, f"litmus-{target.run_id}-{count}-{number}") for number in batch]
        answers += await asyncio.gather(*(target.resource.call(each) for each in forged))
    return answers
