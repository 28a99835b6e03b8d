"""Redirect URIs that the server may register (RFC 9700 section 2.6), and answers to those that it should have refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, check
from oauth_litmus.checks.registration.errors import names_the_fault
from oauth_litmus.client import REDIRECT_URI, Client, Target
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer

STRANGER = "https://evil.example/cb"
LOOPBACK = "http://127.0.0.1:52731/cb"
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
"""URIs that browsers read as loopback, and careless parsers as a foreign host."""
INCOMPLETE = (f"{REDIRECT_URI}#f", "/cb", "", "https://")
WRONGLY_TYPED: tuple[object, ...] = ([], REDIRECT_URI, [REDIRECT_URI, None])
WILDCARDS = {"https://*.example.com/cb": "https://evil.example.com/cb", "https://client.example.com/*": REDIRECT_URI}
"""Patterns, each with a URI that it would match as a wildcard."""


@check("REG-09", needs={DYNAMIC_REGISTRATION})
async def client_without_redirect_uris_cannot_supply_its_own(target: Target) -> None:
    """Register without redirect_uris, with an empty list and with an empty string, then request a code for another URI."""
    document = target.clients.metadata() | {"client_uri": "https://evil.example/"}
    without: dict[str, object] = {name: value for name, value in document.items() if name != "redirect_uris"}
    empty: dict[str, object] = {**without, "redirect_uris": []}

    for registration in (without, empty, {**without, "redirect_uris": [""]}):
        answer = expect.conclusive(await target.clients.register(registration))
        client_id = answer.member("client_id")
        expect.ideally(answer.status < 500, expected="400", got=expect.describe(answer), at=answer)
        if not client_id or answer.status >= 300:
            continue
        request = target.authorization.request(Client(client_id, (REDIRECT_URI,)), redirect_uri=STRANGER)
        for asked in (request, request.but(redirect_uri=None)):
            expect.not_sent_to(
                await target.authorization.attempt(asked), STRANGER, because="the client registered no redirect URI"
            )


@check("REDIR-18", needs={DYNAMIC_REGISTRATION})
async def script_schemes_are_refused(target: Target) -> None:
    """Register one URI with each dangerous scheme. If the server accepts it, request a code for it: nothing may be sent there."""
    for uri in SCRIPTS:
        client = await _registered_with(target, uri)
        if client is None:
            continue
        attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=uri))
        linked = any(link.url.startswith(uri) for page in attempt.pages for link in page.links)
        expect.that(not linked, expected=f"no link to {uri} on a page", got="such a link", at=attempt.answers)
        expect.not_sent_to(attempt, uri, because="a browser would run it or open a file")
        _refused_too_late(uri, attempt.answers)
    await _every_uri_is_validated(target, SCRIPTS[0])


@check("REDIR-19", needs={DYNAMIC_REGISTRATION})
async def plain_http_is_refused(target: Target) -> None:
    """Register plain http URIs on hosts other than loopback. If the server accepts one, request a code for it."""
    if target.server.profile.allow_http_redirects:
        raise NotApplicable("the profile declares allow_http_redirects")

    for uri in PLAIN_HTTP:
        client = await _registered_with(target, uri)
        if client is not None:
            attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=uri))
            expect.not_sent_to(attempt, uri, because="plain http goes to another machine")
            _refused_too_late(uri, attempt.answers)
    await _every_uri_is_validated(target, PLAIN_HTTP[0])


@check("REDIR-28", needs={DYNAMIC_REGISTRATION})
async def loopback_is_read_from_the_host(target: Target) -> None:
    """Register http URIs with a loopback name before the @ and a foreign host. If the server accepts one, request a code for it."""
    if target.server.profile.allow_http_redirects:
        raise NotApplicable("the profile declares allow_http_redirects")
    if await target.clients.with_redirect_uris(LOOPBACK) is None:
        raise NotApplicable("the server registers no loopback redirect URIs")

    for uri in SEEMING_LOOPBACK:
        client = await _registered_with(target, uri)
        if client is not None:
            attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=uri))
            expect.not_sent_to(attempt, uri, because="its host is evil.example")
            _refused_too_late(uri, attempt.answers)
    for uri in LOOPBACK_TO_SOME:
        taken = await _registered_with(target, uri) is not None
        expect.ideally(not taken, expected="a refusal", got=f"a registration of {uri}, on whose host parsers differ")


@check("REDIR-20", needs={DYNAMIC_REGISTRATION})
async def incomplete_uris_are_refused(target: Target) -> None:
    """Register fragments, relative and empty URIs, wrong types, and wildcards. Request codes for URIs that a wildcard would match."""
    for uris in (*([uri] for uri in INCOMPLETE), *WRONGLY_TYPED):
        answer = await _register_twice_after_a_crash(target, target.clients.metadata() | {"redirect_uris": uris})
        said = f"{expect.describe(answer)} for redirect_uris: {json.dumps(uris)}"
        expect.that(answer.status < 500, expected="400", got=f"{said}, twice", at=answer)
        taken = answer.status < 300 and answer.json_object().get("redirect_uris", uris) == uris
        if uris not in WRONGLY_TYPED:
            expect.that(not taken, expected="400 with error=invalid_redirect_uri", got=said, at=answer)
        expect.ideally(not taken, expected="400 with error=invalid_redirect_uri", got=said, at=answer)
        names_the_fault(answer)

    for pattern, matching in WILDCARDS.items():
        client = await _registered_with(target, pattern)
        if client is not None:
            owner = replace(client, redirect_uris=(pattern,))
            attempt = await target.authorization.attempt(target.authorization.request(owner, redirect_uri=matching))
            expect.not_sent_to(attempt, matching, because=f"the registered {pattern} is not a pattern")
            _refused_too_late(pattern, attempt.answers)


async def _every_uri_is_validated(target: Target, uri: str) -> None:
    """Register a bad URI next to a good one: the server must refuse or omit the bad one, or at least send no answer to it."""
    for uris in ([REDIRECT_URI, uri], [uri, REDIRECT_URI]):
        answer = expect.conclusive(await target.clients.register(target.clients.metadata() | {"redirect_uris": uris}))
        registered = answer.json_object().get("redirect_uris")
        if answer.status >= 300 or not answer.member("client_id") or registered == [REDIRECT_URI]:
            continue
        client = Client(answer.member("client_id"), (REDIRECT_URI, uri))
        attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=uri))
        expect.not_sent_to(attempt, uri, because=f"registering it together with {REDIRECT_URI} does not make it safe")
        _refused_too_late(uri, attempt.answers)


async def _register_twice_after_a_crash(target: Target, document: dict[str, object]) -> Answer:
    answer = expect.conclusive(await target.clients.register(document))
    return answer if answer.status < 500 else expect.conclusive(await target.clients.register(document))


async def _registered_with(target: Target, uri: str) -> Client | None:
    """Register a client with only this redirect URI; None if the server refuses the registration or omits the URI."""
    answer = expect.conclusive(await target.clients.register(target.clients.metadata(uri)))
    kept = json.dumps(answer.json_object().get("redirect_uris", [uri]))
    if answer.status >= 300 or json.dumps(uri) not in kept:
        expect.ideally(answer.status < 500, expected="400", got=f"{expect.describe(answer)} for {uri}", at=answer)
        names_the_fault(answer)
        return None
    # The suite does not list the bad URI as the client's own, so that an answer sent to it counts as sent to a stranger.
    return Client(answer.member("client_id"), (REDIRECT_URI,))


def _refused_too_late(uri: str, answers: list[Answer]) -> None:
    got = f"{uri} is registered, and refused only at the authorization endpoint"
    expect.ideally(False, expected="the registration is refused", got=got, at=answers)
