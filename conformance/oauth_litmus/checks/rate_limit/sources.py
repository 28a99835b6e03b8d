"""What a limit counts by: the client's address, and nothing that a client can write (RFC 9700 section 4.13)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import BURST, REGISTRATION, SECOND_SOURCE, check
from oauth_litmus.probes.limited_actions import limited_action, refused, until_quiet
from oauth_litmus.verdict import NotApplicable, Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.probes.limited_actions import LimitedAction

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


@check("RATE-07", needs={BURST, REGISTRATION}, waits=until_quiet)
async def spoofed_headers_do_not_evade_the_limit(target: Target) -> None:
    """Exhaust a limit, then send each forwarding header with a made-up address between two plain requests."""
    _how_it_is_reached(target)
    action = await limited_action(target)
    await refused(target, action)

    spoofs = [{name: form.format(_made_up_address())} for name, form in FORWARDING.items()]
    spoofs.append({"x-forwarded-for": f"{_made_up_address()}, {_made_up_address()}"})
    for spoof in spoofs:
        # Twice: a token bucket may refill between two requests.
        evading = await _evades(target, action, spoof) and await _evades(target, action, spoof)
        expected = f"429 whatever {next(iter(spoof))} says"
        got = expect.describe(evading) if evading else "429"
        expect.that(evading is None, expected=expected, got=got, at=evading)


@check("RATE-08", needs={BURST, REGISTRATION, SECOND_SOURCE}, waits=until_quiet)
async def sources_are_counted_apart(target: Target) -> None:
    """Exhaust a limit from one address, then send one request from another."""
    action = await limited_action(target)
    await refused(target, action)

    answer = await action.hit(target.from_another_source())

    expect.safe(answer.status != 429, expected="another source is served", got="429 for another source", at=answer)


async def _evades(target: Target, action: LimitedAction, spoof: dict[str, str]) -> Answer | None:
    """The answer to a spoofed request that was accepted between two plain ones that were not."""
    before = await action.hit(target)
    spoofed = await action.hit(target.with_headers(spoof))
    after = await action.hit(target)
    return spoofed if before.status == after.status == 429 != spoofed.status else None


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
