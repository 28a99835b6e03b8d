"""A rotated refresh token is refused, and its reuse ends the family and nothing else (OAuth 2.1 section 4.3.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import REFRESH, RELAY, RESOURCE, UPSTREAM_CONTROL, check
from oauth_litmus.checks.replay.spellings import other_spellings
from oauth_litmus.client.resource import TOKEN_GUARD
from oauth_litmus.client.shared import shared
from oauth_litmus.probes.families import GUARD, grace_is_over, rotated
from oauth_litmus.verdict import Blocked, Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Client, Target, Tokens
    from oauth_litmus.http.answer import Answer

UNDECLARED_GRACE = 60.0
GRACE_UNKNOWN = (
    "rotated refresh tokens work as they were issued, too (REPLAY-06): declare the grace in the profile, "
    "as `[lifetimes] refresh_reuse_grace = SECONDS`"
)
SETTLING = 5.0
"""Seconds in which a revocation may take effect."""


@check("REPLAY-06", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def rotated_token_is_refused(target: Target) -> None:
    """Rotate a refresh token, wait for the declared grace to end, and present the old one."""
    answer = (await _reused(target)).of_the_old

    if answer.has_tokens and not target.server.refresh_reuse_grace and await _refused_after_a_minute(target):
        expect.ideally(
            False,
            expected="a declared grace",
            got="the old refresh token works in a grace that is not declared",
            at=answer,
        )
        return
    expect.refused_grant(answer, because="the refresh token was rotated", steering=True)


@check("REPLAY-07", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def reuse_revokes_the_successor(target: Target) -> None:
    """Present a rotated refresh token after the grace, then the one that replaced it."""
    await _reuse_is_seen(target)

    answer = (await _reused(target)).of_its_successor

    expect.refused_grant(answer, because="its predecessor was presented again, which signals theft")


@check("REPLAY-08", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def reuse_is_detected_across_generations(target: Target) -> None:
    """Rotate three times, present the first token of the family, then the newest."""
    await _reuse_is_seen(target)
    first = await target.grants.from_pool()
    newest = await rotated(target, await rotated(target, await rotated(target, first)))
    await grace_is_over(target)

    answer = await target.tokens.refresh(first)
    expect.refused_grant(answer, because="the refresh token was rotated three times", steering=True)

    answer = await target.tokens.refresh(newest)
    expect.refused_grant(answer, because="the first token of its family was presented again")


@check("REPLAY-09", needs={REFRESH, RESOURCE}, waits=lambda server: server.refresh_reuse_grace + GUARD + SETTLING)
async def reuse_ends_the_access_tokens_too(target: Target) -> None:
    """Present a rotated refresh token after the grace, then call the resource with the newest access token, twice."""
    await _reuse_is_seen(target)
    old = await target.grants.fresh()
    successor = await rotated(target, old)
    await grace_is_over(target)
    newest = await rotated(target, successor)
    opened = await target.resource.accepted_call(newest)

    await target.tokens.refresh(old)
    await target.resource.call(newest.access_token)
    # A resource may keep for a few seconds what it knows of a token, but not longer because it is asked.
    left = SETTLING if newest.expires_in is None else newest.expires_in - TOKEN_GUARD
    await target.until(target.now() + min(SETTLING, left))
    answer = await target.resource.call(newest.access_token)

    expect.refused_token(answer, opened, because="the refresh token of its grant was used twice, which signals theft")


@check(
    "REPLAY-11a",
    needs={REFRESH, RELAY, UPSTREAM_CONTROL},
    logins=2,
    waits=lambda server: server.refresh_reuse_grace + GUARD,
)
async def reuse_ends_no_grant_of_another_user(target: Target) -> None:
    """Two users log in at one client; after reuse in the grant of the one, refresh that of the other."""
    stolen, others = [
        await target.tokens.for_code(await target.callbacks.login_as(target.user(label))) for label in ("a", "b")
    ]

    answer = await _refreshed_after_theft(target, stolen, others)

    expect.safe(
        answer.has_tokens, expected="tokens: the theft was another user's", got=expect.describe(answer), at=answer
    )


@check("REPLAY-11b", needs={REFRESH}, logins=2, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def reuse_ends_no_grant_of_another_client(target: Target) -> None:
    """One user logs in at two clients; after reuse in the grant of the one, refresh that of the other."""
    stolen, others = [await _of_one_user(target, await target.clients.shared(label)) for label in ("a", "b")]

    answer = await _refreshed_after_theft(target, stolen, others)

    expect.that(
        answer.has_tokens, expected="tokens: the theft was at another client", got=expect.describe(answer), at=answer
    )


@check("REPLAY-16b", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def rotated_token_in_another_spelling_is_no_fresh_one(target: Target) -> None:
    """Rotate often, and present each old refresh token in a spelling of its own, as long as the family lives."""
    newest = await target.grants.fresh()
    spellings = list(other_spellings(newest.refresh_token or "").items())

    while spellings:
        control, *used_up, newest = await _generations(target, newest, 1 + len(spellings))
        await grace_is_over(target)
        for old in used_up:
            what, respell = spellings.pop(0)
            spelled = replace(old, refresh_token=respell(old.refresh_token or ""))
            await _refused_in_another_spelling(target, spelled, what, control)
            answer = await target.tokens.refresh(newest)
            if not answer.has_tokens:  # taken for what it is, which ended the family: the rest needs another one
                newest = await target.grants.fresh()
                break
            newest = target.tokens.successor_of(answer, newest)


@dataclass(frozen=True)
class _Reused:
    """The answers to a rotated refresh token after the grace, and then to the one that replaced it."""

    of_the_old: Answer
    of_its_successor: Answer


@shared
async def _reused(target: Target) -> _Reused:
    old = await target.grants.from_pool()
    successor = await rotated(target, old)
    await grace_is_over(target)
    return _Reused(await target.tokens.refresh(old), await target.tokens.refresh(successor))


async def _reuse_is_seen(target: Target) -> None:
    """See that a rotated refresh token is refused where no grace is declared.

    Raises:
        Skipped: it works, perhaps for a grace that nobody knows: what reuse leads to is not to be seen.
    """
    if not target.server.refresh_reuse_grace and (await _reused(target)).of_the_old.has_tokens:
        raise Skipped(GRACE_UNKNOWN)


async def _generations(target: Target, first: Tokens, rotations: int) -> list[Tokens]:
    """The tokens of a family, after that many rotations."""
    family = [first]
    for _ in range(rotations):
        family.append(await rotated(target, family[-1]))
    return family


async def _refused_in_another_spelling(target: Target, spelled: Tokens, what: str, control: Tokens) -> None:
    target.secret(spelled.refresh_token, "refresh_token")
    answer = await target.tokens.refresh(spelled)
    if answer.has_tokens and (await target.tokens.refresh(control)).has_tokens:
        raise Skipped(GRACE_UNKNOWN)
    because = f"the refresh token was rotated, also {what}"
    expect.refused_grant(answer, "invalid_grant", "invalid_request", because=because)


async def _of_one_user(target: Target, client: Client) -> Tokens:
    """Tokens of the person that the suite logs in, or of one of this check's own where the upstream is lent."""
    if not target.controls_upstream or target.server.seen.upstream_url is None:
        return await target.grants.fresh(client)
    return await target.tokens.for_code(await target.callbacks.login_as(target.user(), client))


async def _refreshed_after_theft(target: Target, stolen: Tokens, others: Tokens) -> Answer:
    """The answer to a refresh of the one grant, after reuse was detected in the other.

    Raises:
        Blocked: the reuse had no consequence, so that there is nothing to confine.
    """
    await _reuse_is_seen(target)
    successor = await rotated(target, stolen)
    await grace_is_over(target)
    await target.tokens.refresh(stolen)
    ended = expect.conclusive(await target.tokens.refresh(successor))
    if ended.has_tokens:
        raise Blocked("set-up: reuse of a refresh token ends nothing at all (REPLAY-07)", (ended.number,))
    return expect.conclusive(await target.tokens.refresh(others))


async def _refused_after_a_minute(target: Target) -> bool:
    """Whether another family's old token is refused once 60 s have passed: the grace is short, if undeclared."""
    if target.max_wait < UNDECLARED_GRACE:
        return False
    old = await target.grants.fresh()
    await rotated(target, old)
    await target.until(target.now() + UNDECLARED_GRACE)
    return not (await target.tokens.refresh(old)).has_tokens
