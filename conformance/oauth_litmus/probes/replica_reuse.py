"""Reuse of refresh tokens across replicas, which two checks judge: one replica rotates a token, another gets the old one."""

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
    """The answers after a refresh token that one replica rotated was presented to another."""

    rotated_at: str
    """The address of the replica that rotated the token."""
    seen_by: str
    """The address of the replica that got the old token."""
    answer: Answer
    """The answer to the old token."""
    asked_afterwards: tuple[str, ...]
    """The addresses of all replicas, in the order in which they then got the successor; `seen_by` is the last."""
    afterwards: tuple[Answer, ...]
    """The answers of these replicas to the successor."""


async def need_no_grace(target: Target) -> None:
    """Require that a replica refuses a refresh token that it rotated itself.

    If it accepts the token, the acceptance by another replica proves nothing.

    Raises:
        Skipped: the replica accepts the token, so the server may have an undeclared grace for lost answers.
    """
    first = (await target.replicas())[0]
    old = await target.grants.fresh()
    await rotated(first, old)
    if (await first.tokens.refresh(old)).has_tokens:
        raise Skipped(
            "a replica accepts a refresh token that it rotated itself: if the server has a grace, declare it in the profile, "
            "as `[lifetimes] refresh_reuse_grace = SECONDS`"
        )


@shared
async def reuses(target: Target) -> tuple[Reuse, ...]:
    """Rotate at each replica, wait until the declared grace is over, and present the old token to the next replica.

    Then present the successor to all replicas. All checks share the result.

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
