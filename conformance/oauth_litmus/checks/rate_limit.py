"""Limits per source address (RFC 6585; RFC 9700 section 4.13). Every check here pushes, and runs only when asked to."""

from __future__ import annotations

import secrets

from oauth_litmus import expect
from oauth_litmus.answer import Answer
from oauth_litmus.check import BURST, REGISTRATION, SECOND_SOURCE, check
from oauth_litmus.client import Target
from oauth_litmus.lane import retry_after
from oauth_litmus.limited_actions import (
    OTHER_REFUSALS,
    TOO_MANY,
    LimitedAction,
    declared_actions,
    declared_window,
    exhaust,
    limited_action,
)
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

UNDECLARED_TRIES = 60
FORWARDING = {
    "x-forwarded-for": "{0}",
    "forwarded": "for={0}",
    "x-real-ip": "{0}",
    "x-client-ip": "{0}",
    "true-client-ip": "{0}",
    "cf-connecting-ip": "{0}",
    "x-cluster-client-ip": "{0}",
    "fastly-client-ip": "{0}",
}
SLACK = 5.0
"""Seconds by which Retry-After may pass the window."""
GUARD = 1.0
WINDOWS = 3
SHARE = 2 / 3
"""Of the declared rate: sliding logs, token buckets and fixed windows all admit that for ever."""


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
                f"{len(answers)} requests took {took:.0f} s, longer than the window of {action.rate.seconds:g} s"
            )
        got = f"{len(admitted)} were admitted"
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


@check("RATE-02", needs={BURST, REGISTRATION}, waits=declared_window)
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
    cacheable = "public" in refusal.headers.get("cache-control", "") or "max-age" in refusal.headers.get(
        "cache-control", ""
    )
    expect.ideally(
        not cacheable,
        expected="a 429 that no cache stores (RFC 6585 section 4)",
        got=refusal.headers.get("cache-control", ""),
        at=refusal,
    )


@check("RATE-03", needs={BURST, REGISTRATION}, waits=declared_window)
async def retry_after_is_well_formed(target: Target) -> None:
    """Push one action over its limit and read Retry-After."""
    action = await limited_action(target)
    refusal = await _refused(target, action)

    value = refusal.headers.get("retry-after")
    if value is None:
        expect.ideally(False, expected="Retry-After", got="none", at=refusal)
        return
    seconds = retry_after(refusal)
    expect.safe(seconds is not None, expected="whole seconds or an HTTP-date", got=f"Retry-After: {value}", at=refusal)
    window = action.rate.seconds
    expect.safe(
        (seconds or 0) <= 2 * window + SLACK,
        expected=f"at most the window of {window:g} s",
        got=f"{seconds:g} s",
        at=refusal,
    )
    expect.ideally(
        (seconds or 0) <= window + SLACK,
        expected=f"at most the window of {window:g} s",
        got=f"{seconds:g} s",
        at=refusal,
    )


@check("RATE-04", needs={BURST, REGISTRATION}, waits=lambda server: 2 * declared_window(server) + GUARD)
async def retry_after_is_truthful(target: Target) -> None:
    """After a 429 stay silent for as long as it says, and try once; a second time if that is refused too."""
    action = await limited_action(target)
    refusal = await _refused(target, action)

    answer = await _after_the_advised_delay(target, action, refusal)
    if answer.status == 429:
        answer = await _after_the_advised_delay(target, action, answer)
    expect.safe(
        answer.status != 429,
        expected="the request is accepted after the advised delay",
        got="429 again, twice",
        at=answer,
    )


@check("RATE-05", needs={BURST, REGISTRATION}, waits=lambda server: WINDOWS * declared_window(server))
async def window_ends_under_steady_traffic(target: Target) -> None:
    """Send requests at two thirds of the declared rate through three windows."""
    action = await limited_action(target)
    source = target.from_another_source() if target.run.separate_sources else target
    begun, pause = target.now(), action.rate.seconds / (action.rate.count * SHARE)

    for number in range(int(WINDOWS * action.rate.count * SHARE)):
        await target.until(begun + number * pause)
        answer = await action.hit(source)
        expect.safe(
            answer.status != 429, expected="no refusal below the limit", got=f"429 at request {number + 1}", at=answer
        )


@check("RATE-07", needs={BURST, REGISTRATION}, waits=declared_window)
async def spoofed_headers_do_not_evade_the_limit(target: Target) -> None:
    """Exhaust a limit, then send each forwarding header with a made-up address between two plain requests."""
    _how_it_is_reached(target)
    action = await limited_action(target)
    await _refused(target, action)

    spoofs = [{name: form.format(_made_up_address())} for name, form in FORWARDING.items()]
    spoofs.append({"x-forwarded-for": f"{_made_up_address()}, {_made_up_address()}"})
    for spoof in spoofs:
        # Twice: a token bucket may refill between two requests.
        evading = await _evades(target, action, spoof) and await _evades(target, action, spoof)
        expected = f"429 whatever {next(iter(spoof))} says"
        got = expect.describe(evading) if evading else "429"
        expect.that(evading is None, expected=expected, got=got, at=evading)


@check("RATE-08", needs={BURST, REGISTRATION, SECOND_SOURCE}, waits=declared_window)
async def sources_are_counted_apart(target: Target) -> None:
    """Exhaust a limit from one address, then send one request from another."""
    action = await limited_action(target)
    await _refused(target, action)

    answer = await action.hit(target.from_another_source())

    expect.safe(answer.status != 429, expected="another source is served", got="429 for another source", at=answer)


async def _refused(target: Target, action: LimitedAction) -> Answer:
    answers = await exhaust(target, action)
    if answers[-1].status != 429:
        raise Blocked(f"the limit of {action.rate} for {action.name} was passed without a 429", (answers[-1].number,))
    return answers[-1]


async def _after_the_advised_delay(target: Target, action: LimitedAction, refusal: Answer) -> Answer:
    seconds = retry_after(refusal)
    if seconds is None:
        raise NotApplicable("the 429 carries no Retry-After")
    await target.until(refusal.received_at + seconds + GUARD)
    return await action.hit(target)


async def _evades(target: Target, action: LimitedAction, spoof: dict[str, str]) -> Answer | None:
    """The answer to a spoofed request that was accepted between two plain ones that were not."""
    before = await action.hit(target)
    spoofed = await action.hit(target.with_headers(spoof))
    after = await action.hit(target)
    return spoofed if before.status == after.status == 429 != spoofed.status else None


async def _some_limit_exists(target: Target) -> None:
    client = await target.client()
    statuses: list[int] = []
    while len(statuses) < UNDECLARED_TRIES and not {429, 503} & set(statuses):
        statuses.append((await target.authorize(target.request(client))).last.status)
    limited = bool({429, 503} & set(statuses))
    got = f"none in {UNDECLARED_TRIES} requests"
    expect.ideally(limited, expected="some limit on authorization requests", got=got)


def _how_it_is_reached(target: Target) -> None:
    topology = target.server.profile.topology
    if topology is None:
        raise Skipped(
            'declare how the server is reached, as `topology = "direct"`: a trusted proxy\'s headers are authoritative'
        )
    if topology == "trusted":
        raise NotApplicable("the suite's address is a trusted proxy of the server: its headers are authoritative")


def _made_up_address() -> str:
    return f"203.0.113.{1 + secrets.randbelow(250)}"
