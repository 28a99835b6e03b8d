"""Finds the server of a run, within bounds, and sees that the operator's secrets are meant for it."""

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
"""Seconds in which a server must be found: a dozen documents, of which none takes long to serve."""


async def find(url: str, profile: Profile, wire: Wire, *, longest: float) -> Discovered:
    """The server at a URL, `longest` seconds being what is left of the run.

    Raises:
        NoServerError: there is none, it is not found in time, or secrets of the profile may not be meant for it.
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
            f"{url} was not found to be a server within {longest:.0f} s. Tried:{tried or ' nothing that ended'}"
        ) from error
    if not profile.trusted_with(url).cover(found.issuer) and _has_secrets_for_it(profile):
        raise NoServerError(
            f"{found.given} names {found.issuer} as its authorization server, which is of another site, and the profile "
            f'holds secrets of clients: before these go there, say in the profile that it is yours, as issuer = "{found.issuer}"'
        )
    return found


def _has_secrets_for_it(profile: Profile) -> bool:
    return profile.initial_access_token_env is not None or any(client.secret_env for client in profile.clients)
