"""Reuse of a rotated refresh token: the server refuses it, and ends the family but no other grant (OAuth 2.1 section 4.3.1)."""

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
"""Seconds. If the server has an undeclared grace up to this length, REPLAY-06 warns."""
GRACE_UNKNOWN = (
    "rotated refresh tokens still work (REPLAY-06): if the server has a grace, declare it in the profile, "
    "as `[lifetimes] refresh_reuse_grace = SECONDS`"
)
SETTLING = 5.0
"""Seconds in which a revocation may take effect."""


@check("REPLAY-06", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def rotated_token_is_refused(target: Target) -> None:
    """Rotate a refresh token, wait until the declared grace is over, and present the old token."""
    answer = (await _reused(target)).of_the_old

    if answer.has_tokens and not target.server.refresh_reuse_grace and await _refused_after_a_minute(target):
        expect.ideally(
            False,
            expected="a declared grace",
            got="the old refresh token works during an undeclared grace",
            at=answer,
        )
        return
    expect.refused_grant(answer, because="the refresh token was rotated", steering=True)


@check("REPLAY-07", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def reuse_revokes_the_successor(target: Target) -> None:
    """Present a rotated refresh token after the grace, then its successor."""
    await _require_refused_reuse(target)

    answer = (await _reused(target)).of_its_successor

    expect.refused_grant(answer, because="its predecessor was presented again, which signals theft")


@check("REPLAY-08", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def reuse_is_detected_across_generations(target: Target) -> None:
    """Rotate three times, present the first refresh token of the family, then the newest."""
    await _require_refused_reuse(target)
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
    await _require_refused_reuse(target)
    old = await target.grants.fresh()
    successor = await rotated(target, old)
    await grace_is_over(target)
    newest = await rotated(target, successor)
    opened = await target.resource.accepted_call(newest)

    await target.tokens.refresh(old)
    await target.resource.call(newest.access_token)
    # A resource may cache the state of a token for a few seconds. The first call must not prolong that time.
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
    """Log two users in at one client, reuse a refresh token of one user, then refresh the grant of the other user."""
    stolen, others = [
        await target.tokens.for_code(await target.callbacks.login_as(target.user(label))) for label in ("a", "b")
    ]

    answer = await _refreshed_after_theft(target, stolen, others)

    expect.safe(
        answer.has_tokens, expected="tokens, since the theft was another user's", got=expect.describe(answer), at=answer
    )


@check("REPLAY-11b", needs={REFRESH}, logins=2, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def reuse_ends_no_grant_of_another_client(target: Target) -> None:
    """Log one user in at two clients, reuse a refresh token of one client, then refresh the grant of the other client."""
    stolen, others = [await _of_one_user(target, await target.clients.shared(label)) for label in ("a", "b")]

    answer = await _refreshed_after_theft(target, stolen, others)

    expect.that(
        answer.has_tokens,
        expected="tokens, since the theft was at another client",
        got=expect.describe(answer),
        at=answer,
    )


@check("REPLAY-16b", needs={REFRESH}, waits=lambda server: server.refresh_reuse_grace + GUARD)
async def rotated_token_in_another_spelling_is_refused(target: Target) -> None:
    """Rotate several times, and present each old refresh token in a different spelling; log in anew when the family ends."""
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
            if not answer.has_tokens:  # reuse was detected, so the other spellings need a new family
                newest = await target.grants.fresh()
                break
            newest = target.tokens.successor_of(answer, newest)


@dataclass(frozen=True)
class _Reused:
    """The answers to a rotated refresh token after the grace, and then to its successor."""

    of_the_old: Answer
    of_its_successor: Answer


@shared
async def _reused(target: Target) -> _Reused:
    old = await target.grants.from_pool()
    successor = await rotated(target, old)
    await grace_is_over(target)
    return _Reused(await target.tokens.refresh(old), await target.tokens.refresh(successor))


async def _require_refused_reuse(target: Target) -> None:
    """Require, if no grace is declared, that the server refuses a rotated refresh token.

    Raises:
        Skipped: the token works, perhaps during an undeclared grace, so the consequences of reuse cannot be seen.
    """
    if not target.server.refresh_reuse_grace and (await _reused(target)).of_the_old.has_tokens:
        raise Skipped(GRACE_UNKNOWN)


async def _generations(target: Target, first: Tokens, rotations: int) -> list[Tokens]:
    """Rotate this many times, and return the tokens of all generations, oldest first."""
    family = [first]
    for _ in range(rotations):
        family.append(await rotated(target, family[-1]))
    return family


async def _refused_in_another_spelling(target: Target, spelled: Tokens, what: str, control: Tokens) -> None:
    target.secret(spelled.refresh_token, "refresh_token")
    answer = await target.tokens.refresh(spelled)
    if answer.has_tokens and (await target.tokens.refresh(control)).has_tokens:
        raise Skipped(GRACE_UNKNOWN)
    because = f"the refresh token was rotated, and is still the same token {what}"
    expect.refused_grant(answer, "invalid_grant", "invalid_request", because=because)


async def _of_one_user(target: Target, client: Client) -> Tokens:
    """Tokens of a user of this check if the suite controls the upstream, or else of the suite's usual user."""
    if not target.controls_upstream or target.server.seen.upstream_url is None:
        return await target.grants.fresh(client)
    return await target.tokens.for_code(await target.callbacks.login_as(target.user(), client))


async def _refreshed_after_theft(target: Target, stolen: Tokens, others: Tokens) -> Answer:
    """Reuse a refresh token of the grant `stolen`, and return the answer to a refresh of the grant `others`.

    Raises:
        Blocked: the reuse does not end even its own grant.
    """
    await _require_refused_reuse(target)
    successor = await rotated(target, stolen)
    await grace_is_over(target)
    await target.tokens.refresh(stolen)
    ended = expect.conclusive(await target.tokens.refresh(successor))
    if ended.has_tokens:
        raise Blocked("set-up: reuse of a refresh token does not end even its own grant (REPLAY-07)", (ended.number,))
    return expect.conclusive(await target.tokens.refresh(others))


async def _refused_after_a_minute(target: Target) -> bool:
    """Whether the old token of another family is refused after 60 s, so that the undeclared grace is short.

    False if `max_wait` does not allow that wait.
    """
    if target.max_wait < UNDECLARED_GRACE:
        return False
    old = await target.grants.fresh()
    await rotated(target, old)
    await target.until(target.now() + UNDECLARED_GRACE)
    return not (await target.tokens.refresh(old)).has_tokens
