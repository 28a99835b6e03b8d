"""Malformed and oversized input, which the server must refuse without a crash (OAuth 2.1 section 7.12)."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, check
from oauth_litmus.oauth.pkce import new_verifier
from oauth_litmus.probes.markup import internals
from oauth_litmus.probes.token_requests import token_call, works

if TYPE_CHECKING:
    from oauth_litmus.client import Client, Target

SLOW = 10.0
"""Seconds after which an answer to malformed input is too late."""
LONG = 10_240
HUGE = 1_048_576
ODD = {
    "10 kB": quote("A" * LONG),
    "a NUL": "litmus%00litmus",
    "bytes that are not UTF-8": "litmus%ff%fe",
    "query characters": quote("*?[a-z]{litmus}\r\n';--\"$ne"),
}
"""Percent-encoded values, by their content."""
ODD_SECRETS = {"bytes that are not UTF-8": b"litmus\xff\xfe", "a non-ASCII letter": "litmus\u00e9".encode()}


@check("TOKEN-10", needs={LOGIN})
async def odd_input_is_refused(target: Target) -> None:
    """Send odd and long codes, refresh tokens, verifiers and client secrets, a parameter with brackets, and a 1 MB code."""
    client = await target.clients.shared()
    headers = client.credentials()[1]
    requests = {what: (body, headers) for what, body in _bodies(client).items()} | await _impostors(target)

    for what, (body, sent) in requests.items():
        answer = await target.settled_or_cut(
            lambda b=body, h=sent: token_call(target, b, headers=h), target.grants.fresh
        )
        if answer is None:
            # A server may refuse a huge body and close before the client has sent all (RFC 9112 section 9.6).
            closed = f"the server closes the connection for {what}, twice"
            expect.safe(len(body) > HUGE, expected=f"a 4xx for {what}", got=closed)
            continue
        got = f"{expect.describe(expect.conclusive(answer))} for {what}"
        expect.safe(answer.status < 500, expected=f"a 4xx for {what}", got=got, at=answer)
        inside = internals(answer.text)
        expect.safe(inside is None, expected="an error without internals", got=f"{inside} for {what}", at=answer)
        expect.that(not answer.has_tokens, obtained=True, expected=f"a 4xx for {what}", got=got, at=answer)
        took = answer.received_at - answer.sent_at
        expect.ideally(took <= SLOW, expected=f"an answer within {SLOW:g} s", got=f"{took:.0f} s for {what}", at=answer)


async def _impostors(target: Target) -> dict[str, tuple[bytes, dict[str, str]]]:
    """Bodies and headers of requests with an odd client secret, by each method that works with the right secret."""
    requests: dict[str, tuple[bytes, dict[str, str]]] = {}
    for what, value in ODD_SECRETS.items():
        form = f"grant_type=authorization_code&code={secrets.token_urlsafe(32)}&code_verifier={new_verifier()}"
        if await works(target, "client_secret_post"):
            client = await target.clients.shared(auth_method="client_secret_post")
            body = f"{form}&client_id={quote(client.client_id)}&client_secret={quote(value)}"
            requests[f"{what} in client_secret"] = (body.encode(), {})
        if await works(target, "client_secret_basic"):
            client = await target.clients.shared(auth_method="client_secret_basic")
            pair = base64.b64encode(quote(client.client_id).encode() + b":" + value).decode()
            requests[f"{what} in HTTP Basic"] = (form.encode(), {"authorization": f"Basic {pair}"})
    return requests


def _bodies(client: Client) -> dict[str, bytes]:
    """Bodies of token requests in which one value is odd, by the content of that value."""
    identity = urlencode(client.credentials()[0])
    redeem = f"{identity}&grant_type=authorization_code&redirect_uri={quote(client.redirect_uri, safe='')}"
    verifier = f"code_verifier={new_verifier()}"
    bodies = {f"{what} in code": f"{redeem}&{verifier}&code={value}" for what, value in ODD.items()}
    for what, value in ODD.items():
        bodies[f"{what} in refresh_token"] = f"{identity}&grant_type=refresh_token&refresh_token={value}"
    for what in ("10 kB", "bytes that are not UTF-8"):
        bodies[f"{what} in code_verifier"] = f"{redeem}&code={secrets.token_urlsafe(32)}&code_verifier={ODD[what]}"
    bodies["code[]"] = f"{redeem}&{verifier}&code[]=litmus"
    bodies["1 MB in code"] = f"{redeem}&{verifier}&code={'A' * HUGE}"
    return {what: body.encode() for what, body in bodies.items()}
