"""Whether an answer to an authorization request refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.answer import AuthorizationResponse

if TYPE_CHECKING:
    from oauth_litmus.answer import Answer


def is_refused(answer: Answer) -> bool:
    """Whether it is an error page, or a redirect with an error."""
    location = answer.location
    return answer.status >= 400 or (
        location is not None and AuthorizationResponse.at(location, answer).error is not None
    )
