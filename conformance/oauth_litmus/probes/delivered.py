"""A login whose callback is delivered in a browser without cookies, then in its own browser. Several checks share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.client.shared import shared

if TYPE_CHECKING:
    from oauth_litmus.browser.model import Browser
    from oauth_litmus.client import Target
    from oauth_litmus.oauth.attempt import Attempt


@dataclass(frozen=True)
class Delivered:
    """One login, its callback, and the result of the callback in the browser that began the login."""

    held: Attempt
    url: str
    before: Browser
    """The browser that began the login, as it was before the callback."""
    at_home: Attempt


@shared
async def delivered_elsewhere_first(target: Target) -> tuple[Attempt, Delivered]:
    """Deliver a callback in a browser without cookies, then in the one that began the login; once for all checks."""
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()))
    elsewhere = await target.callbacks.deliver(held, browser=target.new_browser())
    return elsewhere, await _at_home(target, held)


@shared
async def _delivered_at_home(target: Target) -> Delivered:
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()))
    return await _at_home(target, held)


async def finished(target: Target) -> Delivered:
    """Finish a login in the browser that began it, once for all checks.

    Raises:
        Blocked: the login ended without a code.
    """
    _, delivered = await delivered_elsewhere_first(target)
    if delivered.at_home.code is None:  # the delivery without cookies used the callback up; a server may do that
        delivered = await _delivered_at_home(target)
    target.authorization.code_of(delivered.at_home)
    return delivered


async def _at_home(target: Target, held: Attempt) -> Delivered:
    before, url = held.browser.copy(), held.callback_url or ""
    return Delivered(held, url, before, await target.callbacks.deliver(held))
