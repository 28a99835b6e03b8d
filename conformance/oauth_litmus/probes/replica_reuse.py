"""One experiment for two checks: a refresh token that was rotated at one replica is presented to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.client.shared import shared
from oauth_litmus.probes.families import grace_is_over, rotated
from oauth_litmus.probes.replicas import in_a_ring
from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Target, Tokens
    from oauth_litmus.http.answer import Answer


@dataclass(frozen=True)
class Reuse:
    """What became of one login whose refresh token was presented again."""

    rotated_at: str
    seen_by: str
    answer: Answer
    """To the rotated token."""
    asked_afterwards: tuple[str, ...]
    afterwards: tuple[Answer, ...]
    """To the successor, at one replica after the other."""


async def need_no_grace(target: Target) -> None:
    """See that one replica alone refuses what it rotated: only then does another's acceptance say something of it.

    Raises:
        Skipped: it does not, so that there is a grace for lost answers which is not declared.
    """
    first = (await target.replicas())[0]
    old = await target.grants.fresh()
    await rotated(first, old)
    if (await first.tokens.refresh(old)).has_tokens:
        raise Skipped(
            "the server takes a rotated refresh token for a time: declare it in the profile, as "
            "`[lifetimes] refresh_reuse_grace = SECONDS`"
        )


@shared
async def reuses(target: Target) -> tuple[Reuse, ...]:
    """Rotate at each replica, wait for the declared grace to end, present the old token to the next replica.

    The checks that look at this share it.

    Raises:
        Blocked: a login or a rotation failed.
        NotApplicable: refresh tokens need no rotation here.
    """
    replicas = await target.replicas()
    logins: list[tuple[Target, Target, Tokens, Tokens]] = []
    for at, asked in in_a_ring(replicas):
        old = await target.grants.fresh()
        logins.append((at, asked, old, await rotated(at, old)))
    await grace_is_over(target)
    found: list[Reuse] = []
    for at, asked, old, successor in logins:
        answer = await asked.tokens.refresh(old)
        others = [other for other in replicas if other is not asked] + [asked]
        afterwards = [await other.tokens.refresh(successor) for other in others]
        found.append(Reuse(at.address, asked.address, answer, tuple(o.address for o in others), tuple(afterwards)))
    return tuple(found)
