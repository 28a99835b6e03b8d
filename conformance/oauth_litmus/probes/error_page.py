"""The server's answer to an authorization request of nobody: what it does on a page that belongs to no login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.client.shared import shared
from oauth_litmus.oauth.clients import REDIRECT_URI, Client

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.authorization import Attempt, AuthorizationRequest


def request_of_nobody(target: Target) -> AuthorizationRequest:
    """An authorization request of a client that does not exist, which leaves the server nowhere to redirect to."""
    return target.authorization.request(Client(f"nobody-{target.run_id}", (REDIRECT_URI,))).but(redirect_uri=None)


@shared
async def refused_login(target: Target) -> Attempt:
    """What becomes of it; sent once, for all checks."""
    return await target.authorization.attempt_upstream(request_of_nobody(target))


async def error_page(target: Target) -> Answer:
    """The first answer to it."""
    return (await refused_login(target)).answers[0]
