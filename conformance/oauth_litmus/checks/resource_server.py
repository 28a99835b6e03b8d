"""The protected resource: which tokens open it (OAuth 2.1 section 5, RFC 8725), and for whom they were issued."""

from __future__ import annotations

import json
from typing import cast
from urllib.parse import quote, urlsplit

from oauth_litmus import expect
from oauth_litmus.answer import Answer
from oauth_litmus.check import (
    JWT_ACCESS_TOKENS,
    LISTENER,
    LOGIN,
    REGISTRATION,
    RESOURCE,
    UPSTREAM_CONTROL,
    check,
)
from oauth_litmus.client import Client, Target
from oauth_litmus.client.resource import TOKEN_GUARD, token_wait
from oauth_litmus.client.upstream_jwts import Changes, forgery
from oauth_litmus.jwts import audiences_in, claims_of, header_of, led_to_a_key, tampered, unsigned, with_senders_keys
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

SHORT_LIFE = 6
"""Seconds that an access token is asked to live, where the operator lends the upstream."""
NO_SUCH_METHOD = frozenset({404, 405, 406, 415, 501})
ELSEWHERE = "https://elsewhere.client.example.com"
"""Nobody listens there."""
GARBAGE = {
    "random text": "mF_9.B5f-4.1JqM",
    "three letters with dots": "a.b.c",
    "a JWT that was cut off": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJub2Jv",
    "8 kB of letters": "A" * 8192,
    "the word null": "null",
}
MALFORMED = {
    "no token at all": "Bearer",
    "no base64": "Bearer %%%",
    "letters beyond ASCII": "Bearer \u00fcn\u00efc\u00f6de",
}


