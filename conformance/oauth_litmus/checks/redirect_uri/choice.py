"""The choice between the redirect URIs that are registered for the client (OAuth 2.1 section 4.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REGISTRATION, check
from oauth_litmus.checks.redirect_uri.probes import SEVERAL, client_with_several
from oauth_litmus.client import Attempt, Target
from oauth_litmus.verdict import Blocked, Skipped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Code
    from oauth_litmus.http.answer import Answer


@check("REDIR-15", needs={REGISTRATION}, logins=1)
async def default_needs_a_single_uri(target: Target) -> None:
    """Leave redirect_uri out, as a client with two redirect URIs and as a client with one."""
    client, several = await target.clients.shared(), await client_with_several(target)

    ambiguous = await target.authorization.attempt(target.authorization.request(several).but(redirect_uri=None))
    for uri in SEVERAL:
        expect.not_sent_to(ambiguous, uri, because="two redirect URIs are registered and the request names none")

    if len(client.redirect_uris) == 1:
        attempt = await target.authorization.attempt(target.authorization.request(client).but(redirect_uri=None))
        goes_on = _goes_on(attempt)
        if not goes_on and not _goes_on(await target.authorization.attempt(target.authorization.request(client))):
            raise Blocked("set-up: a login with redirect_uri gets no response either", (attempt.last.number,))
        got = expect.describe(expect.conclusive(attempt.last))
        expect.ideally(goes_on, expected="the only registered URI as the default", got=got, at=attempt.last)


@check("REDIR-16", needs={LOGIN}, logins=3)
async def token_endpoint_compares_redirect_uri(target: Target) -> None:
    """Redeem codes with the client's other redirect_uri, with the right one, with variants of the right one, and with none."""
    client = await client_with_several(target)

    # Get each code just before it is redeemed, because a login may take longer than the lifetime of a code.
    code = await target.authorization.login(request=target.authorization.request(client))
    answer = await target.tokens.redeem(code, redirect_uri=SEVERAL[1])
    same = await target.tokens.redeem(code)
    if not same.has_tokens:  # the failed attempt may have used the code up (OAuth 2.1 section 4.1.3)
        same = await target.tokens.redeem(
            await target.authorization.login(request=target.authorization.request(client))
        )
    expect.tokens(same, expected="tokens for the redirect_uri of the authorization request")
    if target.server.profile.oauth21_clients_only:
        enforced = not expect.conclusive(answer).has_tokens
        expect.ideally(enforced, expected="invalid_grant", got="another redirect_uri gets tokens", at=answer)
    else:
        expect.refused_grant(answer, because="redirect_uri is not the one of the authorization request")

    if not target.server.profile.oauth21_clients_only:
        uri = client.redirect_uri
        nearly = {"the beginning": uri[:-4], "an upper-case form": uri.upper(), "an extension": f"{uri}?x=1"}
        ways = [_redeemed_at(target, other) for other in nearly.values()]
        for what, refused in zip(nearly, await target.probing.try_code_in_ways(ways, client), strict=True):
            expect.refused_grant(refused, because=f"redirect_uri is only {what} of the right one")

    none = await target.authorization.login(request=target.authorization.request(client))
    answer = expect.conclusive(await target.tokens.redeem(none, redirect_uri=None))
    optional = "tokens, since OAuth 2.1 clients do not send redirect_uri"
    expect.ideally(answer.has_tokens, expected=optional, got=expect.describe(answer), at=answer)


@check("REDIR-25", needs={REGISTRATION})
async def uri_of_another_client_is_refused(target: Target) -> None:
    """Send a request as one client, with the redirect URI of another client."""
    client, other = await target.clients.shared(), await target.clients.shared("b")
    if other.redirect_uri in client.redirect_uris:
        raise Skipped("needs two clients with different redirect URIs: configure them in the profile")
    for each in (client, other):
        await target.authorization.control(target.authorization.request(each))

    attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=other.redirect_uri))

    expect.not_sent_to(attempt, other.redirect_uri, because="it is registered for another client only")


@check("REDIR-27", needs={LOGIN}, logins=2)
async def answer_goes_to_the_uri_of_the_request(target: Target) -> None:
    """Log in for the second of two registered redirect URIs, then for the first."""
    client = await client_with_several(target)

    for uri in reversed(SEVERAL):
        code = await target.authorization.login(request=target.authorization.request(client, redirect_uri=uri))
        landed = expect.place(code.response.location)
        expect.that(
            landed == uri,
            obtained=True,
            expected=f"the code at {uri}",
            got=f"the code at {landed}",
            at=code.response.answer,
        )


def _redeemed_at(target: Target, redirect_uri: str) -> Callable[[Code], Awaitable[Answer]]:
    return lambda code: target.tokens.redeem(code, redirect_uri=redirect_uri)


def _goes_on(attempt: Attempt) -> bool:
    """Whether the server answers the client by a redirect, or starts a login that this run cannot finish."""
    return attempt.response is not None or attempt.unfinished
