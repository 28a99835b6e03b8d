"""A refusal of an authorization request that several checks look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.client.shared import shared

if TYPE_CHECKING:
    from oauth_litmus.client import Attempt, Target


@shared
async def attempt_without_response_type(target: Target) -> Attempt:
    """What becomes of a request that lacks response_type alone; made once."""
    request = target.authorization.request(await target.clients.shared()).but(response_type=None)
    return await target.authorization.attempt(request)
