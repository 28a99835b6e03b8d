"""Whether the server does what its metadata says (RFC 8414 section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import REGISTRATION, check

if TYPE_CHECKING:
    from oauth_litmus.client import Target

DEFAULT_GRANTS = ("authorization_code", "implicit")
"""Grants that metadata without grant_types_supported declares (RFC 8414 section 2)."""
NOT_AT_THE_TOKEN_ENDPOINT = frozenset({"implicit"})


@check("META-05", needs={REGISTRATION})
async def metadata_agrees_with_behaviour(target: Target) -> None:
    """Request every advertised grant without its parameters. Compare the grants and methods in use with the metadata."""
    server, at = target.server, target.server.discovered.metadata_answer
    client, listed = await target.clients.shared(), server.listed("grant_types_supported")
    grants = DEFAULT_GRANTS if listed is None else listed

    for grant in grants:
        if grant not in NOT_AT_THE_TOKEN_ENDPOINT:
            answer = expect.conclusive(await target.tokens.request({"grant_type": grant}, client))
            got = f"unsupported_grant_type for grant_type={grant}, which grant_types_supported lists"
            expected = f"another answer to grant_type={grant}"
            expect.safe(answer.error != "unsupported_grant_type", expected=expected, got=got, at=answer)
    told = server.seen.refresh_token is not True or "refresh_token" in grants
    got = f"grant_types_supported: {list(listed) if listed is not None else 'absent'}, although the server issues refresh tokens"
    expect.that(told, expected="refresh_token in grant_types_supported", got=got, at=at)
    methods = server.token_auth_methods
    got = f"{', '.join(methods)}, although a client without a secret is registered"
    public = not client.is_public or "none" in methods
    expect.that(public, expected="none in token_endpoint_auth_methods_supported", got=got, at=at)
