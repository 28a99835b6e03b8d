"""How the resource refuses a missing token, garbage, and an expired token (OAuth 2.1 section 5.3, RFC 6750 section 3)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import ACCESS_TOKEN, LOGIN, RESOURCE, check
from oauth_litmus.client import Target
from oauth_litmus.client.resource import token_wait
from oauth_litmus.http.answer import Answer
from oauth_litmus.probes.expired import expired_token
from oauth_litmus.target.discovery import resource_metadata_urls
from oauth_litmus.verdict import NotApplicable, Skipped

NO_SUCH_METHOD = frozenset({404, 405, 406, 415, 501})
GARBAGE = {
    "random text": "mF_9.B5f-4.1JqM",
    "three letters with dots": "a.b.c",
    "a JWT that was cut off": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJub2Jv",
    "8 kB of letters": "A" * 8192,
    "the word null": "null",
}
_ORDINARY_LENGTH = 4096
"""Length in characters above which a size limit of the server may apply first (RFC 6585 section 5)."""
MALFORMED = {
    "no token at all": "Bearer",
    "characters outside base64": "Bearer %%%",
    "non-ASCII letters": "Bearer \u00fcn\u00efc\u00f6de",
}


@check("BEARER-01", needs={RESOURCE})
async def missing_token_is_challenged(target: Target) -> None:
    """Call the resource without a token by GET, POST and DELETE."""
    answers = [
        expect.conclusive(await target.resource.call(None, method=method)) for method in ("GET", "POST", "DELETE")
    ]
    asked = [answer for answer in answers if answer.status not in NO_SUCH_METHOD] or answers
    guarded = any(answer.status == 401 for answer in asked)

    for answer in asked:
        if guarded and answer.status < 500 and answer.status not in (401, 403):
            what = f"{answer.method} without a token: {answer.status}"
            expect.ideally(answer.status >= 400, expected="401 for every method", got=what, at=answer)
            continue
        expect.that(answer.status == 401, expected="401 without a token", got=expect.describe(answer), at=answer)
        _challenges(target, answer)


@check("BEARER-02", needs={ACCESS_TOKEN, RESOURCE})
async def garbage_is_an_invalid_token(target: Target) -> None:
    """Call the resource with strings that are not tokens and with malformed Authorization headers; for MCP, by POST too."""
    _, opened = await target.resource.access_token()

    for what, garbage in GARBAGE.items():
        answer = expect.no_server_error(
            await target.settled(lambda g=garbage: target.resource.call(g), target.resource.access_token)
        )
        expect.refused_token(answer, opened, because=f"the token is {what}")
        named = any(challenge.parameters.get("error") == "invalid_token" for challenge in answer.challenges or ())
        wanted = f"401 with error=invalid_token in a challenge, for {what}"
        got = f"{answer.status}, {expect.challenge_of(answer)}"
        too_long = len(garbage) > _ORDINARY_LENGTH and answer.status in (400, 413, 431)
        expect.ideally((answer.status == 401 and named) or too_long, expected=wanted, got=got, at=answer)
    for what, header in MALFORMED.items():
        headers = {"authorization": header}
        answer = expect.no_server_error(
            await target.settled(lambda h=headers: target.resource.call(None, headers=h), target.resource.access_token)
        )
        expect.refused_token(answer, opened, because=f"the header holds {what}")
        right = answer.status in (400, 401)
        expect.ideally(right, expected=f"401 or 400 for {what}", got=expect.describe(answer), at=answer)
    await _posts_are_guarded_alike(target)


@check("BEARER-03", needs={LOGIN, RESOURCE}, waits=token_wait)
async def expired_token_gets_401(target: Target) -> None:
    """Call the resource with an access token after its expiry plus the declared leeway."""
    expired = await expired_token(target)
    answer = expired.late

    expired.over.after_its_end(answer)
    if expect.let_in(answer, expired.opened):
        raise Skipped("the expired token still works: declare for how long, as `[lifetimes] clock_leeway = SECONDS`")
    judge = expect.that if target.server.profile.specification == "mcp" else expect.ideally
    wanted = "401, which makes clients refresh"
    judge(answer.status == 401, expected=wanted, got=expect.describe(answer), at=answer)
    named = any(challenge.parameters.get("error") == "invalid_token" for challenge in answer.challenges or ())
    expect.ideally(named, expected="error=invalid_token in a challenge", got=expect.challenge_of(answer), at=answer)


async def _posts_are_guarded_alike(target: Target) -> None:
    """Present garbage by POST too, the method of MCP clients, if a POST without a token is refused (see BEARER-01)."""
    if target.server.profile.specification != "mcp":
        return
    without = expect.conclusive(await target.resource.call(None, method="POST"))
    if without.status not in (401, 403):
        return
    for what in ("random text", "a JWT that was cut off"):
        answer = expect.conclusive(await target.resource.call(GARBAGE[what], method="POST"))
        got = f"{answer.status}: the token is accepted"
        expect.that(answer.status >= 300, expected=f"401 for a POST, since the token is {what}", got=got, at=answer)


def _challenges(target: Target, answer: Answer) -> None:
    """Judge the challenge, which tells a client how to get a token (RFC 6750 section 3, RFC 9728 section 5.1)."""
    raw = answer.headers.get("www-authenticate", "none")
    parsed = answer.challenges
    if parsed and {challenge.scheme for challenge in parsed} == {"dpop"}:
        raise NotApplicable("the resource accepts only tokens that are bound to a key (DPoP)")
    expect.that(parsed is not None, expected="a well-formed WWW-Authenticate", got=raw, at=answer)
    bearer = next((challenge.parameters for challenge in parsed or () if challenge.scheme == "bearer"), None)
    expect.that(bool(bearer), expected="WWW-Authenticate: Bearer with a parameter", got=raw, at=answer)
    parameters = bearer or {}
    expect.ideally("error" not in parameters, expected="no error, since no token was sent", got=raw, at=answer)
    if target.server.profile.specification == "mcp":
        found_at = target.server.discovered.resource_metadata_url
        leads = "resource_metadata" in parameters or found_at in resource_metadata_urls(target.server.resource or "")
        # If the suite found metadata, the challenge to another method named it.
        judge = expect.that if found_at is None else expect.ideally
        wanted = "resource_metadata in the challenge, since the well-known location has none"
        judge(leads, expected=wanted, got=raw, at=answer)
        expect.ideally("scope" in parameters, expected="scope in the challenge", got=raw, at=answer)
