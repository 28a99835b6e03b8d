"""How a client sends a token: once, in one header, under one scheme (OAuth 2.1 section 5.1)."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import httpx

from oauth_litmus import expect
from oauth_litmus.check import ACCESS_TOKEN, LOGIN, RESOURCE, check
from oauth_litmus.client import Target
from oauth_litmus.client.session import FORM

SPELLINGS = ("bearer", "BEARER", "bEaReR")
GARBAGE = "mF_9.B5f-4.1JqM"


@check("BEARER-09", needs={ACCESS_TOKEN, RESOURCE})
async def token_in_the_query_is_ignored(target: Target) -> None:
    """Send a valid token in the query parameter access_token: without a header, then beside a header with garbage."""
    tokens, opened = await target.resource.access_token()
    query = f"?access_token={quote(tokens.access_token, safe='')}"

    answer = await target.resource.call(None, query=query)

    because = "the token is in the URL, where a resource must ignore it"
    if target.server.profile.query_tokens:
        taken = expect.let_in(expect.conclusive(answer), opened)
        expect.ideally(
            not taken, expected=f"401, since {because}", got="the token is accepted, as the profile declares", at=answer
        )
        return
    expect.refused_token(answer, opened, because=because)
    beside = await target.resource.call(GARBAGE, query=query)
    expect.refused_token(beside, opened, because=f"{because}, and the header holds garbage")


@check("BEARER-10", needs={LOGIN, RESOURCE})
async def scheme_has_no_letter_case(target: Target) -> None:
    """Present a valid token with Bearer in other letter cases, and with two spaces after Bearer."""
    tokens, opened = await target.resource.valid_tokens()

    for scheme in SPELLINGS:
        header = {"authorization": f"{scheme} {tokens.access_token}"}
        answer = expect.conclusive(await target.resource.call(None, headers=header))
        taken = expect.let_in(answer, opened)
        expect.that(taken, expected=f"the token is accepted with {scheme}", got=expect.describe(answer), at=answer)
    header = {"authorization": f"Bearer  {tokens.access_token}"}
    answer = expect.conclusive(await target.resource.call(None, headers=header))
    taken = expect.let_in(answer, opened)
    expect.ideally(taken, expected="the token is accepted after two spaces", got=expect.describe(answer), at=answer)


@check("BEARER-10a", needs={LOGIN, RESOURCE})
async def other_schemes_are_refused(target: Target) -> None:
    """Present a valid token under Basic, without a scheme, and under a scheme that only begins like Bearer."""
    tokens, opened = await target.resource.valid_tokens()
    token = tokens.access_token

    for what, header in {"Basic": f"Basic {token}", "no scheme": token, "BearerX": f"BearerX {token}"}.items():
        answer = await target.resource.call(None, headers={"authorization": header})
        expect.refused_token(answer, opened, because=f"the token comes with {what}")


@check("BEARER-11", needs={LOGIN, RESOURCE})
async def token_is_sent_once(target: Target) -> None:
    """Send a valid token beside a second one: in two headers, in one header, and in a form if the resource reads forms."""
    tokens, opened = await target.resource.valid_tokens()
    valid, garbage = f"Bearer {tokens.access_token}", f"Bearer {GARBAGE}"

    for what, first, second in (("first", valid, garbage), ("second", garbage, valid)):
        headers = httpx.Headers([("authorization", first), ("authorization", second)])
        answer = expect.conclusive(await target.resource.call(None, headers=headers))
        wanted, taken = "400 or 401 for two Authorization headers", expect.let_in(answer, opened)
        expect.ideally(not taken, expected=wanted, got=f"accepted, because the {what} is valid", at=answer)
        right = taken or answer.status in (400, 401)
        expect.ideally(right, expected=wanted, got=expect.describe(answer), at=answer)
    for both in (f"{valid} {GARBAGE}", f"{valid}, {garbage}"):
        answer = expect.conclusive(await target.resource.call(None, headers={"authorization": both}))
        wanted = "400 or 401 for two tokens in one header"
        right = answer.status in (400, 401) and not expect.let_in(answer, opened)
        expect.ideally(right, expected=wanted, got=expect.describe(answer), at=answer)
    await _in_a_form_too(target, tokens.access_token, valid)


async def _in_a_form_too(target: Target, token: str, valid: str) -> None:
    """Judge tokens in header and form, if the resource reads forms: otherwise it sees only one (OAuth 2.1 section 5.1.2)."""
    form, body = {"content-type": FORM}, urlencode({"access_token": token}).encode()
    alone = expect.conclusive(await target.resource.call(None, method="POST", headers=form, body=body))
    if alone.status >= 300:
        return
    headers = {**form, "authorization": valid}
    answer = expect.conclusive(await target.resource.call(None, method="POST", headers=headers, body=body))
    wanted = "400 or 401 for a token in the header and one in the form"
    expect.ideally(answer.status >= 300, expected=wanted, got=expect.describe(answer), at=answer)
