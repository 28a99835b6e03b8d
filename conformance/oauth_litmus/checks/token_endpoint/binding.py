"""The binding of a grant to its client (OAuth 2.1 sections 4.1.3 and 4.3.1)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, check
from oauth_litmus.probes.token_requests import works

if TYPE_CHECKING:
    from oauth_litmus.client import Client, Target
    from oauth_litmus.oauth.clients import AuthMethod


@check("INJ-01", needs={LOGIN}, logins=4)
async def code_is_bound_to_its_client(target: Target) -> None:
    """Redeem a code with its right parameters as another client, without a client, and with another client's credentials."""
    errors = ("invalid_grant", "invalid_client", "invalid_request")
    stranger = await target.clients.shared("b")

    foreign, nameless = await target.probing.try_code_in_ways(
        [
            lambda code: target.tokens.redeem(code, client=stranger),
            lambda code: target.tokens.redeem(code, client=_without_credentials(code.client), client_id=None),
        ]
    )
    expect.refused_grant(foreign, *errors, because="the code belongs to another client")
    expect.refused_grant(nameless, *errors, because="the request names no client")

    proof = await _working_method(target)
    if proof is not None:
        owner = await target.grants.confidential_client(auth_method=proof)
        other = await target.grants.confidential_client("b", auth_method=proof)
        # The owner has a secret, too: for a public owner, a server may ignore the credentials in the request.
        proved, contradictory = await target.probing.try_code_in_ways(
            [
                lambda code: target.tokens.redeem(code, client=other),
                lambda code: target.tokens.redeem(code, client=other, client_id=code.client.client_id),
            ],
            owner,
        )
        expect.refused_grant(proved, *errors, because="the code belongs to a client other than the authenticated one")
        expect.refused_grant(contradictory, *errors, because="the credentials belong to another client")


@check("INJ-02", needs={REFRESH}, logins=2)
async def refresh_token_is_bound_to_its_client(target: Target) -> None:
    """Use a refresh token as another client, without naming a client, and with another client's credentials."""
    errors = ("invalid_grant", "invalid_client", "invalid_request")

    stranger = await target.clients.shared("b")
    (_, foreign), (_, nameless) = await target.probing.try_refresh_token(
        lambda tokens: target.tokens.refresh(tokens, client=stranger),
        lambda tokens: target.tokens.refresh(tokens, client=_without_credentials(tokens.client), client_id=None),
    )
    expect.refused_grant(foreign, *errors, because="the refresh token belongs to another client")
    proof = await _working_method(target)
    if proof is not None:
        other = await target.grants.confidential_client("b", auth_method=proof)
        ((_, proved),) = await target.probing.try_refresh_token(
            lambda tokens: target.tokens.refresh(tokens, client=other)
        )
        expect.refused_grant(
            proved, *errors, because="the refresh token belongs to a client other than the authenticated one"
        )
    expect.conclusive(nameless)
    expect.ideally(
        not nameless.has_tokens, expected="a refusal, since the request names no client", got="tokens", at=nameless
    )


async def _working_method(target: Target) -> AuthMethod | None:
    """The first method by which a client with a secret gets tokens: HTTP Basic, or else the body; None if neither works."""
    methods: tuple[AuthMethod, ...] = ("client_secret_basic", "client_secret_post")
    for method in methods:
        if await works(target, method):
            return method
    return None


def _without_credentials(client: Client) -> Client:
    """The client without its credentials."""
    return replace(client, auth_method="none", client_secret=None)
