"""The key of a limit: the client's address, not a header that the client chooses (RFC 9700 section 4.13)."""

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
    """Exhaust a limit, then send each forwarding header with a made-up address between two requests without it."""
    _require_an_untrusted_address(target)
    action = await limited_action(target)
    await refused(target, action)

    spoofs = [{name: form.format(_made_up_address())} for name, form in FORWARDING.items()]
    spoofs.append({"x-forwarded-for": f"{_made_up_address()}, {_made_up_address()}"})
    for spoof in spoofs:
        # Twice: a token bucket may refill between two requests.
        evading = await _evades(target, action, spoof) and await _evades(target, action, spoof)
        expected = f"429 even with a made-up address in {next(iter(spoof))}"
        got = expect.describe(evading) if evading else "429"
        expect.that(evading is None, expected=expected, got=got, at=evading)


@check("RATE-08", needs={BURST, REGISTRATION, SECOND_SOURCE}, waits=until_quiet)
async def sources_are_counted_apart(target: Target) -> None:
    """Exhaust a limit from one address, then send one request from another address: the server must not answer 429."""
    action = await limited_action(target)
    await refused(target, action)

    answer = await action.hit(target.from_another_source())

    expect.safe(
        answer.status != 429,
        expected="no 429 for another source address",
        got="429 for another source address",
        at=answer,
    )


async def _evades(target: Target, action: LimitedAction, spoof: dict[str, str]) -> Answer | None:
    """Return the answer to a spoofed request that was admitted between two refused plain ones; otherwise None."""
    before = await action.hit(target)
    spoofed = await action.hit(target.with_headers(spoof))
    after = await action.hit(target)
    return spoofed if before.status == after.status == 429 != spoofed.status else None


def _require_an_untrusted_address(target: Target) -> None:
    topology = target.server.profile.topology
    if topology is None:
        raise Skipped(
            'declare in the profile how the suite reaches the server, as `topology = "direct"`: '
            "the server may rightly believe these headers from a trusted proxy"
        )
    if topology == "trusted":
        raise NotApplicable("the server trusts the suite's address as a proxy, so it may believe these headers")


def _made_up_address() -> str:
    return f"203.0.113.{1 + secrets.randbelow(250)}"
