"""Dynamic client registration (RFC 7591), and which redirect URIs it takes (RFC 9700 section 2.6)."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, DYNAMIC_REGISTRATION, LOGIN, check
from oauth_litmus.client import REDIRECT_URI, Client, Target
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.answer import Answer
    from oauth_litmus.clients import AuthMethod

STRANGER = "https://evil.example/cb"
LOOPBACK = "http://127.0.0.1:52731/cb"
MIN_SECRET_CHARACTERS = 22
"""Base64url characters that hold 128 bits."""
SEQUENCE_STEP = 1000
METADATA_ERRORS = ("invalid_redirect_uri", "invalid_client_metadata")
SCRIPTS = (
    "javascript:alert(1)",
    "javascript://client.example.com/%0aalert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "JaVaScRiPt:x",
)
PLAIN_HTTP = (
    "http://client.example.com/cb",
    "http://192.168.1.5/cb",
    "http://127.0.0.1.nip.example/cb",
    "http://localhost.evil.example/cb",
)
SEEMING_LOOPBACK = (
    "http://localhost:80@evil.example/cb",
    "http://127.0.0.1:3000@evil.example/cb",
    "http://localhost%2f@evil.example/cb",
    "http://[::1]@evil.example/cb",
)
LOOPBACK_TO_SOME = ("http://127.0.0.1\\@evil.example/cb", "http://localhost#@evil.example/cb")
"""Read by browsers as loopback, and by careless parsers as a foreign host."""
INCOMPLETE = (f"{REDIRECT_URI}#f", "/cb", "", "https://")
WRONGLY_TYPED: tuple[object, ...] = ([], REDIRECT_URI, [REDIRECT_URI, None])
WILDCARDS = {"https://*.example.com/cb": "https://evil.example.com/cb", "https://client.example.com/*": REDIRECT_URI}
"""Patterns, each with a URI that it would match."""


@check("REG-01", needs={DYNAMIC_REGISTRATION})
async def registration_brings_a_client(target: Target) -> None:
    """Register two public clients with different redirect URIs."""
    uris = (f"{REDIRECT_URI}/one", f"{REDIRECT_URI}/two")

    answers = [expect.conclusive(await target.register(target.metadata(uri))) for uri in uris]

    for uri, answer in zip(uris, answers, strict=True):
        said = expect.describe(answer)
        expect.that(answer.status < 300, expected="201 with a client_id", got=said, at=answer)
        expect.that(bool(answer.member("client_id")), expected="a client_id", got=f"{said} without one", at=answer)
        registered = answer.json_object().get("redirect_uris")
        got = f"redirect_uris: {registered}"
        expect.that(registered == [uri], expected=f"redirect_uris as registered: {[uri]}", got=got, at=answer)
        expect.ideally(answer.status == 201, expected="201 Created", got=said, at=answer)
        public = answer.json_object().get("token_endpoint_auth_method") == "none"
        useless = "a client_secret for a client that authenticates by none"
        secret = public and bool(answer.member("client_secret"))
        expect.ideally(not secret, expected="no client_secret", got=useless, at=answer)
    distinct = len({answer.member("client_id") for answer in answers}) == len(answers)
    expect.that(distinct, expected="two clients", got="one client_id for both", at=answers)


@check("REG-03", needs={DYNAMIC_REGISTRATION, CONFIDENTIAL_CLIENT})
async def secrets_are_not_stored_or_guessable(target: Target) -> None:
    """Register three confidential clients and a public one, and look at secrets, ids and Cache-Control."""
    post = target.server.confidential_method == "client_secret_post"
    method: AuthMethod = "client_secret_post" if post else "client_secret_basic"
    uris = [f"{REDIRECT_URI}/{number}" for number in range(3)]

    answers = [await target.register(target.metadata(uri, auth_method=method)) for uri in uris]

    for uri, answer in zip(uris, answers, strict=True):
        target.client_of(answer, uri, auth_method=method)
        expect.that(_is_never_stored(answer), expected="Cache-Control: no-store", got=_cache_control(answer), at=answer)
    given = [answer.member("client_secret") for answer in answers]
    shortest = min(len(secret) for secret in given)
    expected = f"secrets of at least {MIN_SECRET_CHARACTERS} characters (128 bits)"
    expect.that(shortest >= MIN_SECRET_CHARACTERS, expected=expected, got=f"one of {shortest}", at=answers)
    expect.that(len(set(given)) == len(given), expected="a secret of its own for each", got="a repetition", at=answers)
    public = expect.conclusive(await target.register(target.metadata(REDIRECT_URI)))
    expect.ideally(_is_never_stored(public), expected="no-store", got=_cache_control(public), at=public)
    counted = _counts_upwards([answer.member("client_id") for answer in answers])
    expect.ideally(not counted, expected="client_ids without an order", got="they count upwards", at=answers)


@check("REG-04", needs={LOGIN, DYNAMIC_REGISTRATION, CONFIDENTIAL_CLIENT}, logins=4)
async def secret_is_enforced(target: Target) -> None:
    """As a confidential client, redeem and refresh without the secret, with a wrong one, and with the right one."""
    client = await target.confidential_client()
    impostors = {
        "the client_secret is missing": replace(client, auth_method="none", client_secret=None),
        "the client_secret is wrong": replace(client, client_secret=f"not-{client.client_secret}"),
    }

    for because, impostor in impostors.items():
        _not_authenticated(await target.redeem(await target.login(client), client=impostor), because)
    answer = await target.redeem(await target.login(client))
    expect.tokens(answer, expected="tokens for the right client_secret")
    tokens = target.tokens_of(answer, client, None)
    if tokens.refresh_token is not None:
        for because, impostor in impostors.items():
            _not_authenticated(await target.refresh(tokens, client=impostor), because)

    if client.auth_method == "client_secret_post":
        basic = replace(client, auth_method="client_secret_basic")
        answer = expect.conclusive(await target.redeem(await target.login(client), client=basic))
        got = "client_secret_basic works too"
        expect.ideally(not answer.has_tokens, expected="only client_secret_post", got=got, at=answer)


@check("REG-09", needs={DYNAMIC_REGISTRATION})
async def client_without_uris_cannot_bring_its_own(target: Target) -> None:
    """Register without redirect_uris, with an empty list and with an empty string; then ask for an answer elsewhere."""
    document = target.metadata() | {"client_uri": "https://evil.example/"}
    without: dict[str, object] = {name: value for name, value in document.items() if name != "redirect_uris"}
    empty: dict[str, object] = {**without, "redirect_uris": []}

    for registration in (without, empty, {**without, "redirect_uris": [""]}):
        answer = expect.conclusive(await target.register(registration))
        client_id = answer.member("client_id")
        expect.ideally(answer.status < 500, expected="a 400", got=expect.describe(answer), at=answer)
        if not client_id or answer.status >= 300:
            continue
        request = target.request(Client(client_id, (REDIRECT_URI,)), redirect_uri=STRANGER)
        for asked in (request, request.but(redirect_uri=None)):
            expect.not_sent_to(await target.attempt(asked), STRANGER, because="the client registered no redirect URI")


@check("REDIR-18", needs={DYNAMIC_REGISTRATION})
async def script_schemes_are_refused(target: Target) -> None:
    """Register each dangerous scheme alone; where that is taken, ask for an answer there."""
    for uri in SCRIPTS:
        client = await _registered(target, uri)
        if client is None:
            continue
        attempt = await target.attempt(target.request(client, redirect_uri=uri))
        linked = any(link.url.startswith(uri) for page in attempt.pages for link in page.links)
        expect.that(not linked, expected="no link", got=f"a link to {uri}", at=attempt.answers)
        expect.not_sent_to(attempt, uri, because="a browser would run it or open a file")
        _only_the_registration_takes(uri, attempt.answers)


@check("REDIR-19", needs={DYNAMIC_REGISTRATION})
async def plain_http_is_refused(target: Target) -> None:
    """Register plain http on hosts that are not loopback; where that is taken, ask for an answer there."""
    if target.server.profile.allow_http_redirects:
        raise NotApplicable("the profile declares allow_http_redirects")

    for uri in PLAIN_HTTP:
        client = await _registered(target, uri)
        if client is not None:
            attempt = await target.attempt(target.request(client, redirect_uri=uri))
            expect.not_sent_to(attempt, uri, because="plain http goes to another machine")
            _only_the_registration_takes(uri, attempt.answers)


@check("REDIR-28", needs={DYNAMIC_REGISTRATION})
async def loopback_is_read_from_the_host(target: Target) -> None:
    """Register loopback names in front of a foreign host; where that is taken, ask for an answer there."""
    if target.server.profile.allow_http_redirects:
        raise NotApplicable("the profile declares allow_http_redirects")
    if await target.client_with(LOOPBACK) is None:
        raise NotApplicable("the server registers no loopback redirect URIs")

    for uri in SEEMING_LOOPBACK:
        client = await _registered(target, uri)
        if client is not None:
            attempt = await target.attempt(target.request(client, redirect_uri=uri))
            expect.not_sent_to(attempt, uri, because="its host is evil.example")
            _only_the_registration_takes(uri, attempt.answers)
    for uri in LOOPBACK_TO_SOME:
        taken = await _registered(target, uri) is not None
        expect.ideally(not taken, expected="a refusal", got=f"{uri} is registered, and parsers differ on its host")


@check("REDIR-20", needs={DYNAMIC_REGISTRATION})
async def incomplete_uris_are_refused(target: Target) -> None:
    """Register fragments, relative and empty URIs, wrong types, and wildcards; ask where a wildcard would match."""
    for uris in (*([uri] for uri in INCOMPLETE), *WRONGLY_TYPED):
        answer = await _register_twice_after_a_crash(target, target.metadata() | {"redirect_uris": uris})
        said = f"{expect.describe(answer)} for redirect_uris: {json.dumps(uris)}"
        expect.that(answer.status < 500, expected="400", got=f"{said}, twice", at=answer)
        taken = answer.status < 300 and answer.json_object().get("redirect_uris", uris) == uris
        if uris not in WRONGLY_TYPED:
            expect.that(not taken, expected="400 with error=invalid_redirect_uri", got=said, at=answer)
        expect.ideally(not taken, expected="400 with error=invalid_redirect_uri", got=said, at=answer)
        _names_the_fault(answer)

    for pattern, matching in WILDCARDS.items():
        client = await _registered(target, pattern)
        if client is not None:
            nobody = replace(client, redirect_uris=(pattern,))
            attempt = await target.attempt(target.request(nobody, redirect_uri=matching))
            expect.not_sent_to(attempt, matching, because=f"{pattern} is no pattern")
            _only_the_registration_takes(pattern, attempt.answers)


async def _register_twice_after_a_crash(target: Target, document: dict[str, object]) -> Answer:
    answer = expect.conclusive(await target.register(document))
    return answer if answer.status < 500 else expect.conclusive(await target.register(document))


async def _registered(target: Target, uri: str) -> Client | None:
    """The client with this redirect URI alone; None if the server refuses it, or leaves the URI out."""
    answer = expect.conclusive(await target.register(target.metadata(uri)))
    kept = json.dumps(answer.json_object().get("redirect_uris", [uri]))
    if answer.status >= 300 or json.dumps(uri) not in kept:
        expect.ideally(answer.status < 500, expected="400", got=f"{expect.describe(answer)} for {uri}", at=answer)
        _names_the_fault(answer)
        return None
    # What the server took is not where an answer may go: the attempt shows whether it goes there.
    return Client(answer.member("client_id"), (REDIRECT_URI,))


def _names_the_fault(answer: Answer) -> None:
    if answer.status >= 300:
        precise, expected = answer.error in METADATA_ERRORS, f"400 with error={METADATA_ERRORS[0]}"
        expect.ideally(precise, expected=expected, got=expect.describe(answer), at=answer)


def _only_the_registration_takes(uri: str, answers: list[Answer]) -> None:
    got = f"{uri} is registered, and refused only when it is used"
    expect.ideally(False, expected="a refusal of the registration", got=got, at=answers)


def _not_authenticated(answer: Answer, because: str) -> None:
    wrong = because.endswith("wrong")
    codes = ("invalid_client",) if wrong else ("invalid_client", "invalid_request", "unauthorized_client")
    expect.refused_grant(answer, *codes, because=because, steering=wrong)


def _cache_control(answer: Answer) -> str:
    return f"Cache-Control: {answer.headers.get('cache-control', 'none')}"


def _is_never_stored(answer: Answer) -> bool:
    directives = answer.headers.get("cache-control", "").lower().split(",")
    return "no-store" in (directive.strip() for directive in directives)


def _counts_upwards(identifiers: list[str]) -> bool:
    if not all(identifier.isascii() and identifier.isdigit() for identifier in identifiers):
        return False
    numbers = [int(identifier) for identifier in identifiers]
    return all(0 < later - earlier < SEQUENCE_STEP for earlier, later in pairwise(numbers))
