"""A login whose callback was brought to a stranger's browser and then to its own: several checks look at what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauth_litmus.browser.model import Browser
    from oauth_litmus.client import Target
    from oauth_litmus.oauth.authorization import Attempt


@dataclass(frozen=True)
class Delivered:
    """One login, its callback, and how that ended in its own browser."""

    held: Attempt
    url: str
    before: Browser
    """Its own browser, as it was before the callback."""
    at_home: Attempt


async def delivered_elsewhere_first(target: Target) -> tuple[Attempt, Delivered]:
    """How a callback ended in a browser without cookies, and then in the one that began the login; made once."""

    async def deliver() -> tuple[Attempt, Delivered]:
        held = await target.hold_callback(target.request(await target.client()))
        elsewhere = await target.deliver_callback(held, browser=target.browser())
        return elsewhere, await _at_home(target, held)

    return await target.once("callback elsewhere and at home", deliver)


async def finished(target: Target) -> Delivered:
    """A login that was finished in its own browser; made once.

    Raises:
        Blocked: it ended without a code.
    """
    _, delivered = await delivered_elsewhere_first(target)
    if delivered.at_home.code is None:  # used up by the browser without cookies, which a server may do

        async def deliver() -> Delivered:
            return await _at_home(target, await target.hold_callback(target.request(await target.client())))

        delivered = await target.once("callback at home", deliver)
    target.code_of(delivered.at_home)
    return delivered


async def _at_home(target: Target, held: Attempt) -> Delivered:
    before, url = held.browser.copy(), held.callback_url or ""
    return Delivered(held, url, before, await target.deliver_callback(held))
