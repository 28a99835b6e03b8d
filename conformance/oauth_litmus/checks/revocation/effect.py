"""Effects of a revocation, and the tokens that it revokes (RFC 7009 sections 2.1 and 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, RESOURCE, REVOCATION, check
from oauth_litmus.client.grants import SPREAD_OF_A_REVOCATION, Revoked
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.grants import Tokens

UNKNOWN_HINT = "urn:example:no-such-token-type"
GUARD = 2.0
"""Seconds before expiry in which the refusal of a token does not prove its revocation."""
LATE = 60.0
"""Seconds after which every part of the server must know of a revocation (RFC 7009 section 2.1)."""


@check("REVOKE-01", needs={REFRESH, REVOCATION}, logins=2)
async def revoked_refresh_token_is_refused(target: Target) -> None:
    """Revoke one refresh token without a hint and one with the right hint; then use each."""
    client = await target.grants.revoking_client()
    unhinted = await target.grants.revoked_by(client.auth_method)
    _is_revoked(unhinted, None)
    tokens = await target.grants.from_pool(client)
    revoked = await target.tokens.revoke(tokens.refresh_token, tokens.client, hint="refresh_token")
    _is_revoked(await target.grants.after_revocation(revoked, tokens), "refresh_token")


@check("REVOKE-09", needs={REFRESH, REVOCATION}, logins=2)
async def hint_does_not_keep_a_token_alive(target: Target) -> None:
    """Revoke one refresh token with a wrong hint and one with an unknown hint; then use each."""
    client = await target.grants.revoking_client()
    for hint in ("access_token", UNKNOWN_HINT):
        tokens = await target.grants.fresh(client)
        revoked = expect.conclusive(await target.tokens.revoke(tokens.refresh_token, tokens.client, hint=hint))

        answer = _in_the_end(await target.grants.after_revocation(revoked, tokens))

        told = f"the refresh token was revoked (token_type_hint: {hint}, answered {expect.describe(revoked)})"
        expect.refused_grant(answer, because=told)
        got = f"{expect.describe(revoked)} for token_type_hint: {hint}"
        expect.ideally(revoked.status < 400, expected="200: the hint is ignored", got=got, at=revoked)


@check("REVOKE-02", needs={LOGIN, RESOURCE, REVOCATION})
async def revoked_access_token_is_refused(target: Target) -> None:
    """Revoke access tokens, without a hint and with the right one; present each at once and, if accepted, after 5 s and 60 s."""
    client = await target.grants.revoking_client()
    for hint in target.limit_probes((None, "access_token"), most=1):
        tokens = await target.grants.from_pool(client)
        await _is_refused_in_the_end(target, tokens, hint)


async def _is_refused_in_the_end(target: Target, tokens: Tokens, hint: str | None) -> None:
    opened = await target.resource.accepted_call(tokens)
    revoked = expect.conclusive(await target.tokens.revoke(tokens.access_token, tokens.client, hint=hint))
    if revoked.error == "unsupported_token_type":
        expect.ideally(False, expected="access tokens can be revoked", got=expect.describe(revoked), at=revoked)
        return

    answer = await target.resource.call(tokens.access_token)
    longest = min(target.max_wait, tokens.ends_at - GUARD - revoked.received_at)
    for seconds in (SPREAD_OF_A_REVOCATION, LATE):
        if seconds <= longest and expect.let_in(expect.conclusive(answer), opened):
            await target.until(revoked.received_at + seconds)
            answer = await target.resource.call(tokens.access_token)

    taken = expect.let_in(expect.conclusive(answer), opened)
    after = answer.sent_at - revoked.received_at
    broken_promise = target.server.profile.revocation_immediate and after >= LATE
    judge = expect.safe if broken_promise else expect.that
    judge(
        not taken,
        expected=f"the revoked access token (token_type_hint: {hint}) is refused",
        got=f"it still works {after:.0f} s after the revocation",
        at=(revoked, answer),
    )


@check("REVOKE-06a", needs={REFRESH, RESOURCE, REVOCATION})
async def revoked_grant_ends_its_access_tokens(target: Target) -> None:
    """Revoke a refresh token; call the resource with the access tokens of the same login at once and, if accepted, after 5 s."""
    first = await target.grants.fresh(await target.grants.revoking_client())
    newest = await target.tokens.refreshed(first)
    opened = await target.resource.accepted_call(newest)
    token = newest.refresh_token or first.refresh_token
    revoked = expect.conclusive(await target.tokens.revoke(token, first.client, hint="refresh_token"))

    answers = [expect.conclusive(await target.resource.call(tokens.access_token)) for tokens in (first, newest)]
    if any(expect.let_in(answer, opened) for answer in answers):
        await target.until(revoked.received_at + SPREAD_OF_A_REVOCATION)
        answers = [expect.conclusive(await target.resource.call(tokens.access_token)) for tokens in (first, newest)]

    alive = [answer for answer in answers if expect.let_in(answer, opened)]
    if alive and not await _revokes_access_tokens(target, newest, opened):
        raise NotApplicable("the server does not revoke access tokens (REVOKE-02)")
    got = f"{len(alive)} of {len(answers)} access tokens still work"
    expect.that(
        not alive,
        obtained=True,
        expected="the access tokens of the revoked grant are refused",
        got=got,
        at=(revoked, *alive),
    )


@check("REVOKE-06b", needs={REFRESH, REVOCATION})
async def revoked_grant_has_no_successors(target: Target) -> None:
    """Refresh, revoke the new refresh token, then refresh with the previous one, within any grace period."""
    older = await target.grants.fresh(await target.grants.revoking_client())
    newer = await target.tokens.refreshed(older)
    if newer.refresh_token in (None, older.refresh_token):
        raise NotApplicable("the server does not rotate refresh tokens, so there is no older one")
    revoked = expect.conclusive(await target.tokens.revoke(newer.refresh_token, older.client, hint="refresh_token"))

    answer = _in_the_end(await target.grants.after_revocation(revoked, older, presented_again=True))

    got = "tokens for an older refresh token of the revoked grant"
    expect.that(
        not answer.has_tokens, obtained=True, expected="400 with error=invalid_grant", got=got, at=(revoked, answer)
    )


def _is_revoked(shown: Revoked, hint: str | None) -> None:
    if shown.refreshed is None:
        raise NotApplicable("the clients that can revoke get no refresh token")
    revoked = expect.conclusive(shown.revoked)
    told = f"the refresh token was revoked (token_type_hint: {hint or 'none'})"
    expect.refused_grant(_in_the_end(shown), because=told)
    expect.ideally(revoked.status == 200, expected="200 for the revocation", got=f"{revoked.status}", at=revoked)


def _in_the_end(shown: Revoked) -> Answer:
    """The decisive answer: the later one, if there is one. A revocation may take time to spread (RFC 7009 section 2.1): a WARN."""
    first = expect.conclusive(cast("Answer", shown.refreshed))
    if shown.later is None:
        return first
    later = expect.conclusive(shown.later)
    if not later.has_tokens:
        expect.ideally(
            False,
            expected="a refusal at once",
            got=f"a refusal only after {SPREAD_OF_A_REVOCATION:g} s",
            at=(first, later),
        )
    return later


async def _revokes_access_tokens(target: Target, tokens: Tokens, opened: Answer) -> bool:
    """Whether the resource refuses an access token after the revocation of this access token."""
    answer = expect.conclusive(await target.tokens.revoke(tokens.access_token, tokens.client, hint="access_token"))
    if answer.status >= 400:
        return False
    await target.until(target.now() + SPREAD_OF_A_REVOCATION)
    return not expect.let_in(expect.conclusive(await target.resource.call(tokens.access_token)), opened)
