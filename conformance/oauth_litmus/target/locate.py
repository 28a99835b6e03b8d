"""Locate the server of a run within a deadline, and verify that the operator's secrets may be sent to it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from oauth_litmus.http.transcript import DISCOVERY
from oauth_litmus.target.discovery import Discovery, NoServerError

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.wire import Wire
    from oauth_litmus.target.profile import Profile
    from oauth_litmus.target.server import Discovered

FOUND_WITHIN = 300.0
"""The deadline of discovery in seconds; it fetches at most a dozen documents, and none takes long to serve."""


async def find(url: str, profile: Profile, wire: Wire, *, longest: float) -> Discovered:
    """Find the server at a URL; `longest` is the time left for the run, in seconds.

    Raises:
        NoServerError: no server is found, or not in time, or the secrets of the profile may belong to another server.
    """

    async def get(url: str) -> Answer:
        return await wire.send("GET", url, check=DISCOVERY, headers={"accept": "application/json"})

    discovery, longest = Discovery(get, profile), min(FOUND_WITHIN, longest)
    try:
        async with asyncio.timeout(longest):
            found = await discovery.find(url)
    except TimeoutError as error:
        tried = "".join(f"\n  {line}" for line in discovery.tried)
        raise NoServerError(
            f"no server was found at {url} within {longest:.0f} s. Tried:{tried or ' no request was answered'}"
        ) from error
    if not profile.trusted_with(url).cover(found.issuer) and _has_secrets_for_it(profile):
        raise NoServerError(
            f"{found.given} names {found.issuer} as its authorization server, which is at another site. The profile holds "
            f'client secrets: to let the suite send them there, declare issuer = "{found.issuer}" in the profile'
        )
    return found


def _has_secrets_for_it(profile: Profile) -> bool:
    return profile.initial_access_token_env is not None or any(client.secret_env for client in profile.clients)
