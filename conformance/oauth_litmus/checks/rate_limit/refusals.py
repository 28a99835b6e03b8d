"""Limits hold, and a refusal is a 429 that says when to come back (RFC 6585 section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import BURST, REGISTRATION, check
from oauth_litmus.client import Target
from oauth_litmus.http.retry_after import retry_after
from oauth_litmus.probes.limited_actions import (
    OTHER_REFUSALS,
    TOO_MANY,
    declared_actions,
    exhaust,
    limited_action,
    refused,
    until_quiet,
)
from oauth_litmus.verdict import Blocked
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.probes.limited_actions import LimitedAction

UNDECLARED_TRIES = 60
SLACK = 5.0
"""Seconds by which Retry-After may pass the window."""
_MOMENT, _TOO_FAST = 2.0, 100.0
"""Seconds between two refusals, and by how much a second of them may shorten what a penalty says."""


@check("RATE-01", needs={BURST, REGISTRATION})
async def declared_limits_are_enforced(target: Target) -> None:
    """Do each limited action more often than its limit allows, each from an address of its own."""
    names = declared_actions(target.server)
    if not names:
        await _some_limit_exists(target)
    for name in names:
        action = await limited_action(target, name)
        source = target.from_another_source()
        answers = await exhaust(source, action)
        admitted = [answer for answer in answers if answer.status != 429]
        expect.conclusive(answers[0])
        took = answers[-1].received_at - answers[0].sent_at
        if answers[-1].status != 429 and took > action.rate.seconds:
            raise Blocked(
                f"{counted(len(answers), 'request')} took {took:.0f} s, longer than the window of {action.rate.seconds:g} s"
            )
        got = f"{counted(len(admitted), 'request')} admitted"
        held = answers[-1].status in {TOO_MANY, *OTHER_REFUSALS}
        expect.safe(
            held,
            expected=f"{name} is refused after {action.rate.count} in {action.rate.seconds:g} s",
            got=got,
            at=answers[-1],
        )
        expect.safe(
            len(admitted) <= 2 * action.rate.count,
            expected=f"at most {action.rate.count} {name}",
            got=got,
            at=answers[-1],
        )


@check("RATE-02", needs={BURST, REGISTRATION}, waits=until_quiet)
async def refusal_is_429(target: Target) -> None:
    """Push one action over its limit and look at the first refusal."""
    action = await limited_action(target)
    answers = await exhaust(target, action)

    refusal = answers[-1]
    if refusal.status == answers[0].status:
        raise Blocked("no refusal was seen")
    said = expect.describe(refusal)
    expect.safe(refusal.status < 500 or refusal.status == 503, expected="429", got=said, at=refusal)
    expect.safe(refusal.status >= 300, expected="429", got=said, at=refusal)
    expect.that(refusal.status == 429, expected="429", got=said, at=refusal)
    caching = refusal.headers.get("cache-control", "").lower()
    cacheable = "no-store" not in caching and ("public" in caching or "max-age" in caching)
    expect.ideally(
        not cacheable,
        expected="a 429 that no cache stores (RFC 6585 section 4)",
        got=refusal.headers.get("cache-control", ""),
        at=refusal,
    )


@check("RATE-03", needs={BURST, REGISTRATION}, waits=until_quiet)
async def retry_after_is_well_formed(target: Target) -> None:
    """Push one action over its limit and read Retry-After."""
    action = await limited_action(target)
    refusal = await refused(target, action)

    value = refusal.headers.get("retry-after")
    if value is None:
        expect.ideally(False, expected="Retry-After", got="none", at=refusal)
        return
    seconds = retry_after(refusal)
    expect.safe(seconds is not None, expected="whole seconds or an HTTP-date", got=f"Retry-After: {value}", at=refusal)
    window = action.rate.seconds
    # A penalty may last longer than the window: nothing bounds it (RFC 6585 section 4). But it ends by seconds.
    if seconds is not None and seconds > 2 * window + SLACK:
        await _counted_in_seconds(target, action, refusal, seconds)
    expect.ideally(
        (seconds or 0) <= window + SLACK,
        expected=f"at most the window of {window:g} s",
        got=f"{seconds:g} s",
        at=refusal,
    )


async def _counted_in_seconds(target: Target, action: LimitedAction, refusal: Answer, seconds: float) -> None:
    await target.until(refusal.received_at + _MOMENT)
    again = await action.hit(target)
    left = retry_after(again) if again.status == 429 else None
    passed = again.received_at - refusal.received_at
    if left is not None:
        fell = seconds - left
        got = f"{fell:g} less after {passed:.1f} s: milliseconds, it seems"
        expect.safe(fell <= _TOO_FAST * passed, expected="seconds", got=got, at=(refusal, again))


async def _some_limit_exists(target: Target) -> None:
    client = await target.clients.shared()
    statuses: list[int] = []
    while len(statuses) < UNDECLARED_TRIES and not {429, 503} & set(statuses):
        statuses.append((await target.authorization.first_answer(target.authorization.request(client))).last.status)
    limited = bool({429, 503} & set(statuses))
    got = f"none in {UNDECLARED_TRIES} requests"
    expect.ideally(limited, expected="some limit on authorization requests", got=got)
