"""A refused authorization request that several checks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.client.shared import shared

if TYPE_CHECKING:
    from oauth_litmus.client import Attempt, Target


@shared
async def attempt_without_response_type(target: Target) -> Attempt:
    """Send an ordinary request without response_type, once for all checks, and follow it to its end."""
    request = target.authorization.request(await target.clients.shared()).but(response_type=None)
    return await target.authorization.attempt(request)
