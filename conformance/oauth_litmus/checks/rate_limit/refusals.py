"""Enforcement of declared limits, and the form of refusals: 429 with Retry-After (RFC 6585 section 4)."""

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
"""Authorization requests that the check sends to find a limit if none is declared."""
SLACK = 5.0
"""Seconds by which Retry-After may exceed the window."""
_PAUSE, _MOST_PER_SECOND = 2.0, 100.0
"""Seconds between two refusals, and the most by which Retry-After may fall in each of these seconds."""


@check("RATE-01", needs={BURST, REGISTRATION})
async def declared_limits_are_enforced(target: Target) -> None:
    """Repeat each limited action until the server refuses it, from a separate source address if there is one."""
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
            expected=f"a refusal of {name} after {action.rate.count} requests in {action.rate.seconds:g} s",
            got=got,
            at=answers[-1],
        )
        expect.safe(
            len(admitted) <= 2 * action.rate.count,
            expected=f"at most {action.rate.count} admitted requests for {name}",
            got=got,
            at=answers[-1],
        )


@check("RATE-02", needs={BURST, REGISTRATION}, waits=until_quiet)
async def refusal_is_429(target: Target) -> None:
    """Repeat one action beyond its limit, and judge the status of the first refusal."""
    action = await limited_action(target)
    answers = await exhaust(target, action)

    refusal = answers[-1]
    if refusal.status == answers[0].status:
        raise Blocked("the server refused no request")
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
    """Repeat one action beyond its limit, and judge the Retry-After of the first 429."""
    action = await limited_action(target)
    refusal = await refused(target, action)

    value = refusal.headers.get("retry-after")
    if value is None:
        expect.ideally(False, expected="Retry-After", got="none", at=refusal)
        return
    seconds = retry_after(refusal)
    expect.safe(seconds is not None, expected="whole seconds or an HTTP-date", got=f"Retry-After: {value}", at=refusal)
    window = action.rate.seconds
    # A penalty may last longer than the window (RFC 6585 section 4 sets no bound), but Retry-After must count in seconds.
    if seconds is not None and seconds > 2 * window + SLACK:
        await _counted_in_seconds(target, action, refusal, seconds)
    expect.ideally(
        (seconds or 0) <= window + SLACK,
        expected=f"at most the window of {window:g} s",
        got=f"{seconds:g} s",
        at=refusal,
    )


async def _counted_in_seconds(target: Target, action: LimitedAction, refusal: Answer, seconds: float) -> None:
    await target.until(refusal.received_at + _PAUSE)
    again = await action.hit(target)
    left = retry_after(again) if again.status == 429 else None
    passed = again.received_at - refusal.received_at
    if left is not None:
        fell = seconds - left
        got = f"Retry-After is {fell:g} lower after {passed:.1f} s: it seems to count milliseconds"
        expect.safe(fell <= _MOST_PER_SECOND * passed, expected="Retry-After in seconds", got=got, at=(refusal, again))


async def _some_limit_exists(target: Target) -> None:
    client = await target.clients.shared()
    statuses: list[int] = []
    while len(statuses) < UNDECLARED_TRIES and not {429, 503} & set(statuses):
        statuses.append((await target.authorization.first_answer(target.authorization.request(client))).last.status)
    limited = bool({429, 503} & set(statuses))
    got = f"no 429 or 503 in {UNDECLARED_TRIES} requests"
    expect.ideally(limited, expected="some limit on authorization requests", got=got)
