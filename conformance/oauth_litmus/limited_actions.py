"""Actions that a server limits per source address, and how the burst checks push against one limit."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.rates import Rate
from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from oauth_litmus.answer import Answer
    from oauth_litmus.client import Target
    from oauth_litmus.target import Server

    Hit = Callable[[Target], Awaitable[Answer]]

PREFERENCE = ("authorize", "token_failures", "callback", "start", "register")
"""Which limit the checks of one limiter push against: the one that leaves least behind."""


@dataclass(frozen=True)
class LimitedAction:
    """Something that may be done so often from one address."""

    name: str
    rate: Rate
    hit: Hit

    @property
    def over_the_limit(self) -> int:
        """Requests that a limiter must not all admit."""
        return self.rate.count + max(5, self.rate.count // 4)


def declared_window(server: Server) -> float:
    """The window of the limit that the checks push against, in seconds.

    Raises:
        Skipped: no limit is declared.
    """
    return _preferred(server)[1].seconds


async def limited_action(target: Target, name: str | None = None) -> LimitedAction:
    """A declared action, ready to be done again and again.

    Raises:
        Skipped: no limit is declared.
    """
    chosen, rate = (name, target.server.profile.limits.declared()[name]) if name else _preferred(target.server)
    return LimitedAction(chosen, rate, await _hit_of(target, chosen))


def declared_actions(server: Server) -> list[str]:
    """The declared actions that the suite can do."""
    return [name for name in PREFERENCE if name in server.profile.limits.declared()]


async def exhaust(target: Target, action: LimitedAction) -> list[Answer]:
    """Do it, one after the other, until it is refused or the limit is passed by far."""
    answers: list[Answer] = []
    for _ in range(action.over_the_limit):
        answers.append(await action.hit(target))
        if answers[-1].status == 429:
            break
    return answers


async def all_at_once(target: Target, action: LimitedAction) -> list[Answer]:
    """Do it more often than the limit allows, at one moment."""
    return list(await asyncio.gather(*(action.hit(target) for _ in range(action.over_the_limit))))


def _preferred(server: Server) -> tuple[str, Rate]:
    declared = server.profile.limits.declared()
    for name in PREFERENCE:
        if name in declared:
            return name, declared[name]
    raise Skipped('no limit is declared: declare one in the profile, as `[limits] authorize = "10/60"`')


async def _hit_of(target: Target, name: str) -> Hit:
    client = await target.client()
    if name == "register":
        return lambda source: source.register(source.metadata())
    if name == "token_failures":
        made_up = {"grant_type": "authorization_code", "code_verifier": secrets.token_urlsafe(48)}
        return lambda source: source.token_request({**made_up, "code": secrets.token_urlsafe(32)}, client)
    if name == "authorize":

        async def authorize(source: Target) -> Answer:
            return (await source.authorize(source.request(client))).last

        return authorize
    held = await target.from_another_source().hold_callback(target.request(client))
    url = held.start_url if name == "start" else held.callback_url
    return lambda source: source.get(url or "", headers={"accept": "text/html"})
