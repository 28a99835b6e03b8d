"""Used codes, and rotated or revoked refresh tokens, stay refused until they expire (OAuth 2.1 sections 4.1.3 and 4.3.1)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, REVOCATION, check
from oauth_litmus.client import Target
from oauth_litmus.probes.boundary import Boundary
from oauth_litmus.probes.families import rotated
from oauth_litmus.verdict import NotApplicable

SHORTLY = 1 / 20
"""How long before its expiry a check sends a used code or token again, as a part of the lifetime."""
LONGEST_GRACE = 60.0
"""Grace period in seconds for repeating a lost answer, if the profile declares none."""


@check("EXPIRY-17a", needs={LOGIN}, logins=1, waits=lambda server: server.code_ttl)
async def used_code_stays_used(target: Target) -> None:
    """Redeem a code, and send it again shortly before its declared expiry."""
    code = await target.authorization.login()
    end = Boundary.of(code, target.server.code_ttl)
    await target.tokens.for_code(code)

    await target.until(_shortly_before(end, target.server.code_ttl))
    answer = expect.conclusive(await target.tokens.redeem(code, even_if_ended=True))

    end.before_its_end(answer, held=answer.has_tokens, early_by=0)
    expect.refused_grant(answer, because="the code was used long ago")


@check("EXPIRY-17b", needs={REFRESH}, logins=1, waits=lambda server: server.refresh_token_ttl)
async def rotated_token_stays_rotated(target: Target) -> None:
    """Rotate a refresh token, and send the old one shortly before its declared expiry."""
    old = await target.grants.fresh()
    end = Boundary.of(old.answer, target.server.refresh_token_ttl)
    late = _shortly_before(end, target.server.refresh_token_ttl)
    grace = target.server.profile.lifetimes.refresh_reuse_grace
    grace_is_over = (await rotated(target, old)).answer.received_at + (LONGEST_GRACE if grace is None else grace)
    if late <= grace_is_over:
        raise NotApplicable(
            "the lifetime of a refresh token is not longer than the grace period for repeating a lost answer"
        )

    await target.until(late)
    answer = expect.conclusive(await target.tokens.refresh(old, even_if_ended=True))

    end.before_its_end(answer, held=answer.has_tokens, early_by=0)
    expect.refused_grant(answer, because="the refresh token was rotated long ago")


@check("EXPIRY-17c", needs={REFRESH, REVOCATION}, waits=lambda server: server.refresh_token_ttl)
async def revoked_token_stays_revoked(target: Target) -> None:
    """Send a revoked refresh token shortly before its declared expiry."""
    client = await target.grants.revoking_client()
    tokens = (await target.grants.revoked_by(client.auth_method)).tokens
    end = Boundary.of(tokens.answer, target.server.refresh_token_ttl)

    await target.until(_shortly_before(end, target.server.refresh_token_ttl))
    answer = expect.conclusive(await target.tokens.refresh(tokens, even_if_ended=True))

    end.before_its_end(answer, held=answer.has_tokens, early_by=0)
    expect.refused_grant(answer, because="the refresh token was revoked long ago")


def _shortly_before(end: Boundary, lifetime: float) -> float:
    # Keep a distance to the expiry: a refusal after it would not show that the server remembers the use.
    return end.before - lifetime * SHORTLY
