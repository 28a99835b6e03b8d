"""Actions that a server limits per source address, and how the burst checks exceed one limit."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.http.retry_after import retry_after
from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked, Skipped
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.limits.rates import Rate
    from oauth_litmus.target.server import Server

    Hit = Callable[[Target], Awaitable[Answer]]

MOST = 200
"""Largest limit that a check may exceed: a higher one needs more requests than a check may send."""
GUARD = 1.0
"""Seconds added to a window, or to the delay that the server advises."""
TOO_MANY = 429
OTHER_REFUSALS = frozenset({403, 500, 503})
"""Statuses of limiters that do not use 429; RATE-02 judges them."""
PREFERENCE = ("authorize", "token_failures", "callback", "start", "register")
"""Limits by preference, for checks that need only one: first the action that leaves the least state on the server."""


@dataclass(frozen=True)
class LimitedAction:
    """An action with a rate limit per source address."""

    name: str
    rate: Rate
    hit: Hit

    @property
    def over_the_limit(self) -> int:
        """A number of requests that no limiter admits in full: a fixed window admits twice its number at its edge."""
        return 2 * (self.rate.count + max(5, self.rate.count // 4))


def declared_window(server: Server) -> float:
    """The window of the limit that the checks exceed, in seconds.

    Raises:
        Skipped: no limit is declared.
    """
    return _preferred(server, MOST)[1].seconds


def longest_window(server: Server) -> float:
    """The longest window of all declared limits, in seconds; 0 if none is declared."""
    return max((rate.seconds for rate in server.profile.limits.declared().values()), default=0.0)


def until_quiet(server: Server) -> float:
    """Seconds until no request of another check counts in the limit that the checks exceed; see `windows_to_end`.

    Raises:
        Skipped: no limit is declared.
    """
    seconds = declared_window(server)
    return 0.0 if server.separate_sources else seconds


def until_all_is_quiet(server: Server) -> float:
    """Seconds until no request of another check counts in any declared limit."""
    return 0.0 if server.separate_sources else longest_window(server)


def rate_of(server: Server, *names: str) -> tuple[str, Rate]:
    """Return the first of these actions that has a declared limit of at most `MOST` requests, with the limit.

    Raises:
        Skipped: none of the actions has one.
    """
    declared = server.profile.limits.declared()
    for name in names:
        if name in declared and declared[name].count <= MOST:
            return name, declared[name]
    raise Skipped(
        f"no limit of at most {MOST} requests is declared for {names[0]}: if there is one, declare it in the profile, "
        f'as `[limits] {names[0]} = "10/60"`'
    )


async def limited_action(target: Target, name: str | None = None, *, most: int = MOST) -> LimitedAction:
    """Prepare a declared action for repetition; by default the one that leaves the least state on the server.

    Raises:
        Skipped: no limit of at most `most` requests is declared.
    """
    chosen, rate = rate_of(target.server, name) if name else _preferred(target.server, most)
    await windows_to_end(target, rate.seconds, _kind_of(chosen))
    return LimitedAction(chosen, rate, await _hit_of(target, chosen))


async def windows_to_end(target: Target, seconds: float, *kinds: Kind) -> None:
    """Wait until no earlier request of these kinds (of any kind, if none is given) from this address counts any more.

    If each check has its own source address, return at once.
    """
    if not target.server.separate_sources:
        await target.until(target.last_sent(*kinds) + seconds + GUARD)


def _kind_of(action: str) -> Kind:
    return Kind.TOKEN if action == "token_failures" else Kind(action)


def declared_actions(server: Server) -> list[str]:
    """The actions with a declared limit of at most `MOST` requests, by preference."""
    declared = server.profile.limits.declared()
    return [name for name in PREFERENCE if name in declared and declared[name].count <= MOST]


async def exhaust(target: Target, action: LimitedAction) -> list[Answer]:
    """Repeat the action one by one until the server refuses it, or until the limit is far exceeded."""
    answers = [await action.hit(target)]
    # Another change of status is no refusal: a single-use URL answers with an error from the second request on.
    while len(answers) < action.over_the_limit and not _begins_to_refuse(answers):
        answers.append(await action.hit(target))
    return answers


async def refused(target: Target, action: LimitedAction) -> Answer:
    """Repeat the action until the server refuses it, and return the refusal.

    Raises:
        Blocked: the requests exceed the limit without a 429.
    """
    answers = await exhaust(target, action)
    if answers[-1].status != TOO_MANY:
        raise Blocked(f"the limit of {action.rate} for {action.name} was exceeded without a 429", (answers[-1].number,))
    return answers[-1]


def quiet_after(refusal: Answer, rate: Rate) -> float:
    """When the limiter admits a silent client again, in Unix seconds: as Retry-After says, or else one window later."""
    seconds = retry_after(refusal)
    return refusal.received_at + (rate.seconds if seconds is None else seconds) + GUARD


def _begins_to_refuse(answers: list[Answer]) -> bool:
    last = answers[-1].status
    return last == TOO_MANY or (last in OTHER_REFUSALS and last != answers[0].status)


def _preferred(server: Server, most: int) -> tuple[str, Rate]:
    declared = server.profile.limits.declared()
    for name in declared_actions(server):
        if declared[name].count <= most:
            return name, declared[name]
    raise Skipped(
        f"no limit of at most {counted(most, 'request')} is declared: "
        'declare one in the profile, as `[limits] authorize = "10/60"`'
    )


async def _hit_of(target: Target, name: str) -> Hit:
    client = await target.clients.shared()
    if name == "register":
        return lambda source: source.clients.register(source.clients.metadata())
    if name in ("token", "token_failures"):
        made_up = {"grant_type": "authorization_code", "code_verifier": secrets.token_urlsafe(48)}
        return lambda source: source.tokens.request({**made_up, "code": secrets.token_urlsafe(32)}, client)
    if name == "authorize":

        async def authorize(source: Target) -> Answer:
            return (await source.authorization.first_answer(source.authorization.request(client))).last

        return authorize
    held = await target.from_another_source().callbacks.hold(target.authorization.request(client))
    url = held.start_url if name == "start" else held.callback_url
    return lambda source: source.get(url or "", headers={"accept": "text/html"})
