"""Which client may revoke a token, and how it authenticates (RFC 7009 section 2.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, REFRESH, REVOCATION, check
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target


@check("REVOKE-04", needs={REFRESH, REVOCATION})
async def stranger_revokes_nothing(target: Target) -> None:
    """Revoke a refresh and an access token as another client, without and with a secret; then use both as their own client."""
    strangers = [await target.grants.revoking_client("b")]
    for method in (await target.clients.confidential_methods_at("revocation"))[:1]:
        if method != strangers[0].auth_method:
            strangers.append(await target.clients.shared("b", auth_method=method))
    async with target.grants.reserved(await target.grants.revoking_client()) as tokens:
        opened = await target.resource.accepted_call(tokens) if target.server.seen.resource_answers else None

        attempts = [
            expect.conclusive(await target.tokens.revoke(token, stranger))
            for stranger in strangers
            for token in (tokens.access_token, tokens.refresh_token)
        ]

        if opened is not None:
            answer = expect.conclusive(await target.resource.call(tokens.access_token))
            alive = expect.let_in(answer, opened)
            expect.that(
                alive, expected="the access token still works", got=expect.describe(answer), at=(*attempts, answer)
            )
        answer = expect.conclusive(await target.tokens.refresh(tokens))
        expect.that(
            answer.has_tokens,
            expected="the refresh token still works for its own client",
            got=expect.describe(answer),
            at=(*attempts, answer),
        )
        newer = target.tokens.read(answer, tokens.client, tokens.granted_scope)
        target.grants.add_to_pool(newer if newer.refresh_token else replace(newer, refresh_token=tokens.refresh_token))


@check("REVOKE-05", needs={REFRESH, REVOCATION})
async def public_client_can_revoke(target: Target) -> None:
    """Revoke a valid refresh token as a public client, with client_id and nothing else."""
    answer = expect.conclusive((await target.grants.revoked_by(target.server.ordinary_method)).revoked)

    expect.that(answer.status < 400, expected="200 without client_secret", got=expect.describe(answer), at=answer)
    expect.ideally(answer.status == 200, expected="status 200", got=f"{answer.status}", at=answer)


@check("REVOKE-08", needs={REFRESH, REVOCATION, CONFIDENTIAL_CLIENT}, logins=4)
async def confidential_client_proves_itself_to_revoke(target: Target) -> None:
    """As a confidential client, revoke a valid refresh token without the secret, with a wrong one, and with the right one."""
    methods = await target.clients.confidential_methods_at("revocation")
    client = await target.grants.confidential_client(auth_method=next(iter(methods), None))
    tokens = await target.grants.fresh(client)
    if tokens.refresh_token is None:
        raise NotApplicable("the server issues no refresh token to clients with a secret")
    impostors = {
        "no client_secret": replace(client, auth_method="none", client_secret=None),
        "a wrong client_secret": replace(client, client_secret=f"not-{client.client_secret}"),
    }

    for what, impostor in impostors.items():
        revoked = expect.conclusive(await target.tokens.revoke(tokens.refresh_token, impostor))
        answer = expect.conclusive(await target.tokens.refresh(tokens))
        got = f"{expect.describe(answer)} after a revocation with {what} ({revoked.status})"
        expect.that(answer.has_tokens, expected="the refresh token works", got=got, at=(revoked, answer))
        precise = revoked.status in (400, 401) and revoked.error == "invalid_client"
        got = f"{expect.describe(revoked)} with {what}"
        expect.ideally(precise, expected="401 with error=invalid_client", got=got, at=revoked)
        tokens = await target.grants.fresh(client)
    revoked = expect.conclusive(await target.tokens.revoke(tokens.refresh_token, client))
    answer = expect.conclusive(await target.tokens.refresh(tokens))
    got = f"tokens after a revocation with the right client_secret ({revoked.status})"
    expect.that(
        not answer.has_tokens, obtained=True, expected="400 with error=invalid_grant", got=got, at=(revoked, answer)
    )


@check("REVOKE-08a", needs={REFRESH, REVOCATION, CONFIDENTIAL_CLIENT})
async def secret_in_the_url_does_not_revoke(target: Target) -> None:
    """As a confidential client, revoke a valid refresh token with the secret in the URL, and everything else in the body."""
    methods = await target.clients.confidential_methods_at("revocation")
    client = await target.grants.confidential_client(auth_method=next(iter(methods), None))
    tokens = await target.grants.fresh(client)
    if tokens.refresh_token is None:
        raise NotApplicable("the server issues no refresh token to clients with a secret")
    impostor = replace(client, auth_method="none", client_secret=None)

    query = {"client_secret": client.client_secret or ""}
    revoked = expect.conclusive(await target.tokens.revoke(tokens.refresh_token, impostor, query=query))

    answer = expect.conclusive(await target.tokens.refresh(tokens))
    got = f"{expect.describe(answer)} after a revocation with a client_secret in the URL ({revoked.status})"
    expect.that(answer.has_tokens, expected="the refresh token works", got=got, at=(revoked, answer))
