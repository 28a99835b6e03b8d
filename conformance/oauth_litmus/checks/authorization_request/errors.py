"""Error responses of the authorization endpoint (OAuth 2.1 section 4.1.2.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import REGISTRATION, check
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import AuthorizationResponse

_ALLOWED = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]*")
REGISTERED = frozenset(
    [
        "invalid_request",
        "unauthorized_client",
        "access_denied",
        "unsupported_response_type",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "invalid_target",
        "request_not_supported",
        "request_uri_not_supported",
        "invalid_request_object",
        "invalid_request_uri",
        "registration_not_supported",
        "login_required",
        "interaction_required",
        "consent_required",
        "account_selection_required",
        "unmet_authentication_requirements",
        "invalid_authorization_details",
    ]
)
"""Errors of authorization endpoints, from the OAuth Extensions Error Registry and from OAuth 2.1."""


@check("AUTHZ-10", needs={REGISTRATION})
async def error_redirect_has_one_well_formed_error(target: Target) -> None:
    """Send an unknown response_type, none, an unknown scope, and no code_challenge. Read the error redirects."""
    request = target.authorization.request(await target.clients.shared())
    provocations = {
        "an unknown response_type": request.but(response_type="bogus"),
        "no response_type": request.but(response_type=None),
        "an unknown scope": request.but(scope="no-such-scope"),
        "no code_challenge": request.but(code_challenge=None, code_challenge_method=None),
    }

    responses = {what: (await target.authorization.attempt(wrong)).response for what, wrong in provocations.items()}

    errors = {what: response for what, response in responses.items() if response is not None and response.error}
    if not errors:
        raise NotApplicable("the server shows the errors of authorization requests as pages")
    for what, response in errors.items():
        _is_well_formed(what, response)


def _is_well_formed(what: str, response: AuthorizationResponse) -> None:
    error, at = response.error or "", response.answer
    times = sum(name == "error" for name, _ in (*response.parameters, *response.fragment))
    expect.that(times == 1, expected=f"one error parameter for {what}", got=f"{times} of them", at=at)
    expect.that(
        response.code is None,
        obtained=True,
        expected=f"an error and no code for {what}",
        got="an error and a code",
        at=at,
    )
    registered = error in REGISTERED
    expect.ideally(registered, expected=f"a registered error for {what}", got=f"error={error}", at=at)
    for name in ("error", "error_description"):
        text = response.get(name) or ""
        expected = f'printable ASCII without " and \\ in {name}, for {what}'
        expect.ideally(_ALLOWED.fullmatch(text) is not None, expected=expected, got=repr(text), at=at)
