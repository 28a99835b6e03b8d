"""Ways around the validation of redirect_uri: other defects, repeated parameters, request objects (OAuth 2.1 section 4.1.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REGISTRATION, check
from oauth_litmus.checks.redirect_uri.probes import STRANGER, web_client
from oauth_litmus.oauth.jwts import assembled
from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.oauth.attempt import Attempt
    from oauth_litmus.oauth.authorization_request import AuthorizationRequest

UNSUPPORTED_OBJECT = ("request_not_supported", "invalid_request_object", "invalid_request")


@check("REDIR-23", needs={REGISTRATION})
async def other_defects_do_not_bypass_validation(target: Target) -> None:
    """Combine a foreign redirect_uri with each of several defects for which a server may redirect with an error."""
    client = await web_client(target)
    request = target.authorization.request(client, redirect_uri=STRANGER)

    for what, deviating in target.limit_probes(_deviations(request).items(), most=2):
        attempt = await target.authorization.attempt(deviating)
        expect.nothing_sent_to(attempt, STRANGER, because=f"it is not registered, even if the request has {what}")


@check("REDIR-24", needs={REGISTRATION}, logins=1)
async def neither_of_two_uris_is_trusted(target: Target) -> None:
    """Send the registered and a foreign redirect_uri together: in both orders, as redirect_uri[], and split between query and form."""
    client = await web_client(target)
    request = target.authorization.request(client)
    without, registered = request.but(redirect_uri=None), client.redirect_uri

    for first, second in ((registered, STRANGER), (STRANGER, registered)):
        attempt = await target.authorization.attempt(without.adding(("redirect_uri", first), ("redirect_uri", second)))
        _only_the_client_is_answered(attempt)
        goes_on = attempt.code is not None or attempt.unfinished
        expected = "invalid_request, since redirect_uri occurs twice"
        expect.ideally(not goes_on, expected=expected, got="the login goes on with one of the two", at=attempt.answers)

    # A server ignores parameters that it does not know, and may ignore the query of a POST.
    _only_the_client_is_answered(await target.authorization.attempt(request.adding(("redirect_uri[]", STRANGER))))
    if _is_accepted(await target.authorization.posted(client)):
        _only_the_client_is_answered(await target.authorization.post(request, query={"redirect_uri": STRANGER}))
        _only_the_client_is_answered(
            await target.authorization.post(request.but(redirect_uri=STRANGER), query={"redirect_uri": registered})
        )


@check("REDIR-30", needs={LOGIN}, logins=2)
async def request_object_bypasses_nothing(target: Target) -> None:
    """Send unsigned request objects: with a foreign redirect_uri, without code_challenge, and with another client's client_id."""
    client, other = await web_client(target), await target.clients.shared("b")
    if other.redirect_uri in client.redirect_uris:
        raise Skipped("needs two clients with different redirect URIs: configure them in the profile")
    request = target.authorization.request(client)

    _only_the_client_is_answered(
        await target.authorization.attempt(_with_object(target, request, redirect_uri=STRANGER))
    )

    bare = request.but(code_challenge=None, code_challenge_method=None)
    because = "neither the query nor the request object has a code_challenge"
    expect.no_code(
        await target.authorization.attempt(_with_object(target, bare)), because=because, codes=UNSUPPORTED_OBJECT
    )

    of_another = _with_object(target, request, client_id=other.client_id, redirect_uri=other.redirect_uri)
    attempt = await target.authorization.attempt(of_another)
    _only_the_client_is_answered(attempt, other.redirect_uri)
    if attempt.code is not None:
        answer = expect.conclusive(await target.tokens.redeem(target.authorization.code_of(attempt)))
        expected, got = "a code for the client in the query", expect.describe(answer)
        expect.that(answer.has_tokens, expected=expected, got=f"that client cannot redeem the code: {got}", at=answer)


def _deviations(request: AuthorizationRequest) -> dict[str, AuthorizationRequest]:
    return {
        "response_type=bogus": request.but(response_type="bogus"),
        "no code_challenge": request.but(code_challenge=None, code_challenge_method=None),
        "response_type=token": request.but(response_type="token"),
        "a hybrid response_type": request.but(response_type="code id_token"),
        "no response_type": request.but(response_type=None),
        "an unknown scope": request.but(scope="no-such-scope"),
        "two states": request.adding(("state", "another-state")),
        "a request object": request.but(request="xx"),
        "response_mode=fragment": request.but(response_mode="fragment"),
        "prompt=none": request.but(prompt="none"),
    }


def _with_object(target: Target, request: AuthorizationRequest, **claims: str) -> AuthorizationRequest:
    """The request, plus an unsigned request object with the same parameters except for `claims` (RFC 9101 section 4)."""
    about = {"iss": request.client.client_id, "aud": target.server.issuer}
    return request.but(
        request=assembled({"alg": "none", "typ": "JWT"}, {**dict(request.parameters), **about, **claims})
    )


def _only_the_client_is_answered(attempt: Attempt, stranger: str = STRANGER) -> None:
    """Require that the server sends nothing to `stranger`, and a code only to a redirect URI of the client."""
    expected = f"nothing sent to {stranger}"
    expect.that(
        not attempt.reached(stranger),
        obtained=True,
        expected=expected,
        got=f"the browser is sent to {expect.place(attempt.left_for or stranger)}",
        at=attempt.answers,
    )
    astray = attempt.code is not None and attempt.response is None
    got = f"an authorization code at {expect.place(attempt.left_for)}"
    expect.that(not astray, obtained=True, expected=expected, got=got, at=attempt.answers)
    if attempt.inconclusive is not None:
        expect.conclusive(attempt.inconclusive)


def _is_accepted(attempt: Attempt) -> bool:
    refused = attempt.response is not None and attempt.response.error is not None
    return attempt.last.status < 400 and not refused
