"""Accepted and refused requests: client, response type, HTTP method (OAuth 2.1 sections 3.1 and 4.1.1)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauth_litmus import expect
from oauth_litmus.check import REGISTRATION, check
from oauth_litmus.checks.authorization_request.refusals import attempt_without_response_type
from oauth_litmus.client import REDIRECT_URI, Client, Target
from oauth_litmus.client.session import FORM
from oauth_litmus.limits.rates import Kind
from oauth_litmus.oauth.refusals import is_refused
from oauth_litmus.probes.error_page import refused_login, request_of_an_unknown_client
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.oauth.attempt import Attempt

STRANGER = "https://evil.example/cb"


@check("AUTHZ-01", needs=set())
async def unknown_client_gives_a_readable_error(target: Target) -> None:
    """Open the authorization endpoint without parameters, with an unknown client_id, and with an empty one."""
    unknown = request_of_an_unknown_client(target)
    requests = {
        "the client_id is unknown": unknown,
        "there are no parameters": replace(unknown, parameters=()),
        "the client_id is empty": unknown.but(client_id=""),
    }

    for because, request in target.limit_probes(requests.items(), most=2):
        attempt = await (
            refused_login(target) if request is unknown else target.authorization.attempt_upstream(request)
        )
        if expect.conclusive(attempt.last).status >= 500:
            attempt = await target.authorization.attempt_upstream(request)
        _tells_the_user(attempt, because)


@check("AUTHZ-02", needs={REGISTRATION})
async def response_type_is_required(target: Target) -> None:
    """Send a request without response_type, then with an empty, an unknown, the implicit and a hybrid one."""
    request = target.authorization.request(await target.clients.shared())
    await target.authorization.control(request)

    for response_type in target.limit_probes((None, "token", "bogus", "", "code token"), most=2):
        deviating = request.but(response_type=response_type)
        attempt = await (
            attempt_without_response_type(target) if response_type is None else target.authorization.attempt(deviating)
        )
        handed_out = attempt.response is not None and attempt.response.get("access_token") is not None
        because = f"response_type is {response_type!r}" if response_type else "response_type is missing"
        got = "an access token in the redirect"
        expect.that(not handed_out, obtained=True, expected=f"an error, since {because}", got=got, at=attempt.answers)
        unsupported = ("unsupported_response_type", "unauthorized_client")
        expect.no_code(attempt, because=because, codes=unsupported if response_type else ("invalid_request",))


@check("AUTHZ-08", needs={REGISTRATION})
async def get_works_and_unknown_methods_are_refused(target: Target) -> None:
    """Send the same request by GET, by POST as a form, by PUT and by DELETE."""
    client = await target.clients.shared()
    request, endpoint = target.authorization.request(client), target.endpoint("authorization")
    first, posted = (
        expect.conclusive((await target.authorization.first_answer(request)).last),
        await target.authorization.posted(client),
    )
    if is_refused(first) and is_refused(posted.last):
        raise Blocked("set-up: the server refuses an ordinary request by GET and by POST", (first.number,))

    got = f"{expect.describe(first)}, although the server accepts a posted form"
    expect.that(not is_refused(first), expected="GET is supported", got=got, at=first)
    unasked = posted.code is not None and not posted.went_on and target.server.seen.asked_to_log_in
    got = "a code without a login"
    expect.that(not unasked, expected="the login for a posted form, as for GET", got=got, at=posted.answers)

    form = urlencode(request.parameters).encode()
    methods = {"PUT": b"", "DELETE": b"", **({"POST": form} if posted.last.status >= 500 else {})}
    for method, body in methods.items():
        url = endpoint if body else request.url(endpoint)
        send = partial(target.send, method, url, kind=Kind.AUTHORIZE, headers={"content-type": FORM}, body=body)
        answer = expect.conclusive(await target.settled(send, partial(target.authorization.first_answer, request)))
        got, clean = f"{expect.describe(answer)} to {method}", answer.status < 500 or answer.status == 501
        expect.that(clean, expected="405, or another 4xx", got=f"{got}, twice", at=answer)
        expect.ideally(answer.status >= 400, expected="405, or another 4xx", got=got, at=answer)


@check("REDIR-22", needs=set())
async def unknown_client_gets_no_redirect(target: Target) -> None:
    """Send an unknown client_id, then none, each with a foreign redirect_uri and an unknown response_type."""
    unknown = Client(f"unknown-{secrets.token_hex(8)}", (REDIRECT_URI,))
    request = target.authorization.request(unknown, redirect_uri=STRANGER).but(response_type="bogus")

    for client_id, what in ((unknown.client_id, "is unknown"), (None, "is missing")):
        attempt = await target.authorization.attempt(request.but(client_id=client_id))
        expect.nothing_sent_to(attempt, STRANGER, because=f"the client_id {what}")


def _tells_the_user(attempt: Attempt, because: str) -> None:
    expected, last = f"an error page, since {because}", expect.conclusive(attempt.last)
    expect.safe(last.status < 500, expected=expected, got=f"{last.status}, twice", at=attempt.answers)
    elsewhere = f"a redirect to {expect.place(attempt.left_for)}"
    # The operator may show error pages at another host. A redirect to a client carries a response, or goes to the redirect_uri.
    told = {name for name, _ in parse_qsl(urlsplit(attempt.left_for or "").query)} & {"code", "error", "state"}
    judge = expect.safe if told or attempt.reached(attempt.request.get("redirect_uri") or "") else expect.ideally
    judge(attempt.left_for is None, expected=expected, got=elsewhere, at=attempt.answers)
    early = not attempt.went_on and not attempt.unfinished
    expect.ideally(early, expected=expected, got="a login before the server checks the client", at=attempt.answers)
    if early and len(attempt.answers) == 1:
        expect.ideally(last.status >= 400, expected="a 4xx", got=expect.describe(last), at=last)
