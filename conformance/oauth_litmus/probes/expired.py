"""An access token that has ended by itself, and what the protected resource answers to it before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.client.shared import shared
from oauth_litmus.probes.boundary import Boundary

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.authorization import Tokens

SHORT_LIFE = 6
"""Seconds that an access token is asked to live, where the operator lends the upstream."""


@dataclass(frozen=True)
class Expired:
    """The answers to one access token: as it was fresh, shortly before its end, and after its end and the leeway."""

    tokens: Tokens
    opened: Answer
    end: Boundary
    early: Answer
    over: Boundary
    late: Answer


@shared
async def expired_token(target: Target) -> Expired:
    """Tokens whose access token has ended; made once, and checks only look at what it was answered.

    Raises:
        Blocked: there are no tokens, or the resource does not take them while they are fresh.
        Skipped: their end is not known, or farther away than the operator allows.
    """
    tokens = await target.resource.short_lived_tokens(SHORT_LIFE)
    end = Boundary.of_access_token(tokens)
    over = Boundary.of_access_token(tokens, target.server.profile.lifetimes.clock_leeway)
    target.may_wait(over.after - target.now())
    opened = await target.resource.accepted_call(tokens)
    await target.until(end.before)
    early = expect.conclusive(await target.resource.call(tokens.access_token))
    await target.until(over.after)
    late = expect.conclusive(await target.resource.call(tokens.access_token))
    return Expired(tokens, opened, end, early, over, late)
