"""A refusal of an authorization request that several checks look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauth_litmus.client import Attempt, Target


async def attempt_without_response_type(target: Target) -> Attempt:
    """What becomes of a request that lacks response_type alone; made once."""
    request = target.request(await target.client()).but(response_type=None)
    return await target.once("without response_type", lambda: target.attempt(request))
