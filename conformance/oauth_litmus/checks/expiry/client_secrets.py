"""Expiry of client secrets (RFC 7591 section 3.2.1)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, DYNAMIC_REGISTRATION, LOGIN, check
from oauth_litmus.client import Client, Target
from oauth_litmus.http.answer import Answer
from oauth_litmus.probes.boundary import Boundary
from oauth_litmus.verdict import NotApplicable

NEVER = 0
"""The `client_secret_expires_at` of a secret that does not expire."""


@check("EXPIRY-16", needs={DYNAMIC_REGISTRATION, CONFIDENTIAL_CLIENT})
async def registration_tells_when_the_secret_expires(target: Target) -> None:
    """Register a client with a secret and read client_secret_expires_at."""
    _, registered = await _registered(target)

    told = registered.json_object().get("client_secret_expires_at")

    wanted = "client_secret_expires_at as seconds since 1970, in the future, or 0"
    got = f"client_secret_expires_at {told!r}" if "client_secret_expires_at" in registered.json_object() else "none"
    is_number = isinstance(told, int | float) and not isinstance(told, bool)
    expect.that(is_number, expected=wanted, got=got, at=registered)
    if isinstance(told, int | float) and told != NEVER:
        ends = Boundary.of_instant(float(told), registered)
        expect.that(registered.sent_at < ends.latest, expected=wanted, got=f"{got}, which has passed", at=registered)
        expect.that(told < 1e11, expected=wanted, got=f"{got}, which is not in seconds", at=registered)


@check("EXPIRY-16a", needs={DYNAMIC_REGISTRATION, CONFIDENTIAL_CLIENT, LOGIN}, logins=2)
async def secret_fails_after_its_end(target: Target) -> None:
    """Get tokens with a secret that expires. Try to get tokens with it again after its client_secret_expires_at."""
    client, registered = await _registered(target)
    told = registered.json_object().get("client_secret_expires_at")
    if not isinstance(told, int | float) or isinstance(told, bool) or told == NEVER:
        raise NotApplicable("client secrets do not expire, or the registration does not say when (EXPIRY-16)")
    end = Boundary.of_instant(float(told), registered)
    target.may_wait(end.after - target.now())
    await target.grants.fresh(client)

    await target.until(end.after)
    attempt = await target.authorization.attempt(target.authorization.request(client))

    over = "the client's secret has expired"
    if attempt.code is None:
        expect.conclusive(attempt.last)
        end.after_its_end(attempt.last)
        expect.no_code(attempt, because=over, codes=(attempt.response.error or "",) if attempt.response else ())
        return
    answer = await target.tokens.redeem(target.authorization.code_of(attempt))
    end.after_its_end(answer)
    expect.refused_grant(answer, "invalid_client", because=over, steering=True)


async def _registered(target: Target) -> tuple[Client, Answer]:
    """Register a confidential client for this check alone. Return it with the registration response.

    Raises:
        NotApplicable: the server registers no such client, or gives it no secret.
    """
    method = await target.clients.confidential_method()
    if method is None:
        raise NotApplicable("the server registers no client with a secret for any method that it advertises")
    registered = expect.conclusive(await target.clients.register(target.clients.metadata(auth_method=method)))
    client = target.clients.client_of(registered, target.redirect_uri, auth_method=method)
    if client.client_secret is None:
        raise NotApplicable("the registration of a confidential client returns no secret")
    return client, registered
