"""Transport of a token request: a form, by POST, without parameters in the URL (OAuth 2.1 sections 2.4.1 and 3.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, LOGIN, check
from oauth_litmus.client.shared import shared
from oauth_litmus.probes.token_requests import each_alive, exchange_of, token_call, works
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.grants import Code

BY_GET, IN_THE_QUERY, PARTLY, AS_JSON = "GET", "the query of a POST", "query and body of a POST", "JSON"
KEPT_IN_THE_BODY = ("code", "code_verifier", "client_secret")
"""Parameters that a server may read only from the body, while it also reads the others from the URL."""


@check("TOKEN-04a", needs={LOGIN})
async def get_brings_no_tokens(target: Target) -> None:
    """Send an ordinary exchange by GET."""
    answer = expect.conclusive((await _sent_otherwise(target))[BY_GET])

    expect.that(
        not answer.has_tokens, obtained=True, expected="405 or another refusal of GET", got="tokens by GET", at=answer
    )
    ok = answer.status < 400
    expect.ideally(not ok, expected="405 or another refusal of GET", got=f"{answer.status} for GET", at=answer)


@check("TOKEN-04b", needs={LOGIN, CONFIDENTIAL_CLIENT}, logins=2)
async def secret_in_the_url_is_not_honoured(target: Target) -> None:
    """Redeem a code with the client_secret in the URL, and everything else in the body."""
    method = await target.clients.confidential_method()
    if method is None or not await works(target, method):
        raise NotApplicable("no client with a secret gets tokens from this server")
    client = await target.clients.shared(auth_method=method)
    secret = [("client_secret", client.client_secret or "")]
    code = await target.authorization.login(client)
    form = [pair for pair in exchange_of(target, code) if pair[0] not in ("client_id", "client_secret")]

    answer = await token_call(target, [*form, ("client_id", client.client_id)], query=secret)

    expect.refused_grant(
        answer, "invalid_client", "invalid_request", because="a client_secret in the URL must be ignored"
    )


@check("TOKEN-04c", needs={LOGIN}, logins=0)
async def parameters_in_the_url_do_not_count(target: Target) -> None:
    """Send an ordinary exchange by POST with all parameters in the URL, and with all except the secret ones in the URL."""
    sent = await _sent_otherwise(target)

    for where, what in ((IN_THE_QUERY, "parameters"), (PARTLY, "grant_type, client_id and redirect_uri")):
        answer = expect.conclusive(sent[where])
        expect.that(
            not answer.has_tokens, obtained=True, expected="400", got=f"tokens for {what} in the URL", at=answer
        )


@check("TOKEN-04d", needs={LOGIN}, logins=0)
async def body_is_a_form(target: Target) -> None:
    """Send an ordinary exchange as JSON."""
    answer = expect.conclusive((await _sent_otherwise(target))[AS_JSON])

    expect.that(not answer.has_tokens, obtained=True, expected="400 or 415", got="tokens for a JSON body", at=answer)


@shared
async def _sent_otherwise(target: Target) -> dict[str, Answer]:
    """Send an ordinary exchange in four unusual ways, once for all checks, and return the answers."""

    async def by_get(code: Code) -> Answer:
        return await token_call(target, query=exchange_of(target, code), method="GET", client=code.client)

    async def in_the_query(code: Code) -> Answer:
        return await token_call(target, query=exchange_of(target, code), client=code.client)

    async def partly(code: Code) -> Answer:
        pairs = exchange_of(target, code)
        form = [pair for pair in pairs if pair[0] in KEPT_IN_THE_BODY]
        query = [pair for pair in pairs if pair[0] not in KEPT_IN_THE_BODY]
        return await token_call(target, form, query=query, client=code.client)

    async def as_json(code: Code) -> Answer:
        document = json.dumps(dict(exchange_of(target, code))).encode()
        return await token_call(target, document, media_type="application/json", client=code.client)

    answers = await each_alive(
        target.authorization.login, (by_get, in_the_query, partly, as_json), target.tokens.redeem
    )
    return dict(zip((BY_GET, IN_THE_QUERY, PARTLY, AS_JSON), answers, strict=True))
