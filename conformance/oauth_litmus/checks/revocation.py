"""Token revocation (RFC 7009): effective, for public clients too, and for nobody else's tokens."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, RESOURCE, REVOCATION, check
from oauth_litmus.client import Target

GUARD = 2.0
"""Seconds before the end of a token, in which its refusal says nothing of the revocation."""
SOON, LATE = 5.0, 60.0
"""Seconds after which a revocation has arrived everywhere, as a rule and at the latest (RFC 7009 section 2.1)."""


@check("REVOKE-01", needs={REFRESH, REVOCATION}, logins=3)
async def revoked_refresh_token_is_refused(target: Target) -> None:
    """Revoke three refresh tokens, without a hint, with the right one, and with a wrong one; then use each."""
    client = await target.revoking_client()
    for hint in (None, "refresh_token", "access_token"):
        tokens = await target.tokens(client)
        revoked = expect.conclusive(await target.revoke(tokens.refresh_token, tokens.client, hint=hint))

        answer = await target.refresh(tokens)

        expect.refused_grant(answer, because=f"the refresh token was revoked (token_type_hint: {hint or 'none'})")
        expect.ideally(revoked.status == 200, expected="200 for the revocation", got=f"{revoked.status}", at=revoked)


@check("REVOKE-02", needs={LOGIN, RESOURCE, REVOCATION})
async def revoked_access_token_is_refused(target: Target) -> None:
    """Revoke an access token and call the resource with it at once, after five seconds, and after a minute."""
    tokens = await target.tokens(await target.revoking_client())
    opened = await target.opened(tokens)
    revoked = expect.conclusive(await target.revoke(tokens.access_token, tokens.client, hint="access_token"))
    if revoked.error == "unsupported_token_type":
        expect.ideally(False, expected="access tokens can be revoked", got=expect.describe(revoked), at=revoked)
        return

    answer = await target.call_resource(tokens.access_token)
    longest = min(target.run.budget.max_wait, tokens.ends_at - GUARD - revoked.received_at)
    for seconds in (SOON, LATE):
        if seconds <= longest and expect.let_in(expect.conclusive(answer), opened):
            await target.until(revoked.received_at + seconds)
            answer = await target.call_resource(tokens.access_token)

    taken = expect.let_in(expect.conclusive(answer), opened)
    after = answer.sent_at - revoked.received_at
    broken_promise = target.server.profile.revocation_immediate and after >= LATE
    judge = expect.safe if broken_promise else expect.that
    judge(
        not taken,
        expected="the revoked access token is refused",
        got=f"it works, {after:.0f} s after",
        at=(revoked, answer),
    )


@check("REVOKE-04", needs={REFRESH, REVOCATION})
async def stranger_revokes_nothing(target: Target) -> None:
    """Revoke a refresh token and an access token as another client, then use both as their own."""
    stranger = await target.revoking_client("b")
    tokens = await target.tokens(await target.revoking_client())
    opened = await target.opened(tokens) if target.server.seen.resource_answers else None

    attempts = [
        expect.conclusive(await target.revoke(token, stranger)) for token in (tokens.access_token, tokens.refresh_token)
    ]

    if opened is not None:
        answer = expect.conclusive(await target.call_resource(tokens.access_token))
        alive = expect.let_in(answer, opened)
        expect.that(alive, expected="the access token still works", got=expect.describe(answer), at=(*attempts, answer))
    answer = expect.conclusive(await target.refresh(tokens))
    expect.that(
        answer.has_tokens,
        expected="the refresh token still works for its own client",
        got=expect.describe(answer),
        at=(*attempts, answer),
    )


@check("REVOKE-05", needs={REFRESH, REVOCATION})
async def public_client_can_revoke(target: Target) -> None:
    """Revoke a living refresh token as a public client, with client_id and nothing else."""
    tokens = await target.refreshed(await target.tokens())

    answer = expect.conclusive(await target.revoke(tokens.refresh_token, tokens.client))

    expect.that(answer.status < 400, expected="200 without client_secret", got=expect.describe(answer), at=answer)
    expect.ideally(answer.status == 200, expected="status 200", got=f"{answer.status}", at=answer)
