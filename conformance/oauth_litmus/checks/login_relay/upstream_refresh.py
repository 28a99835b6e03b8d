"""Refreshes while the upstream provider does not renew the session behind the grant."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import REFRESH, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.http.answer import Answer
from oauth_litmus.oauth.grants import Tokens
from oauth_litmus.verdict import NotApplicable

SHORT = 5
"""Lifetime of the upstream's access token in seconds: short, so that a token returned again has expired."""
SOON = 10.0
MANY = 6
"""Number of upstream calls that fail: more than the retries of a relay and a client together."""
GUARD = 1.0


@check("LOGIN-17a", needs={REFRESH, RELAY, UPSTREAM_CONTROL}, waits=lambda server: SOON + 1)
async def upstream_trouble_leaves_the_grant_alone(target: Target) -> None:
    """Refresh while the upstream answers 503, then refresh with the same token again."""
    tokens = await _expired_tokens(target)
    await target.upstream.fault("token", "status", grant_type="refresh_token", user=target.user(), status=503)

    answer = await target.tokens.refresh(tokens)

    await _asked_upstream(target)
    _nothing_stale(target, answer, tokens)
    expect.ideally(
        answer.error != "invalid_grant",
        expected="an error that lets the client retry, since the upstream fails only for a moment",
        got="invalid_grant",
        at=answer,
    )
    again = answer if answer.has_tokens else await target.tokens.refresh(tokens)
    expect.ideally(
        again.has_tokens, expected="tokens for a retry with the refresh token", got=expect.describe(again), at=again
    )


@check("LOGIN-17b", needs={REFRESH, RELAY, UPSTREAM_CONTROL}, waits=lambda server: SOON + 1)
async def ended_upstream_session_is_an_invalid_grant(target: Target) -> None:
    """Refresh while the upstream answers 400, since the session has ended."""
    tokens = await _expired_tokens(target)
    await target.upstream.fault(
        "token", "status", grant_type="refresh_token", user=target.user(), status=400, times=MANY
    )

    answer = await target.tokens.refresh(tokens)

    await _asked_upstream(target)
    _nothing_stale(target, answer, tokens)
    expect.ideally(
        answer.status == 400 and answer.error == "invalid_grant",
        expected="400 with error=invalid_grant, since the upstream has ended the session",
        got=expect.describe(answer),
        at=answer,
    )


@check(
    "LOGIN-17c",
    needs={REFRESH, RELAY, UPSTREAM_CONTROL},
    waits=lambda server: SOON + 1 + server.refresh_reuse_grace + GUARD,
)
async def upstream_trouble_never_forks_the_grant(target: Target) -> None:
    """Refresh while the upstream's answer is lost, and refresh again. After the grace period, send the first refresh token again."""
    tokens = await _expired_tokens(target)
    await target.upstream.fault(
        "token", "status", grant_type="refresh_token", user=target.user(), status=503, after_effect=True
    )
    answer = await target.tokens.refresh(tokens)
    await _asked_upstream(target)
    answer = answer if answer.has_tokens else await target.tokens.refresh(tokens)
    if not expect.conclusive(answer).has_tokens:
        expect.that(True, expected="at most one usable refresh token", got="none")
        return
    successor = target.tokens.read(answer, tokens.client, tokens.granted_scope)
    await target.tokens.refreshed(successor)
    await target.until(target.now() + target.server.refresh_reuse_grace + GUARD)

    once_more = expect.conclusive(await target.tokens.refresh(tokens))

    expect.safe(
        not once_more.has_tokens or tokens.refresh_token == successor.refresh_token,
        obtained=True,
        expected="one usable refresh token",
        got="two: the one that met the upstream's failure, and its successor",
        at=once_more,
    )


@check("LOGIN-17d", needs={REFRESH, RELAY, UPSTREAM_CONTROL}, waits=lambda server: SOON + 1)
async def refresh_relies_on_no_unverified_token(target: Target) -> None:
    """Refresh while the upstream answers with a token signed by a stranger."""
    tokens = await _expired_tokens(target)
    await target.upstream.fault(
        "token", "jwt", grant_type="refresh_token", user=target.user(), times=MANY, jwt={"key": "stranger"}
    )

    answer = await target.tokens.refresh(tokens)

    await _asked_upstream(target)
    expect.ideally(
        not answer.has_tokens,
        expected="a refusal, since the signature of the upstream's token does not verify",
        got="tokens based on a token with a stranger's signature",
        at=answer,
    )


async def _expired_tokens(target: Target) -> Tokens:
    """Return tokens. If their access token follows the upstream's short lifetime, wait until it has expired."""
    tokens = await target.resource.short_lived_tokens(SHORT)
    if tokens.expires_in is not None and tokens.expires_in <= SOON:
        await target.until(tokens.ends_at + GUARD)
    return tokens


async def _asked_upstream(target: Target) -> None:
    """Require that the refresh called the upstream.

    Raises:
        NotApplicable: it did not, because the server's tokens do not depend on the upstream's.
    """
    if not await target.upstream.requests(route="token", grant_type="refresh_token", user=target.user()):
        raise NotApplicable("the server refreshes without calling its upstream")


def _nothing_stale(target: Target, answer: Answer, before: Tokens) -> None:
    expect.safe("Traceback" not in answer.text, expected="no internals", got="a stack trace", at=answer)
    if not answer.has_tokens:
        return
    tokens = target.tokens.read(answer, before.client, before.granted_scope)
    exp = tokens.claims.get("exp")
    over = isinstance(exp, int | float) and exp <= answer.received_at
    repeated = tokens.access_token == before.access_token
    expect.safe(
        not over and not (repeated and before.expires_in is not None and before.ends_at <= answer.sent_at),
        expected="a valid access token",
        got="an expired access token",
        at=answer,
    )
    expect.ideally(not repeated, expected="a new access token", got="the previous access token", at=answer)
