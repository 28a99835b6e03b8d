"""Actions that a server limits per source address, and how the burst checks push against one limit."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.answer import Answer
    from oauth_litmus.client import Target
    from oauth_litmus.rates import Rate
    from oauth_litmus.target import Server

    Hit = Callable[[Target], Awaitable[Answer]]

MOST = 200
"""A limit above this would take more requests than a check may send."""
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
    return _preferred(server)[1].seconds


async def limited_action(target: Target, name: str | None = None) -> LimitedAction:
    """A declared action, ready to be done again and again.

    Raises:
        Skipped: no limit is declared.
    """
    chosen, rate = (name, target.server.profile.limits.declared()[name]) if name else _preferred(target.server)
    if not target.run.separate_sources:
        await target.until(target.now() + rate.seconds + 1)  # what other checks sent from this address is over then
    return LimitedAction(chosen, rate, await _hit_of(target, chosen))


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


def _begins_to_refuse(answers: list[Answer]) -> bool:
    last = answers[-1].status
    return last == TOO_MANY or (last in OTHER_REFUSALS and last != answers[0].status)


def _preferred(server: Server) -> tuple[str, Rate]:
    for name in declared_actions(server):
        return name, server.profile.limits.declared()[name]
    raise Skipped(
        f'no limit of at most {MOST} requests is declared: declare one in the profile, as `[limits] authorize = "10/60"`'
    )


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
