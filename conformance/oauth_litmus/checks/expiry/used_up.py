"""What was used up or revoked stays so until it would have ended by itself (OAuth 2.1 sections 4.1.3 and 4.3.1)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, REVOCATION, check
from oauth_litmus.client import Target
from oauth_litmus.probes.boundary import Boundary
from oauth_litmus.probes.families import rotated
from oauth_litmus.verdict import NotApplicable

SHORTLY = 1 / 20
"""Of a lifetime: the last part of it, in which what was used up is presented once more."""
LONGEST_GRACE = 60.0
"""Seconds in which a lost answer may be repeated, where no grace is declared."""


@check("EXPIRY-17a", needs={LOGIN}, logins=1, waits=lambda server: server.code_ttl)
async def used_code_stays_used(target: Target) -> None:
    """Redeem a code, and present it again shortly before its declared end."""
    code = await target.authorization.login()
    end = Boundary.of(code, target.server.code_ttl)
    await target.tokens.for_code(code)

    await target.until(_shortly_before(end, target.server.code_ttl))
    answer = expect.conclusive(await target.tokens.redeem(code, even_if_ended=True))

    end.before_its_end(answer, held=answer.has_tokens, early_by=0)
    expect.refused_grant(answer, because="the code was used, long ago")


@check("EXPIRY-17b", needs={REFRESH}, logins=1, waits=lambda server: server.refresh_token_ttl)
async def rotated_token_stays_rotated(target: Target) -> None:
    """Rotate a refresh token, and present the old one shortly before its declared end."""
    old = await target.grants.fresh()
    end = Boundary.of(old.answer, target.server.refresh_token_ttl)
    late = _shortly_before(end, target.server.refresh_token_ttl)
    grace = target.server.profile.lifetimes.refresh_reuse_grace
    grace_is_over = (await rotated(target, old)).answer.received_at + (LONGEST_GRACE if grace is None else grace)
    if late <= grace_is_over:
        raise NotApplicable("a refresh token lives no longer than a lost answer may be repeated")

    await target.until(late)
    answer = expect.conclusive(await target.tokens.refresh(old, even_if_ended=True))

    end.before_its_end(answer, held=answer.has_tokens, early_by=0)
    expect.refused_grant(answer, because="the refresh token was rotated, long ago")


@check("EXPIRY-17c", needs={REFRESH, REVOCATION}, waits=lambda server: server.refresh_token_ttl)
async def revoked_token_stays_revoked(target: Target) -> None:
    """Present a revoked refresh token shortly before its declared end."""
    client = await target.grants.revoking_client()
    tokens = (await target.grants.revoked_by(client.auth_method)).tokens
    end = Boundary.of(tokens.answer, target.server.refresh_token_ttl)

    await target.until(_shortly_before(end, target.server.refresh_token_ttl))
    answer = expect.conclusive(await target.tokens.refresh(tokens, even_if_ended=True))

    end.before_its_end(answer, held=answer.has_tokens, early_by=0)
    expect.refused_grant(answer, because="the refresh token was revoked, long ago")


def _shortly_before(end: Boundary, lifetime: float) -> float:
    # A little early is early enough: what matters is what is remembered, and a refusal after the end would show nothing.
    return end.before - lifetime * SHORTLY
