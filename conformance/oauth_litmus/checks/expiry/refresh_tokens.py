"""The lifetime of unused refresh tokens (OAuth 2.1 section 4.3.3)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import REFRESH, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target, Tokens
from oauth_litmus.probes.boundary import GUARD, Boundary
from oauth_litmus.verdict import Skipped

MANY = 6
"""Number of upstream calls that fail: more than the retries of a relay and a client together."""


@check("EXPIRY-11", needs={REFRESH}, logins=2, waits=lambda server: server.refresh_token_ttl + GUARD)
async def unused_refresh_token_expires(target: Target) -> None:
    """Use one refresh token two seconds before its declared expiry, and another one two seconds after it."""
    younger, older = await target.grants.fresh(), await target.grants.fresh()
    end = Boundary.of(younger.answer, target.server.refresh_token_ttl)
    await target.until(end.before)
    answer = expect.conclusive(await target.tokens.refresh(younger))
    end.before_its_end(answer, held=answer.has_tokens)
    expect.tokens(answer, expected="tokens shortly before the declared expiry of the refresh token")

    await _is_refused_after_its_lifetime(target, older)


@check("EXPIRY-11a", needs={REFRESH}, logins=1, waits=lambda server: server.refresh_token_ttl + GUARD)
async def unused_successor_expires(target: Target) -> None:
    """Refresh, and use the returned refresh token two seconds after its declared expiry."""
    successor = await target.tokens.refreshed(await target.grants.fresh())

    await _is_refused_after_its_lifetime(target, successor)


async def _is_refused_after_its_lifetime(target: Target, tokens: Tokens) -> None:
    lifetime = target.server.refresh_token_ttl
    over = Boundary.of(tokens.answer, lifetime)
    await target.until(over.after)

    answer = expect.conclusive(await target.tokens.refresh(tokens, even_if_ended=True))

    over.after_its_end(answer)
    declared = f"the declared lifetime of {lifetime:g} s"
    expect.safe(not answer.has_tokens, obtained=True, expected=f"a refusal after {declared}", got="tokens", at=answer)
    expect.refused_grant(answer, because="the refresh token has expired", steering=True)


@check("EXPIRY-12", needs={REFRESH}, waits=lambda server: server.refresh_token_ttl + GUARD)
async def foreign_use_does_not_extend_a_refresh_token(target: Target) -> None:
    """At half the lifetime, send a refresh token as another client. Refresh with it after its declared expiry."""
    lifetime, stranger = target.server.refresh_token_ttl, await target.clients.shared("b")
    tokens = await target.grants.fresh()
    end = Boundary.of(tokens.answer, lifetime)
    await target.until(tokens.answer.sent_at + lifetime / 2)
    tried = expect.conclusive(await target.tokens.refresh(tokens, client=stranger))
    end.before_its_end(tried, held=False)
    if tried.has_tokens:
        raise Skipped("another client's refresh succeeds (REPLAY-11): there is no failed attempt to judge")

    await target.until(end.after)
    answer = await target.tokens.refresh(tokens, even_if_ended=True)

    end.after_its_end(answer)
    expect.refused_grant(answer, because="the refresh token has expired, also after a failed attempt")


@check(
    "EXPIRY-12a",
    needs={REFRESH, RELAY, UPSTREAM_CONTROL},
    waits=lambda server: server.refresh_token_ttl + GUARD,
)
async def upstream_trouble_does_not_extend_a_refresh_token(target: Target) -> None:
    """At half the lifetime, refresh while the upstream answers 500. Refresh with the same token after its declared expiry."""
    lifetime = target.server.refresh_token_ttl
    tokens = await target.tokens.for_code(await target.callbacks.login_as(target.user()))
    end = Boundary.of(tokens.answer, lifetime)
    await target.until(tokens.answer.sent_at + lifetime / 2)
    fault = await target.upstream.fault(
        "token", "status", grant_type="refresh_token", user=target.user(), status=500, times=MANY
    )
    tried = await target.tokens.refresh(tokens)
    await target.upstream.lift(fault)
    end.before_its_end(tried, held=False)
    if tried.has_tokens:
        raise Skipped("the refresh succeeds while the upstream fails: there is no failed attempt to judge")

    await target.until(end.after)
    answer = await target.tokens.refresh(tokens, even_if_ended=True)

    end.after_its_end(answer)
    expect.refused_grant(answer, because="the refresh token has expired, also after a failure of the upstream")
