"""Tokens of other kinds, audiences and issuers: the resource accepts only tokens issued for it (RFC 9068 section 4)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import (
    ACCESS_TOKEN,
    DYNAMIC_REGISTRATION,
    JWT_ACCESS_TOKENS,
    LOGIN,
    RESOURCE,
    UPSTREAM_CONTROL,
    check,
)
from oauth_litmus.client import Target
from oauth_litmus.http.answer import Answer
from oauth_litmus.oauth.jwts import audiences_in, claims_of
from oauth_litmus.probes.upstream_jwts import Changes, forgery
from oauth_litmus.verdict import NotApplicable

ELSEWHERE = "https://elsewhere.client.example.com"
"""A host without a server."""


@check("BEARER-04", needs={LOGIN, RESOURCE}, logins=2)
async def only_access_tokens_open(target: Target) -> None:
    """Present a fresh code, a refresh token and, if there is one, an ID token as the bearer token."""
    tokens, opened = await target.resource.valid_tokens()
    others = {"an authorization code": await target.probing.try_code(lambda code: target.resource.call(code.value))}
    if target.server.seen.refresh_token:
        [(_, answer)] = await target.probing.try_refresh_token(lambda them: target.resource.call(them.refresh_token))
        others["a refresh token"] = answer
    if id_token := tokens.answer.member("id_token"):
        others["an ID token"] = await target.resource.call(id_token)

    for what, answer in others.items():
        expect.refused_token(answer, opened, because=f"the token is {what}")


@check("BEARER-16", needs={ACCESS_TOKEN, DYNAMIC_REGISTRATION, RESOURCE})
async def registration_token_opens_nothing_else(target: Target) -> None:
    """Register a client, and present its registration access token to the resource."""
    registered = expect.conclusive(await target.clients.register(target.clients.metadata()))
    token = registered.member("registration_access_token")
    if not token:
        raise NotApplicable("registration responses contain no registration_access_token")
    _, opened = await target.resource.access_token()

    expect.refused_token(
        await target.resource.call(token), opened, because="the token is for the client's registration"
    )


@check("BEARER-08", needs={LOGIN, RESOURCE}, logins=5)
async def token_for_another_audience_is_refused(target: Target) -> None:
    """Present a token for another resource; then upstream JWTs with a foreign aud, with several, with a lookalike, and without aud."""
    tokens, opened = await target.resource.valid_tokens()
    own = next(iter(sorted(audiences_in(tokens.claims))), target.server.resource or "")
    seen = await _refuses_other_resource(target, opened)
    faults: dict[str, Changes] = {
        "a foreign aud": {"claims": {"aud": f"{ELSEWHERE}/mcp"}},
        "no aud": {"without": ["aud"]},
        "a list of foreign audiences": {"claims": {"aud": [f"{ELSEWHERE}/mcp", "https://else.example.com"]}},
        "an aud that begins like the right one": {"claims": {"aud": f"{own}-of-another"}},
    }

    if target.controls_upstream and (present := await forgery(target)) is not None:
        seen = True
        for what, changes in target.limit_probes(faults.items(), most=2):
            _refuses(await present(changes), opened, what)
    if not seen:
        raise NotApplicable(
            "the suite can get no token for another audience, and forge none that the resource would otherwise accept"
        )


@check("BEARER-13", needs={LOGIN, RESOURCE, UPSTREAM_CONTROL})
async def upstream_token_is_not_passed_through(target: Target) -> None:
    """Present the access token of an upstream session that was not created through this server."""
    _, opened = await target.resource.valid_tokens()

    answer = expect.conclusive(await target.resource.call(await target.upstream.session(user=target.user())))

    judge = expect.ideally if target.server.profile.accepts_upstream_tokens else expect.that
    taken = expect.let_in(answer, opened)
    judge(not taken, expected="401: the token was not issued here", got="the token is accepted", at=answer)


@check("BEARER-14", needs={LOGIN, RESOURCE, UPSTREAM_CONTROL, JWT_ACCESS_TOKENS}, logins=10)
async def issuer_and_times_are_checked(target: Target) -> None:
    """Present upstream JWTs in which only the issuer, exp, nbf or sub is wrong or missing."""
    tokens, opened = await target.resource.valid_tokens()
    present = await forgery(target)
    if present is None:
        raise NotApplicable(
            "the resource accepts only tokens that it knows to be issued, so its checks of claims cannot be observed"
        )
    issuer = str(tokens.claims.get("iss", ""))
    past = int(target.now() - target.server.profile.lifetimes.clock_leeway - 60)
    faults: dict[str, Changes] = {
        "another iss": {"claims": {"iss": ELSEWHERE}},
        "an exp in the past": {"claims": {"exp": past}},
        "no exp": {"without": ["exp"]},
        "no iss": {"without": ["iss"]},
        "a longer path in its iss": {"claims": {"iss": f"{issuer}/elsewhere"}},
        "an nbf one hour ahead": {"claims": {"nbf": int(target.now()) + 3600}},
    }

    for what, changes in target.limit_probes(faults.items(), most=2):
        _refuses(await present(changes), opened, what)
    lenient: dict[str, Changes] = {
        "no sub": {"without": ["sub"]},
        "an extra slash in its iss": {"claims": {"iss": f"{issuer}/"}},
    }
    for what, changes in target.limit_probes(lenient.items(), most=0):
        _refuses(await present(changes), opened, what, merely=True)


def _refuses(answer: Answer | None, opened: Answer, what: str, *, merely: bool = False) -> None:
    judge = expect.ideally if merely else expect.that
    taken = answer is not None and expect.let_in(expect.conclusive(answer), opened)
    judge(not taken, expected=f"a JWT with {what} is refused", got="the JWT is accepted", at=answer)


async def _refuses_other_resource(target: Target, opened: Answer) -> bool:
    """Judge a token for another resource; return False if the server issues none, or its audience is hidden or ours."""
    ours = target.server.resource or ""
    other = next((url for url in target.server.listed("protected_resources") or () if url != ours), f"{ELSEWHERE}/mcp")
    attempt = await target.authorization.attempt(
        target.authorization.request(await target.clients.shared()).but(resource=other)
    )
    if attempt.code is None:
        return False
    answer = await target.tokens.redeem(target.authorization.code_of(attempt), resource=other)
    if not answer.has_tokens:
        return False
    named = audiences_in(claims_of(answer.member("access_token")))
    called = await target.resource.call(answer.member("access_token"))
    # An opaque token hides its audience. If our resource accepts it, the server may have ignored `resource`.
    if (other not in named or ours in named) if named else expect.let_in(expect.conclusive(called), opened):
        return False
    _refuses(called, opened, f"aud {other}")
    return True
