"""Expiry and revocation of an access token at the protected resource (OAuth 2.1 section 5.3.2)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import JWT_ACCESS_TOKENS, LOGIN, RESOURCE, REVOCATION, check
from oauth_litmus.client import Target, Tokens
from oauth_litmus.client.resource import token_wait
from oauth_litmus.http.answer import Answer
from oauth_litmus.probes.boundary import GUARD, Boundary
from oauth_litmus.probes.expired import SHORT_LIFE, expired_token
from oauth_litmus.target.server import Server
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

HARD_LIMIT = 300.0
"""Seconds after expiry from which an accepted token fails, unless a longer leeway is declared (RFC 7519 section 4.1.4: a few minutes)."""
REVOKED_LIFE = 12
"""Lifetime in seconds of the access token that the check revokes, if the upstream control can set it."""
PROPAGATION, SETTLED = 5.0, 60.0
"""Seconds until a revocation has reached every instance: usually, and at the latest (RFC 7009 section 2.1)."""


@check("EXPIRY-09", needs={LOGIN, RESOURCE}, waits=token_wait)
async def expired_token_is_refused(target: Target) -> None:
    """Call the resource shortly before the access token expires, and again after expiry and the declared leeway."""
    expired, leeway = await expired_token(target), target.server.profile.lifetimes.clock_leeway
    tokens, opened, early, over = expired.tokens, expired.opened, expired.early, expired.over
    taken = expect.let_in(early, opened)
    expired.end.before_its_end(early, held=taken)
    expect.ideally(taken, expected="an accepted token shortly before its expiry", got=expect.describe(early), at=early)

    late = expired.late
    over.after_its_end(late)
    if expect.let_in(late, opened) and leeway < HARD_LIMIT:
        wanted = f"a refusal {leeway:g} s after expiry, as declared"
        expect.ideally(False, expected=wanted, got=expect.describe(late), at=late)
        over = Boundary.of_access_token(tokens, HARD_LIMIT)
        if target.max_wait < over.after - target.now():
            return
        await target.until(over.after)
        late = expect.conclusive(await target.resource.call(tokens.access_token))
        over.after_its_end(late)
    expect.refused_token(late, opened, because="the access token has expired")


def _leeway_wait(server: Server) -> float:
    if "clock_leeway" not in server.profile.lifetimes.model_fields_set:
        raise Skipped(
            "it is not known how long after exp the resource accepts a token: "
            "declare it in the profile, as `[lifetimes] clock_leeway = SECONDS` (0 if it does not)"
        )
    return token_wait(server)


@check("EXPIRY-10", needs={LOGIN, RESOURCE, JWT_ACCESS_TOKENS}, waits=_leeway_wait)
async def token_expires_at_its_exp(target: Target) -> None:
    """Call the resource as soon as exp and the declared leeway have certainly passed, and again a second later."""
    tokens = await target.resource.short_lived_tokens(SHORT_LIFE)
    exp = tokens.claims.get("exp")
    if not isinstance(exp, int | float) or isinstance(exp, bool):
        raise NotApplicable("the access token has no exp (EXPIRY-08)")
    opened, leeway = await target.resource.accepted_call(tokens), target.server.profile.lifetimes.clock_leeway
    end = Boundary.of_instant(exp + leeway, opened)
    target.may_wait(end.latest + 1 - target.now())

    wanted = f"a refusal as soon as exp and the declared leeway of {leeway:g} s have passed"
    await target.until(end.latest)
    exact = expect.conclusive(await target.resource.call(tokens.access_token))
    end.after_its_end(exact)
    taken = expect.let_in(exact, opened)
    expect.ideally(not taken, expected=wanted, got="the token accepted in that second", at=exact)
    await target.until(end.latest + 1)
    late = expect.conclusive(await target.resource.call(tokens.access_token))
    end.after_its_end(late)
    expect.that(
        not expect.let_in(late, opened),
        obtained=True,
        expected=wanted,
        got="the token accepted a second later",
        at=late,
    )


@check("EXPIRY-13", needs={LOGIN, RESOURCE, REVOCATION}, waits=token_wait, holds_grants=True)
async def revocation_does_not_lapse(target: Target) -> None:
    """Revoke an access token and call the resource with it until it would have expired."""
    tokens = await target.resource.short_lived_tokens(REVOKED_LIFE, await target.grants.revoking_client())
    dead = tokens.ends_at + target.server.profile.lifetimes.clock_leeway + GUARD
    target.may_wait(dead - target.now())
    opened = await target.resource.accepted_call(tokens)
    revoked = expect.conclusive(await target.tokens.revoke(tokens.access_token, tokens.client, hint="access_token"))
    pace = max(PROPAGATION, (dead - target.now()) / 20)
    await _arrives(target, tokens, opened, revoked)

    if target.now() >= dead:
        raise Blocked("the access token expired while its revocation waited in the queue of a rate limit")
    while target.now() < dead:
        await target.until(min(target.now() + pace, dead))
        answer = expect.conclusive(await target.resource.call(tokens.access_token))
        await _still_refused(target, tokens, opened, revoked, answer)


async def _arrives(target: Target, tokens: Tokens, opened: Answer, revoked: Answer) -> None:
    """Wait for the first refusal: instances behind a load balancer may learn of the revocation late.

    Raises:
        NotApplicable: the resource still accepts the token after a minute, or shortly before it expires.
    """
    last = min(revoked.sent_at + SETTLED, tokens.ends_at - GUARD)
    while expect.let_in(expect.conclusive(await target.resource.call(tokens.access_token)), opened):
        if target.now() >= last:
            raise NotApplicable("the resource does not honour the revocation of access tokens (REVOKE-02)")
        await target.until(min(target.now() + PROPAGATION, last))


async def _still_refused(target: Target, tokens: Tokens, opened: Answer, revoked: Answer, answer: Answer) -> None:
    """Require a refusal. After a success, call again a second later: some instances may not know of the revocation yet."""
    wanted = "a refusal of the revoked token"
    since = answer.sent_at - revoked.received_at
    if not expect.let_in(answer, opened):
        expect.that(True, expected=wanted, got="", at=answer)
        return
    await target.until(target.now() + 1)
    again = expect.conclusive(await target.resource.call(tokens.access_token))
    lapsed = since > SETTLED or (since >= PROPAGATION and expect.let_in(again, opened))
    expect.that(
        not lapsed,
        obtained=True,
        expected=wanted,
        got=f"the token accepted again, {since:.0f} s after its revocation",
        at=(revoked, answer, again),
    )
    expect.ideally(False, expected=wanted, got="a single success between refusals", at=answer)
