"""An expired access token, and the answers of the protected resource to it before and after expiry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.client.shared import shared
from oauth_litmus.probes.boundary import Boundary

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.grants import Tokens

SHORT_LIFE = 6
"""Access token lifetime in seconds that the suite requests if it controls the upstream."""


@dataclass(frozen=True)
class Expired:
    """The answers to one access token: when it was fresh, shortly before expiry, and after expiry plus the leeway."""

    tokens: Tokens
    opened: Answer
    end: Boundary
    early: Answer
    over: Boundary
    late: Answer


@shared
async def expired_token(target: Target) -> Expired:
    """Wait until an access token has expired, and return the answers to it. The checks share this result.

    Raises:
        Blocked: no tokens were issued, or the resource refuses them while they are fresh.
        Skipped: the expiry is unknown, or later than the operator allows.
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
