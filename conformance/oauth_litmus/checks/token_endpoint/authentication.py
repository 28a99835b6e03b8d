"""Client authentication at the token endpoint (OAuth 2.1 section 2.4)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, LOGIN, check
from oauth_litmus.client import Client, Target
from oauth_litmus.oauth.clients import AuthMethod, basic
from oauth_litmus.probes.token_requests import each_alive, made_up_code, works
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.grants import Code

SECRETS: tuple[AuthMethod, ...] = ("client_secret_post", "client_secret_basic")


@check("TOKEN-07", needs={LOGIN})
async def unknown_client_is_invalid_client(target: Target) -> None:
    """Send a token request as an unknown client."""
    stranger = Client(secrets.token_urlsafe(16), (await target.clients.shared()).redirect_uris)
    answer = expect.no_server_error(
        await target.settled(lambda: target.tokens.request(made_up_code(stranger), stranger), target.grants.fresh)
    )
    # A server that checks the made-up code first may rightly answer invalid_grant.
    expect.refused_grant(answer, "invalid_client", "invalid_grant", because="the client is unknown")
    steers = answer.error == "invalid_client"
    expect.ideally(steers, expected="error=invalid_client", got=expect.describe(answer), at=answer)


@check("TOKEN-07a", needs={LOGIN, CONFIDENTIAL_CLIENT}, logins=5)
async def failed_authentication_is_invalid_client(target: Target) -> None:
    """Send a wrong secret by each method, and malformed HTTP Basic."""
    by_post, by_basic = await works(target, "client_secret_post"), await works(target, "client_secret_basic")
    if not by_post and not by_basic:
        raise NotApplicable("no client gets tokens with a client_secret")
    if by_post:
        client = await target.grants.confidential_client(auth_method="client_secret_post")
        answer = await target.probing.try_code(
            lambda code: target.settled(
                lambda: target.tokens.redeem(code, client_secret=secrets.token_urlsafe(32)), target.grants.fresh
            ),
            client,
        )
        expect.no_server_error(answer)
        expect.refused_grant(answer, "invalid_client", because="the client_secret is wrong", steering=True)
    if by_basic:
        client = await target.grants.confidential_client(auth_method="client_secret_basic")
        headers = (basic(client.client_id, secrets.token_urlsafe(32)), "Basic %%%")
        wrong, malformed = await target.probing.try_code_in_ways(
            [_with_basic(target, header) for header in headers], client
        )
        for answer, codes in ((wrong, ("invalid_client",)), (malformed, ("invalid_client", "invalid_request"))):
            expect.no_server_error(answer)
            expect.refused_grant(answer, *codes, because="HTTP Basic does not authenticate the client", steering=True)
            _names_basic(answer, malformed=answer is malformed)


@check("TOKEN-08", needs={LOGIN, CONFIDENTIAL_CLIENT}, logins=2)
async def advertised_authentication_works_by_itself(target: Target) -> None:
    """Redeem a code by each advertised method with a client secret; with Basic, send no client_id in the body."""
    offered: list[AuthMethod] = [method for method in SECRETS if await target.clients.exist_with(method)]
    if not offered:
        raise NotApplicable("the server registers no client with a secret for any method that it advertises")
    for method in offered:
        answer = await target.grants.exchange_by(method)
        expect.tokens(answer, expected=f"tokens for a client that authenticates by {method}")


@check("TOKEN-12", needs={LOGIN, CONFIDENTIAL_CLIENT}, logins=2)
async def scheme_basic_has_no_letter_case(target: Target) -> None:
    """Redeem a code with HTTP Basic, with the scheme in lower case."""
    if not await works(target, "client_secret_basic"):
        raise NotApplicable("no client gets tokens by HTTP Basic")
    client = await target.grants.confidential_client(auth_method="client_secret_basic")
    credentials = basic(client.client_id, client.client_secret or "").replace("Basic", "basic", 1)

    answer = await target.tokens.redeem(
        await target.authorization.login(client), headers={"authorization": credentials}
    )

    expect.tokens(answer, expected="tokens for the scheme basic, as for Basic")


@check("TOKEN-09", needs={LOGIN, CONFIDENTIAL_CLIENT}, logins=3)
async def two_methods_at_once_are_refused(target: Target) -> None:
    """Redeem codes with HTTP Basic and a client_secret in the body: both right, either one wrong, and of two clients."""
    client, other = await target.grants.confidential_client(), await target.grants.confidential_client("b")
    wrong = secrets.token_urlsafe(32)
    target.secret(wrong, "client_secret")
    right = client.client_secret or ""

    def sent(in_basic: str, named: Client, in_body: str) -> Callable[[Code], Awaitable[Answer]]:
        by_body = replace(client, client_id=named.client_id, auth_method="client_secret_post", client_secret=in_body)
        headers = {"authorization": basic(client.client_id, in_basic)}
        return lambda code: target.tokens.redeem(code, client=by_body, headers=headers)

    both, wrong_body, wrong_basic, two_clients = await each_alive(
        lambda: target.authorization.login(client),
        [
            sent(right, client, right),
            sent(right, client, wrong),
            sent(wrong, client, right),
            sent(right, other, other.client_secret or ""),
        ],
        target.tokens.redeem,
    )

    either = wrong_body.has_tokens and wrong_basic.has_tokens
    got = "tokens with one wrong secret, whichever it is: the server accepts either method"
    expect.safe(not either, obtained=True, expected="400 or 401", got=got, at=(wrong_body, wrong_basic))
    # A server that always reads the same method is lenient. One that checks both must notice two different clients.
    crossed = two_clients.has_tokens and not wrong_body.has_tokens
    got = "tokens for one client's HTTP Basic with another's client_secret"
    expect.safe(not crossed, obtained=True, expected="400 or 401", got=got, at=two_clients)
    _ideally_refused(both, wrong_body, wrong_basic, two_clients)


def _ideally_refused(*answers: Answer) -> None:
    for answer in answers:
        expect.conclusive(answer)
        got = "tokens for a request that authenticates in two ways"
        expect.ideally(not answer.has_tokens, expected="400 with error=invalid_request", got=got, at=answer)
        if not answer.has_tokens:
            precise = answer.error in ("invalid_request", "invalid_client")
            got = expect.describe(answer)
            expect.ideally(precise, expected="400 with error=invalid_request", got=got, at=answer)


def _with_basic(target: Target, header: str) -> Callable[[Code], Awaitable[Answer]]:
    async def redeem(code: Code) -> Answer:
        return await target.settled(
            lambda: target.tokens.redeem(code, headers={"authorization": header}), target.grants.fresh
        )

    return redeem


def _names_basic(answer: Answer, *, malformed: bool) -> None:
    named = any(challenge.scheme == "basic" for challenge in answer.challenges or ())
    expect.ideally(
        (answer.status == 401 and named) or (malformed and answer.status == 400),
        expected="401 with WWW-Authenticate: Basic",
        got=f"{answer.status}, {answer.headers.get('www-authenticate', 'no challenge')}",
        at=answer,
    )
