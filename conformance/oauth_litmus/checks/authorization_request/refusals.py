"""Refusals of authorization requests: one that several checks look at, and whether a first answer is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.answer import AuthorizationResponse

if TYPE_CHECKING:
    from oauth_litmus.answer import Answer
    from oauth_litmus.client import Attempt, Target


async def attempt_without_response_type(target: Target) -> Attempt:
    """What becomes of a request that lacks response_type alone; made once."""
    request = target.request(await target.client()).but(response_type=None)
    return await target.once("without response_type", lambda: target.attempt(request))


def is_refused(answer: Answer) -> bool:
    """Whether it is an error page, or a redirect with an error."""
    location = answer.location
    return answer.status >= 400 or (
        location is not None and AuthorizationResponse.at(location, answer).error is not None
    )
