"""Requests without code_challenge, and their codes, which PKCE-01, -14 and -15 share."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.client.shared import shared
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.client import Attempt, Client, Code, Target
    from oauth_litmus.oauth.authorization_request import AuthorizationRequest


@shared
async def attempt_without_challenge(target: Target, client: Client) -> Attempt:
    """Send a request without code_challenge and nonce, once per client, and follow it to its end."""
    request = _without_challenge(target, client)
    return await target.authorization.attempt(request)


async def code_without_challenge(target: Target) -> Code | None:
    """Get a new code by a request without code_challenge; None if the server refuses all of these requests.

    Raises:
        Blocked: the suite cannot see whether there is a code.
    """
    clients = [await target.clients.shared()]
    if await target.clients.confidential_method() is not None:
        clients.append(await target.grants.confidential_client())
    for client in clients:
        if _led_to_a_code(await attempt_without_challenge(target, client)):
            return target.authorization.code_of(await target.authorization.attempt(_without_challenge(target, client)))
    attempt = await _attempt_with_nonce(target)
    return target.authorization.code_of(attempt) if attempt is not None and _led_to_a_code(attempt) else None


async def tokens_without_challenge(target: Target) -> bool | None:
    """Whether an ordinary client gets tokens without PKCE; None if it gets no code, or is not public."""
    client = await target.clients.shared()
    if not client.is_public or not _led_to_a_code(await attempt_without_challenge(target, client)):
        return None
    code = target.authorization.code_of(await target.authorization.attempt(_without_challenge(target, client)))
    return expect.conclusive(await target.tokens.redeem(code, code_verifier=None)).has_tokens


async def _attempt_with_nonce(target: Target) -> Attempt | None:
    """Send OpenID Connect's nonce in place of a challenge, as a client with a secret (OAuth 2.1 section 7.5.1).

    None if the server has no such clients, or no OpenID Connect.
    """
    method = await target.clients.confidential_method()
    if method is None or "openid" not in (target.server.listed("scopes_supported") or ()):
        return None
    if target.server.endpoint("registration") is None:
        client = await target.grants.confidential_client()
    else:  # the shared client may be registered without the scope openid
        client = await target.clients.new(auth_method=method, scope="")
    request = target.authorization.request(client, scope=" ".join(dict.fromkeys(("openid", *target.server.scopes))))
    return await target.authorization.attempt(_unbound(request).adding(("nonce", secrets.token_urlsafe(16))))


def _without_challenge(target: Target, client: Client) -> AuthorizationRequest:
    # With openid a server may assume that the client checks a nonce.
    scopes = [scope for scope in target.server.scopes if scope != "openid"]
    return _unbound(target.authorization.request(client, scope=" ".join(scopes)))


def _unbound(request: AuthorizationRequest) -> AuthorizationRequest:
    return request.but(code_challenge=None, code_challenge_method=None)


def _led_to_a_code(attempt: Attempt) -> bool:
    if attempt.inconclusive is not None:
        expect.conclusive(attempt.inconclusive)
    if attempt.unfinished:
        raise Blocked(
            "a login continues without code_challenge, and the suite cannot see its end", (attempt.last.number,)
        )
    return attempt.code is not None
