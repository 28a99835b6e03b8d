"""A login whose callback was brought to a stranger's browser and then to its own: several checks look at what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.client.shared import shared

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


@shared
async def delivered_elsewhere_first(target: Target) -> tuple[Attempt, Delivered]:
    """How a callback ended in a browser without cookies, and then in the one that began the login; made once."""
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()))
    elsewhere = await target.callbacks.deliver(held, browser=target.new_browser())
    return elsewhere, await _at_home(target, held)


@shared
async def _delivered_at_home(target: Target) -> Delivered:
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()))
    return await _at_home(target, held)


async def finished(target: Target) -> Delivered:
    """A login that was finished in its own browser; made once.

    Raises:
        Blocked: it ended without a code.
    """
    _, delivered = await delivered_elsewhere_first(target)
    if delivered.at_home.code is None:  # used up by the browser without cookies, which a server may do
        delivered = await _delivered_at_home(target)
    target.authorization.code_of(delivered.at_home)
    return delivered


async def _at_home(target: Target, held: Attempt) -> Delivered:
    before, url = held.browser.copy(), held.callback_url or ""
    return Delivered(held, url, before, await target.callbacks.deliver(held))
