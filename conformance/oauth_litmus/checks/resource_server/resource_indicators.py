"""The `resource` parameter, which names the resource that a token is for (RFC 8707)."""

from __future__ import annotations

from contextlib import suppress
from typing import cast
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.check import JWT_ACCESS_TOKENS, LOGIN, REFRESH, REGISTRATION, RESOURCE, check
from oauth_litmus.client import Client, Target, Tokens
from oauth_litmus.http.answer import Answer
from oauth_litmus.oauth.jwts import audiences_in, claims_of
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

ELSEWHERE = "https://elsewhere.client.example.com"
"""A host without a server."""
MALFORMED = ("foo", f"{ELSEWHERE}/#x")
"""A relative reference, and a URL with a fragment: RFC 8707 section 2 allows neither."""


@check("RES-01", needs={REGISTRATION, RESOURCE}, logins=4)
async def resource_parameter_is_accepted(target: Target) -> None:
    """Log in, redeem and refresh with the resource as each kind of client; for MCP, then with an upper-case host and a slash."""
    if not target.walks_logins:
        raise Skipped("needs logins that the suite performs itself: give --login redirects")
    resource = target.server.resource or ""
    if target.server.profile.resource is None and not _is_served(target):
        raise NotApplicable(
            "neither the resource's metadata nor the profile says that this server issues tokens for the resource"
        )

    for client in await target.clients.of_each_kind():
        refusal = await _refusal(target, client, resource)
        if refusal is not None and await _refusal(target, client, None) is not None:
            if client.is_public:
                raise Blocked(
                    f"set-up: logins with and without resource are refused: {_shown(refusal)}", (refusal.number,)
                )
            continue  # this client cannot authenticate at all (TOKEN-08)
        if refusal is not None and target.server.profile.specification != "mcp":
            raise NotApplicable(
                f"the server does not accept {resource} as the resource's name, and only MCP requires that name"
            )
        expect.that(refusal is None, expected=f"tokens with resource={resource}", got=_shown(refusal), at=refusal)
    if target.server.profile.specification != "mcp":
        return
    parts = urlsplit(resource)
    spellings = [parts._replace(netloc=parts.netloc.upper()).geturl()]
    if parts.path in ("", "/"):  # after another path, a slash makes another URL (RFC 3986 section 6.2.3)
        spellings.append(resource.rstrip("/") + "/")
    for spelling in spellings:
        refusal = await _refusal(target, await target.clients.shared(), spelling)
        expect.ideally(refusal is None, expected=f"tokens with resource={spelling}", got=_shown(refusal), at=refusal)


@check("RES-02", needs={LOGIN, RESOURCE, JWT_ACCESS_TOKENS})
async def token_names_its_resource(target: Target) -> None:
    """Compare the aud of an access token with the requested resource."""
    tokens, _ = await target.resource.valid_tokens()

    named = audiences_in(tokens.claims)

    resource = (target.server.resource or "").rstrip("/")
    others = sorted(name for name in named if name.startswith(("https://", "http://")))
    if target.server.profile.resource_indicators and others and resource not in {name.rstrip("/") for name in named}:
        wanted = f"aud {resource}, as the profile declares (resource_indicators)"
        expect.safe(False, expected=wanted, got=f"aud {', '.join(others)}", at=tokens.answer)
    expect.that(
        resource in {audience.rstrip("/") for audience in named},
        expected=f"aud {resource}",
        got=f"aud {', '.join(sorted(named)) or 'absent'}",
        at=tokens.answer,
    )


@check("RES-03", needs={LOGIN})
async def unknown_resource_is_an_invalid_target(target: Target) -> None:
    """Log in for a relative reference, for a URL with a fragment, and for a resource that the server does not serve."""
    if target.server.seen.resource_refused:
        raise NotApplicable("the server also refuses its own resource (RES-01), so a refusal proves nothing")
    client = await target.clients.shared()

    for value in (*MALFORMED, f"{ELSEWHERE}/mcp"):
        answer, error = await _answered(target, client, value)
        wanted = f"error=invalid_target for resource={value}"
        if not answer.has_tokens:
            expect.ideally(error in ("invalid_target", ""), expected=wanted, got=f"error={error}", at=answer)
            continue
        named = audiences_in(claims_of(answer.member("access_token")))
        copied, got = value in named, f"a token for {value}"
        expect.safe(not (copied and value in MALFORMED), expected=wanted, got=got, at=answer)
        expect.ideally(not copied, expected=wanted, got=got, at=answer)
        if not copied and not target.server.profile.resource_indicators:
            raise NotApplicable("the server ignores the parameter, or its tokens do not name their resource")
        expect.ideally(copied, expected=wanted, got="the server ignores the parameter", at=answer)


