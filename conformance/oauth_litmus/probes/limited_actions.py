"""Actions that a server limits per source address, and how the burst checks push against one limit."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.http.retry_after import retry_after
from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked, Skipped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.limits.rates import Rate
    from oauth_litmus.target.server import Server

    Hit = Callable[[Target], Awaitable[Answer]]

MOST = 200
"""A limit above this would take more requests than a check may send."""
GUARD = 1.0
"""Seconds added to a window or an advised delay."""
TOO_MANY = 429
OTHER_REFUSALS = frozenset({403, 500, 503})
"""What limiters answer that do not speak 429; RATE-02 judges that."""
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
        """Requests that no limiter admits: a fixed window lets two times the number pass at its edge."""
        return 2 * (self.rate.count + max(5, self.rate.count // 4))


def declared_window(server: Server) -> float:
    """The window of the limit that the checks push against, in seconds.

    Raises:
        Skipped: no limit is declared.
    """
    return _preferred(server, MOST)[1].seconds


def longest_window(server: Server) -> float:
    """The longest window of all declared limits, in seconds; 0 where none is declared."""
    return max((rate.seconds for rate in server.profile.limits.declared().values()), default=0.0)


def until_quiet(server: Server) -> float:
    """Seconds until nothing that others sent counts in the limit that the checks push against; see `windows_to_end`.

    Raises:
        Skipped: no limit is declared.
    """
    seconds = declared_window(server)
    return 0.0 if server.separate_sources else seconds


def until_all_is_quiet(server: Server) -> float:
    """The same for all limits together."""
    return 0.0 if server.separate_sources else longest_window(server)


def rate_of(server: Server, *names: str) -> tuple[str, Rate]:
    """The first of these actions for which a limit is declared, with its limit.

    Raises:
        Skipped: there is none that can be pushed against.
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
    """A declared action, ready to be done again and again; by default the one that leaves least behind.

    Raises:
        Skipped: no limit of at most so many is declared.
    """
    chosen, rate = rate_of(target.server, name) if name else _preferred(target.server, most)
    await windows_to_end(target, rate.seconds, _kind_of(chosen))
    return LimitedAction(chosen, rate, await _hit_of(target, chosen))


async def windows_to_end(target: Target, seconds: float, *kinds: Kind) -> None:
    """Wait until no request of these kinds (of all, if none is given) that was sent from this address counts any more.

    Where each check has an address of its own, there is nothing to wait for.
    """
    if not target.server.separate_sources:
        await target.until(target.last_sent(*kinds) + seconds + GUARD)


def _kind_of(action: str) -> Kind:
    return Kind.TOKEN if action == "token_failures" else Kind(action)


def declared_actions(server: Server) -> list[str]:
    """The declared actions that the suite can do."""
    declared = server.profile.limits.declared()
    return [name for name in PREFERENCE if name in declared and declared[name].count <= MOST]


async def exhaust(target: Target, action: LimitedAction) -> list[Answer]:
    """Do it, one after the other, until the answer becomes a refusal or the limit is passed by far."""
    answers = [await action.hit(target)]
    # Other changes are no refusal: what a URL leads to once may be an error from then on.
    while len(answers) < action.over_the_limit and not _begins_to_refuse(answers):
        answers.append(await action.hit(target))
    return answers


async def refused(target: Target, action: LimitedAction) -> Answer:
    """Do it until it is refused; that refusal.

    Raises:
        Blocked: it never is.
    """
    answers = await exhaust(target, action)
    if answers[-1].status != TOO_MANY:
        raise Blocked(f"the limit of {action.rate} for {action.name} was passed without a 429", (answers[-1].number,))
    return answers[-1]


def quiet_after(refusal: Answer, rate: Rate) -> float:
    """When whoever keeps silent is let in again, in Unix seconds: as the refusal says, or else a window later."""
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
        f'no limit of at most {most} requests is declared: declare one in the profile, as `[limits] authorize = "10/60"`'
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
