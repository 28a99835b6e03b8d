"""The iss parameter of authorization responses, with codes and with errors (RFC 9207)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, LOGIN, REGISTRATION, check
from oauth_litmus.checks.authorization_request.refusals import attempt_without_response_type
from oauth_litmus.client import REDIRECT_URI
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import AuthorizationResponse
    from oauth_litmus.oauth.attempt import Attempt

WITH_QUERY = f"{REDIRECT_URI}?tenant=a%20b&flag"
CONFUSING = {"iss": "https://evil.example", "state": "registered-state", "code": "registered-code"}
"""Response parameters that a registered query already contains."""


@check("ISS-01", needs={LOGIN})
async def iss_is_the_issuer(target: Target) -> None:
    """Log in and compare iss with the issuer of the metadata."""
    code = target.authorization.code_of(await target.logins.finished())

    _iss_is_right(target, code.response)


@check("ISS-02", needs={REGISTRATION})
async def iss_is_in_errors(target: Target) -> None:
    """Provoke an error redirect and compare iss with the issuer of the metadata."""
    request = target.authorization.request(await target.clients.shared())
    provocations = (
        request.but(response_type="bogus"),
        request.but(scope="no-such-scope"),
        request.but(code_challenge=None, code_challenge_method=None),
    )

    attempt = await attempt_without_response_type(target)
    for provocation in provocations:
        if attempt.response is not None and attempt.response.error:
            break
        attempt = await target.authorization.attempt(provocation)
    if attempt.response is not None and attempt.response.error:
        _iss_is_right(target, attempt.response)
        return
    raise NotApplicable("the server shows the errors of authorization requests as pages")


@check("ISS-03", needs={LOGIN, DYNAMIC_REGISTRATION}, logins=1)
async def registered_query_does_not_replace_the_response(target: Target) -> None:
    """Register a redirect URI whose query already contains iss, state and code. If the server accepts it, log in."""
    if await target.clients.with_redirect_uris(WITH_QUERY) is None:
        raise NotApplicable("the server registers no redirect URIs with a query")
    uri = f"{REDIRECT_URI}?{urlencode(CONFUSING)}"
    registered = expect.conclusive(await target.clients.register(target.clients.metadata(uri)))
    expect.ideally(registered.status < 500, expected="400", got=expect.describe(registered), at=registered)
    if registered.status >= 300:
        return
    client = target.clients.client_of(registered, uri)

    attempt = await target.authorization.attempt(target.authorization.request(client).landing_at(REDIRECT_URI))

    if attempt.inconclusive is not None:
        expect.conclusive(attempt.inconclusive)
    for name, (added, found) in _of_the_answer(target, attempt).items():
        wrong = f"only the {name} of the registered query"
        expect.safe(added, expected=f"the {name} of the response", got=wrong, at=attempt.answers)
        expected, got = f"the {name} of the response, once", f"{found} {name} parameters"
        expect.that(found == 1, expected=expected, got=got, at=attempt.answers)


def _of_the_answer(target: Target, attempt: Attempt) -> dict[str, tuple[bool, int]]:
    """For each parameter that the response must have: whether its right value is present, and how often it occurs."""
    response = attempt.response
    if response is None:
        return {"code": (attempt.code is None, 1)}  # the server refuses late, with a page
    values = {name: [value for key, value in response.parameters if key == name] for name in CONFUSING}
    right = {"state": attempt.request.get("state") in values["state"]}
    if target.server.advertises_iss:
        right["iss"] = target.server.discovered.metadata.get("issuer") in values["iss"]
    if response.error is None:
        right["code"] = set(values["code"]) > {CONFUSING["code"]} or CONFUSING["code"] not in values["code"]
    return {name: (is_there, len(values[name])) for name, is_there in right.items()}


def _iss_is_right(target: Target, response: AuthorizationResponse) -> None:
    issuer = target.server.discovered.metadata.get("issuer")
    found = [value for name, value in (*response.parameters, *response.fragment) if name == "iss"]
    expected, got = f"iss={issuer}, once", f"iss={' and '.join(found)}" if found else "no iss"
    if found:
        expect.that(found == [issuer], expected=expected, got=got, at=response.answer)
        unpromised = "an iss that the metadata does not promise"
        expect.ideally(target.server.advertises_iss, expected=expected, got=unpromised, at=response.answer)
    elif target.server.advertises_iss:
        expect.that(False, expected=f"{expected}: the metadata promises it", got=got, at=response.answer)
    else:
        expect.ideally(False, expected=expected, got=f"{got}, and the metadata promises none", at=response.answer)
