"""The server's answer to an authorization request of an unknown client: a page that belongs to no login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.client.shared import shared
from oauth_litmus.oauth.clients import REDIRECT_URI, Client

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.attempt import Attempt
    from oauth_litmus.oauth.authorization_request import AuthorizationRequest


def request_of_an_unknown_client(target: Target) -> AuthorizationRequest:
    """An authorization request of an unknown client, without a redirect URI: the server has no address to redirect to."""
    return target.authorization.request(Client(f"unknown-{target.run_id}", (REDIRECT_URI,))).but(redirect_uri=None)


@shared
async def refused_login(target: Target) -> Attempt:
    """Send the request of an unknown client, once for all checks, and return the attempt."""
    return await target.authorization.attempt_upstream(request_of_an_unknown_client(target))


async def error_page(target: Target) -> Answer:
    """The first answer to the request of an unknown client."""
    return (await refused_login(target)).answers[0]
