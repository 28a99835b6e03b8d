"""Answers to revocation requests (RFC 7009 sections 2.1 and 2.2)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REVOCATION, check

if TYPE_CHECKING:
    from oauth_litmus.client import Target


@check("REVOKE-03a", needs={LOGIN, REVOCATION})
async def revoking_what_is_no_token_succeeds(target: Target) -> None:
    """Revoke strings that were never issued, an access token that was cut off, and a token that was revoked just before."""
    client = await target.grants.revoking_client()
    tokens = await target.grants.fresh(client)
    revoked = tokens.refresh_token or tokens.access_token
    first = expect.conclusive(await target.tokens.revoke(revoked, client))

    cut = tokens.access_token[: len(tokens.access_token) * 2 // 3]
    target.secret(cut, "access_token")
    for what, token in {
        "a made-up string": secrets.token_urlsafe(32),
        "letters with dots": "a.b.c",
        "an access token that was cut off": cut,
        "a revoked token": revoked,
    }.items():
        answer = expect.no_server_error(
            await target.settled(lambda t=token: target.tokens.revoke(t, client), lambda: target.grants.fresh(client))
        )
        got = f"{expect.describe(answer)} for {what}"
        unsupported = answer.error == "unsupported_token_type"
        judge = expect.ideally if unsupported else expect.that
        judge(answer.status < 400, expected="200", got=got, at=(first, answer))
        expect.ideally(answer.status in (200, *range(400, 600)), expected="status 200", got=got, at=answer)


@check("REVOKE-03b", needs={LOGIN, REVOCATION})
async def revoking_nothing_is_an_invalid_request(target: Target) -> None:
    """Send a revocation without a token."""
    client = await target.grants.revoking_client()

    answer = await target.settled(lambda: target.tokens.revoke(None, client), lambda: target.grants.fresh(client))

    got = expect.describe(expect.conclusive(answer))
    expect.safe(answer.status < 500, expected="400 with error=invalid_request", got=got, at=answer)
    right = answer.status == 400 and answer.error == "invalid_request"
    expect.that(right, expected="400 with error=invalid_request", got=got, at=answer)