@check("BEARER-01", needs={RESOURCE})
async def missing_token_is_challenged(target: Target) -> None:
    """Call the resource without a token by GET, POST and DELETE."""
    answers = [
        expect.conclusive(await target.call_resource(None, method=method)) for method in ("GET", "POST", "DELETE")
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


@check("BEARER-02", needs={LOGIN, RESOURCE})
async def garbage_is_an_invalid_token(target: Target) -> None:
    """Call the resource with strings that are no tokens, and with headers that are no credentials."""
    _, opened = await target.valid_tokens()

    for what, garbage in GARBAGE.items():
        answer = expect.no_server_error(
            await target.lasting(lambda g=garbage: target.call_resource(g), target.valid_tokens)
        )
        expect.refused_token(answer, opened, because=f"it is {what}")
        named = any(challenge.parameters.get("error") == "invalid_token" for challenge in answer.challenges or ())
        wanted = f"401 with error=invalid_token for {what}"
        expect.ideally(answer.status == 401 and named, expected=wanted, got=expect.describe(answer), at=answer)
    for what, header in MALFORMED.items():
        headers = {"authorization": header}
        answer = expect.no_server_error(
            await target.lasting(lambda h=headers: target.call_resource(None, headers=h), target.valid_tokens)
        )
        expect.refused_token(answer, opened, because=f"it is {what}")
        right = answer.status in (400, 401)
        expect.ideally(right, expected=f"401 or 400 for {what}", got=expect.describe(answer), at=answer)


@check("BEARER-03", needs={LOGIN, RESOURCE}, waits=token_wait)
async def expired_token_gets_401(target: Target) -> None:
    """Call the resource with an access token whose end, and the declared leeway after it, are over."""
    tokens = await target.short_lived_tokens(SHORT_LIFE)
    over = tokens.ends_at + target.server.profile.lifetimes.clock_leeway + TOKEN_GUARD
    target.may_wait(over - target.now())
    opened = await target.opened(tokens)
    await target.until(over)

    answer = expect.conclusive(await target.call_resource(tokens.access_token))

    if expect.let_in(answer, opened):
        raise Skipped("the expired token still works: declare how long, as `[lifetimes] clock_leeway = SECONDS`")
    judge = expect.that if target.server.profile.specification == "mcp" else expect.ideally
    wanted = "401, on which clients refresh"
    judge(answer.status == 401, expected=wanted, got=expect.describe(answer), at=answer)
    named = any(challenge.parameters.get("error") == "invalid_token" for challenge in answer.challenges or ())
    expect.ideally(named, expected="error=invalid_token in a challenge", got="none", at=answer)


@check("BEARER-04", needs={LOGIN, RESOURCE}, logins=2)
async def only_access_tokens_open(target: Target) -> None:
    """Present a fresh code, a refresh token and, where there is one, an ID token as the bearer token."""
    tokens = await target.tokens()
    opened = await target.opened(tokens)
    others = {
        "an authorization code": (await target.login()).value,
        "a refresh token": tokens.refresh_token,
        "an ID token": tokens.answer.member("id_token") or None,
    }

    for what, token in others.items():
        if token is not None:
            expect.refused_token(await target.call_resource(token), opened, because=f"it is {what}")


@check("BEARER-05", needs={LOGIN, RESOURCE})
async def unsigned_token_is_refused(target: Target) -> None:
    """Present the claims of a valid token (or made-up ones) with alg none in three spellings, and unsigned."""
    tokens, opened = await target.valid_tokens()
    made_up = {"sub": "litmus", "aud": target.server.resource, "exp": int(target.now()) + 3600}
    claims = tokens.claims or {"iss": target.server.issuer, "scope": tokens.granted_scope or "", **made_up}

    for what, token in unsigned(header_of(tokens.access_token), claims).items():
        expect.refused_token(await target.call_resource(token), opened, because=f"it {what}")


@check("BEARER-06", needs={LOGIN, RESOURCE})
async def tampered_token_is_refused(target: Target) -> None:
    """Present a valid token with one claim changed under the old signature, and with one bit of that changed."""
    tokens, opened = await target.valid_tokens()

    for what, token in tampered(tokens.access_token, now=target.now()).items():
        expect.refused_token(await target.call_resource(token), opened, because=f"it {what}")


@check("BEARER-07", needs={LOGIN, RESOURCE, JWT_ACCESS_TOKENS})
async def senders_keys_are_refused(target: Target) -> None:
    """Present forgeries with public keys as HMAC secrets, keys in the header, and key ids that lead elsewhere."""
    tokens, opened = await target.valid_tokens()

    for what, token in with_senders_keys(tokens.access_token, await target.key_set(tokens)).items():
        answer = expect.no_server_error(
            await target.lasting(lambda t=token: target.call_resource(t), target.valid_tokens)
        )
        expect.refused_token(answer, opened, because=f"it {what}")


@check("BEARER-07a", needs={LOGIN, RESOURCE, JWT_ACCESS_TOKENS, LISTENER})
async def key_urls_of_the_sender_are_not_fetched(target: Target) -> None:
    """Present forgeries that name a URL of the suite's own for their key, and count who comes for it."""
    tokens, opened = await target.valid_tokens()
    place = target.listener.place()
    forged, keys = led_to_a_key(tokens.access_token, {name: f"{place.url}/{name}" for name in ("jku", "x5u")})
    for name in forged:
        target.listener.put(place, name, json.dumps(keys))

    for name, token in forged.items():
        expect.refused_token(await target.call_resource(token), opened, because=f"its key is the sender's, by {name}")
    hits = target.listener.hits(place)
    got = f"{len(hits)} requests for it"
    expect.that(not hits, expected="nobody fetches a key from where a token says", got=got)


@check("BEARER-08", needs={LOGIN, RESOURCE}, logins=5)
async def token_for_another_audience_is_refused(target: Target) -> None:
    """Ask for a token for another resource; and present JWTs of the upstream with another aud, others, and none."""
    _, opened = await target.valid_tokens()
    seen = await _refuses_other_resource(target, opened)
    faults: dict[str, Changes] = {
        "a foreign aud": {"claims": {"aud": f"{ELSEWHERE}/mcp"}},
        "a list of foreign audiences": {"claims": {"aud": [f"{ELSEWHERE}/mcp", "https://else.example.com"]}},
        "no aud": {"without": ["aud"]},
    }

    if target.run.upstream is not None and (present := await forgery(target)) is not None:
        seen = True
        for what, changes in faults.items():
            _refuses(await present(changes), opened, what)
    if not seen:
        raise NotApplicable("no token for another audience can be had here, and no forged one can be told from a fault")


@check("BEARER-09", needs={LOGIN, RESOURCE})
async def token_in_the_query_is_ignored(target: Target) -> None:
    """Call the resource with a valid token as the parameter access_token, and no header."""
    tokens, opened = await target.valid_tokens()

    answer = await target.call_resource(None, query=f"?access_token={quote(tokens.access_token, safe='')}")

    expect.refused_token(answer, opened, because="it is in the URL, where a resource does not look for it")


@check("BEARER-13", needs={LOGIN, RESOURCE, UPSTREAM_CONTROL})
async def upstream_token_is_not_passed_through(target: Target) -> None:
    """Present the access token of an upstream session that did not come about through this server."""
    _, opened = await target.valid_tokens()

    answer = expect.conclusive(await target.call_resource(await target.upstream.session(user=target.user())))

    judge = expect.ideally if target.server.profile.accepts_upstream_tokens else expect.that
    taken = expect.let_in(answer, opened)
    judge(not taken, expected="401: the token was not issued here", got="the token is accepted", at=answer)


@check("BEARER-14", needs={LOGIN, RESOURCE, UPSTREAM_CONTROL, JWT_ACCESS_TOKENS}, logins=10)
async def issuer_and_times_are_checked(target: Target) -> None:
    """Present JWTs of the upstream that are right but for issuer, exp, nbf or sub."""
    tokens, opened = await target.valid_tokens()
    present = await forgery(target)
    if present is None:
        raise NotApplicable("the resource takes only what it knows to have been issued: its checks cannot be seen")
    issuer = str(tokens.claims.get("iss", ""))
    past = int(target.now() - target.server.profile.lifetimes.clock_leeway - 60)
    faults: dict[str, Changes] = {
        "another iss": {"claims": {"iss": ELSEWHERE}},
        "no iss": {"without": ["iss"]},
        "a longer path in its iss": {"claims": {"iss": f"{issuer}/elsewhere"}},
        "no exp": {"without": ["exp"]},
        "an exp that is over": {"claims": {"exp": past}},
        "an nbf in an hour": {"claims": {"nbf": int(target.now()) + 3600}},
    }

    for what, changes in faults.items():
        _refuses(await present(changes), opened, what)
    lenient: dict[str, Changes] = {
        "a slash too much in its iss": {"claims": {"iss": f"{issuer}/"}},
        "no sub": {"without": ["sub"]},
    }
    for what, changes in lenient.items():
        _refuses(await present(changes), opened, what, merely=True)


@check("RES-01", needs={REGISTRATION, RESOURCE}, logins=4)
async def resource_parameter_is_accepted(target: Target) -> None:
    """Send the resource with every request, as each kind of client; then with an upper-case host, and with a slash."""
    if not target.run.driver.walks:
        raise Skipped("needs logins that the suite walks through: give --login redirects")
    resource = target.server.resource or ""
    if target.server.profile.resource is None and not _is_served(target):
        raise NotApplicable("neither the resource's metadata nor the profile names this server for the resource")

    for client in await target.client_of_each_kind():
        refusal = await _refusal(target, client, resource)
        if refusal is not None and await _refusal(target, client, None) is not None:
            if client.is_public:
                raise Blocked(f"set-up: a login without resource is refused too: {_shown(refusal)}", (refusal.number,))
            continue  # its authentication does not work at all (TOKEN-08)
        if refusal is not None and target.server.profile.specification != "mcp":
            raise NotApplicable(
                f"the server knows the resource by another name than {resource}, and only MCP demands that"
            )
        expect.that(refusal is None, expected=f"tokens with resource={resource}", got=_shown(refusal), at=refusal)
    parts = urlsplit(resource)
    spellings = [parts._replace(netloc=parts.netloc.upper()).geturl()]
    if parts.path in ("", "/"):  # elsewhere a slash makes another URL (RFC 3986 section 6.2.3)
        spellings.append(resource.rstrip("/") + "/")
    for spelling in spellings:
        refusal = await _refusal(target, await target.client(), spelling)
        expect.ideally(refusal is None, expected=f"tokens with resource={spelling}", got=_shown(refusal), at=refusal)


@check("RES-02", needs={LOGIN, RESOURCE, JWT_ACCESS_TOKENS})
async def token_names_its_resource(target: Target) -> None:
    """Compare the aud of an access token with the resource that was asked for."""
    tokens, _ = await target.valid_tokens()

    named = audiences_in(tokens.claims)

    resource = (target.server.resource or "").rstrip("/")
    expect.that(
        resource in {audience.rstrip("/") for audience in named},
        expected=f"aud {resource}",
        got=f"aud {', '.join(sorted(named)) or 'absent'}",
        at=tokens.answer,
    )


def _challenges(target: Target, answer: Answer) -> None:
    """What a client needs to know in order to get a token (RFC 6750 section 3, RFC 9728 section 5.1)."""
    raw = answer.headers.get("www-authenticate", "none")
    parsed = answer.challenges
    if parsed and {challenge.scheme for challenge in parsed} == {"dpop"}:
        raise NotApplicable("the resource takes tokens that are bound to a key only (DPoP)")
    expect.that(parsed is not None, expected="a well-formed WWW-Authenticate", got=raw, at=answer)
    bearer = next((challenge.parameters for challenge in parsed or () if challenge.scheme == "bearer"), None)
    expect.that(bool(bearer), expected="WWW-Authenticate: Bearer with a parameter", got=raw, at=answer)
    parameters = bearer or {}
    expect.ideally("error" not in parameters, expected="no error, since no token was sent", got=raw, at=answer)
    if target.server.profile.specification == "mcp":
        judge = expect.that if target.server.discovered.resource_metadata is None else expect.ideally
        judge("resource_metadata" in parameters, expected="resource_metadata in the challenge", got=raw, at=answer)
        expect.ideally("scope" in parameters, expected="scope in the challenge", got=raw, at=answer)


def _refuses(answer: Answer | None, opened: Answer, what: str, *, merely: bool = False) -> None:
    judge = expect.ideally if merely else expect.that
    taken = answer is not None and expect.let_in(expect.conclusive(answer), opened)
    judge(not taken, expected=f"a JWT with {what} is refused", got="it is accepted", at=answer)


async def _refuses_other_resource(target: Target, opened: Answer) -> bool:
    """Judge a token for another resource of the server; False if none can be had, or its audience is hidden or ours."""
    ours = target.server.resource or ""
    other = next((url for url in target.server.listed("protected_resources") or () if url != ours), f"{ELSEWHERE}/mcp")
    attempt = await target.attempt(target.request(await target.client()).but(resource=other))
    if attempt.code is None:
        return False
    answer = await target.redeem(target.code_of(attempt), resource=other)
    named = audiences_in(claims_of(answer.member("access_token")))
    if not answer.has_tokens or other not in named or ours in named:
        return False
    _refuses(await target.call_resource(answer.member("access_token")), opened, f"aud {other}")
    return True


def _is_served(target: Target) -> bool:
    document = target.server.discovered.resource_metadata or {}
    servers = document.get("authorization_servers")
    return isinstance(servers, list) and target.server.issuer in cast("list[object]", servers)


async def _refusal(target: Target, client: Client, resource: str | None) -> Answer | None:
    """The first answer that refuses a flow with this resource; None if all goes well."""
    attempt = await target.attempt(target.request(client).but(resource=resource))
    if attempt.code is None:
        return expect.conclusive(attempt.last)
    answer = expect.conclusive(await target.redeem(target.code_of(attempt), resource=resource))
    if answer.has_tokens and answer.member("refresh_token"):
        tokens = target.tokens_of(answer, client, None)
        answer = expect.conclusive(await target.refresh(tokens, resource=resource))
    return None if answer.has_tokens else answer


def _shown(refusal: Answer | None) -> str:
    return "" if refusal is None else f"{expect.describe(refusal)} at {urlsplit(refusal.url).path}"
