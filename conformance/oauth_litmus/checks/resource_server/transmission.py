"""How a token is sent: in one header, under one scheme, once (OAuth 2.1 section 5.1)."""

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
    """Call the resource with a valid token as the parameter access_token, without a header, and beside one that is no token."""
    tokens, opened = await target.resource.access_token()
    query = f"?access_token={quote(tokens.access_token, safe='')}"

    answer = await target.resource.call(None, query=query)

    because = "it is in the URL, where a resource does not look for it"
    if target.server.profile.query_tokens:
        taken = expect.let_in(expect.conclusive(answer), opened)
        expect.ideally(not taken, expected=f"401, since {because}", got="it is accepted, as declared", at=answer)
        return
    expect.refused_token(answer, opened, because=because)
    beside = await target.resource.call(GARBAGE, query=query)
    expect.refused_token(beside, opened, because=f"{because}, and what the header has is no token")


@check("BEARER-10", needs={LOGIN, RESOURCE})
async def scheme_has_no_letter_case(target: Target) -> None:
    """Present a valid token with the scheme in other letter cases, and with two spaces after it."""
    tokens, opened = await target.resource.valid_tokens()

    for scheme in SPELLINGS:
        header = {"authorization": f"{scheme} {tokens.access_token}"}
        answer = expect.conclusive(await target.resource.call(None, headers=header))
        taken = expect.let_in(answer, opened)
        expect.that(taken, expected=f"the token is taken with {scheme}", got=expect.describe(answer), at=answer)
    header = {"authorization": f"Bearer  {tokens.access_token}"}
    answer = expect.conclusive(await target.resource.call(None, headers=header))
    taken = expect.let_in(answer, opened)
    expect.ideally(taken, expected="the token is taken after two spaces", got=expect.describe(answer), at=answer)


@check("BEARER-10a", needs={LOGIN, RESOURCE})
async def other_schemes_are_refused(target: Target) -> None:
    """Present a valid token under the scheme Basic, under none, and under one that only begins like Bearer."""
    tokens, opened = await target.resource.valid_tokens()
    token = tokens.access_token

    for what, header in {"Basic": f"Basic {token}", "no scheme": token, "BearerX": f"BearerX {token}"}.items():
        answer = await target.resource.call(None, headers={"authorization": header})
        expect.refused_token(answer, opened, because=f"it comes with {what}")


@check("BEARER-11", needs={LOGIN, RESOURCE})
async def token_is_sent_once(target: Target) -> None:
    """Send a valid token beside another one: in two headers, in one, and in a form, if that is read."""
    tokens, opened = await target.resource.valid_tokens()
    valid, garbage = f"Bearer {tokens.access_token}", f"Bearer {GARBAGE}"

    for what, first, second in (("first", valid, garbage), ("second", garbage, valid)):
        headers = httpx.Headers([("authorization", first), ("authorization", second)])
        answer = expect.conclusive(await target.resource.call(None, headers=headers))
        wanted, taken = "400 or 401 for two Authorization headers", expect.let_in(answer, opened)
        expect.ideally(not taken, expected=wanted, got=f"accepted, as the {what} is valid", at=answer)
        right = taken or answer.status in (400, 401)
        expect.ideally(right, expected=wanted, got=expect.describe(answer), at=answer)
    for both in (f"{valid} {GARBAGE}", f"{valid}, {garbage}"):
        answer = expect.conclusive(await target.resource.call(None, headers={"authorization": both}))
        wanted = "400 or 401 for two tokens in one header"
        right = answer.status in (400, 401) and not expect.let_in(answer, opened)
        expect.ideally(right, expected=wanted, got=expect.describe(answer), at=answer)
    await _in_a_form_too(target, tokens.access_token, valid)


async def _in_a_form_too(target: Target, token: str, valid: str) -> None:
    """A resource that does not read tokens from forms sees but one, and may take that (OAuth 2.1 section 5.1.2)."""
    form, body = {"content-type": FORM}, urlencode({"access_token": token}).encode()
    alone = expect.conclusive(await target.resource.call(None, method="POST", headers=form, body=body))
    if alone.status >= 300:
        return
    headers = {**form, "authorization": valid}
    answer = expect.conclusive(await target.resource.call(None, method="POST", headers=headers, body=body))
    wanted = "400 or 401 for a token in the header and one in the form"
    expect.ideally(answer.status >= 300, expected=wanted, got=expect.describe(answer), at=answer)