@check("RES-04", needs={LOGIN, RESOURCE}, logins=2)
async def granted_resource_cannot_be_switched(target: Target) -> None:
    """Log in for the resource, then name another resource in the code exchange, and in a refresh."""
    other = _another(target)
    tokens = await target.grants.fresh()
    answers = [await target.tokens.redeem(await target.authorization.login(), resource=other)]
    if tokens.refresh_token is not None:
        answers.append(await target.tokens.refresh(tokens, resource=other))

    seen = [answer for answer in map(expect.conclusive, answers) if not answer.has_tokens or _tells(answer)]
    if not seen:
        raise NotApplicable("the server's tokens do not name their resource")
    for answer in seen:
        wanted = f"error=invalid_target, or a token that is not for {other}"
        switched = other in audiences_in(claims_of(answer.member("access_token")))
        expect.that(not switched, expected=wanted, got=f"a token for {other}", at=answer)
        right = answer.has_tokens or answer.error in ("invalid_target", "invalid_grant")
        expect.ideally(right, expected=wanted, got=expect.describe(answer), at=answer)


@check("RES-05", needs={LOGIN, RESOURCE, REFRESH}, logins=2)
async def narrowing_to_a_resource_is_not_for_ever(target: Target) -> None:
    """Log in twice for two resources, redeem a code for each, and refresh the tokens of the first for the second."""
    ours, other = target.server.resource or "", _another(target)
    one = await _redeemed_for(target, (ours, other), ours)
    elsewhere = await _redeemed_for(target, (ours, other), other)
    if one is None or one.refresh_token is None or elsewhere is None:
        raise NotApplicable(
            "the server issues no code that can be redeemed for either of two resources, or no refresh token"
        )

    answer = expect.conclusive(await target.tokens.refresh(one, resource=other))

    got = f"{expect.describe(answer)}, after the code was redeemed for {ours}"
    expect.that(answer.has_tokens, expected=f"tokens for {other}, which was granted", got=got, at=answer)


async def _redeemed_for(target: Target, granted: tuple[str, str], resource: str) -> Tokens | None:
    """Log in for two resources and redeem the code for one of them; None if the server refuses either step."""
    client = await target.clients.shared()
    request = target.authorization.request(client).but(resource=granted[0]).adding(("resource", granted[1]))
    attempt = await target.authorization.attempt(request)
    if attempt.code is None:
        return None
    answer = expect.conclusive(await target.tokens.redeem(target.authorization.code_of(attempt), resource=resource))
    return target.tokens.read(answer, client, None) if answer.has_tokens else None


def _another(target: Target) -> str:
    """Another resource: one that the server lists, or else a made-up one."""
    listed = target.server.listed("protected_resources") or ()
    return next((url for url in listed if url != target.server.resource), f"{ELSEWHERE}/mcp")


def _is_served(target: Target) -> bool:
    document = target.server.discovered.resource_metadata or {}
    servers = document.get("authorization_servers")
    return isinstance(servers, list) and target.server.issuer in cast("list[object]", servers)


async def _refusal(target: Target, client: Client, resource: str | None) -> Answer | None:
    """The first answer that refuses a login, an exchange or a refresh with this resource; None if all succeed."""
    if resource == target.server.resource_indicator:
        with suppress(Blocked):  # the attempt below shows the fault again
            return await _refusal_of_the_ordinary(target, client)
    attempt = await target.authorization.attempt(target.authorization.request(client).but(resource=resource))
    if attempt.code is None:
        return expect.conclusive(attempt.last)
    answer = expect.conclusive(await target.tokens.redeem(target.authorization.code_of(attempt), resource=resource))
    if answer.has_tokens and answer.member("refresh_token"):
        tokens = target.tokens.read(answer, client, attempt.request.get("scope"))
        answer = expect.conclusive(await target.tokens.refresh(tokens, resource=resource))
    return None if answer.has_tokens else answer


async def _refusal_of_the_ordinary(target: Target, client: Client) -> Answer | None:
    """The refusal if ordinary requests name this resource anyway: use grants that other checks share."""
    if client == await target.clients.shared():
        await target.grants.exchanged_and_refreshed()
        return None
    await target.grants.confidential_client(auth_method=client.auth_method)
    async with target.grants.reserved(client) as tokens:
        if tokens.refresh_token is None:
            return None
        answer = expect.conclusive(await target.tokens.refresh(tokens))
        if answer.has_tokens:
            target.grants.add_to_pool(target.tokens.read(answer, client, tokens.granted_scope))
    return None if answer.has_tokens else answer


def _shown(refusal: Answer | None) -> str:
    return "" if refusal is None else f"{expect.describe(refusal)} at {urlsplit(refusal.url).path}"


async def _answered(target: Target, client: Client, resource: str) -> tuple[Answer, str]:
    """The answer that refuses or grants a login with this resource, and its error code; empty if an error page has none.

    The exchange omits the parameter: the server has granted the resource of the authorization request (RFC 8707 section 2.2).
    """
    attempt = await target.authorization.attempt(target.authorization.request(client).but(resource=resource))
    if attempt.code is None:
        last = expect.conclusive(attempt.last)
        if attempt.unfinished or last.status >= 500:
            raise Blocked(
                "the login with this resource could not be finished, or ended in a server error", (last.number,)
            )
        return last, (attempt.response.error or "") if attempt.response else ""
    answer = expect.conclusive(await target.tokens.redeem(target.authorization.code_of(attempt), resource=None))
    return answer, answer.error


def _tells(answer: Answer) -> bool:
    return bool(audiences_in(claims_of(answer.member("access_token"))))
