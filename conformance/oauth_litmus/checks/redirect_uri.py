"""Redirect URIs at the authorization and token endpoints (OAuth 2.1 sections 2.3 and 4.1.1; RFC 9700 section 4.1)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, LOGIN, REGISTRATION, check
from oauth_litmus.client import REDIRECT_URI, Client, Target
from oauth_litmus.verdict import NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauth_litmus.authorization import Attempt, AuthorizationRequest

STRANGER = "https://evil.example/cb"
SEVERAL = ("https://client.example.com/cb2/", "https://client.example.com/app/cb")
WITH_QUERY = f"{REDIRECT_URI}?tenant=a&y=2"
LOOPBACK = "http://127.0.0.1:52731/cb"
LOOPBACK_WITHOUT_PORT = "http://127.0.0.1/cb"
LOOPBACK_ELSEWHERE = "http://127.0.0.1:51004/cb"


@check("REDIR-01", needs={REGISTRATION})
async def unregistered_uri_gets_nothing(target: Target) -> None:
    """Ask for an answer at a host that has nothing to do with the client."""
    client = await _web_client(target)

    await _all_refused(target, client, [STRANGER], "it is not registered")


@check("REDIR-02", needs={REGISTRATION})
async def path_is_compared_whole(target: Target) -> None:
    """Ask for an answer below, beside and above the registered path."""
    client = await _web_client(target)
    uri = client.redirect_uri
    origin = uri.removesuffix(urlsplit(uri).path)

    tried = [f"{uri}/evil", f"{uri}evil", f"{uri}.html", f"{origin}/", f"{origin}/other"]
    await _all_refused(target, client, tried, "its path is not the registered one")


@check("REDIR-03", needs={DYNAMIC_REGISTRATION})
async def trailing_slash_counts(target: Target) -> None:
    """Add a slash to a registered path, and leave out that of another."""
    client, several = await _web_client(target), await _several(target)

    uri = client.redirect_uri
    await _all_refused(target, client, [uri[:-1] if uri.endswith("/") else f"{uri}/"], "a slash more or less counts")
    await _all_refused(target, several, [SEVERAL[0].rstrip("/")], "the slash at its end is missing")


@check("REDIR-04", needs={DYNAMIC_REGISTRATION})
async def query_is_compared(target: Target) -> None:
    """Add a query to a registered URI; remove, change and reorder that of another."""
    client = await _web_client(target)
    uri = client.redirect_uri
    with_query = await target.client_with(WITH_QUERY)

    await _all_refused(target, client, [f"{uri}?x=1", f"{uri}?redirect={STRANGER}"], "a query was added")
    await _only_spelled_otherwise(target, client, [f"{uri}?"], as_written=True)
    if with_query is not None:
        changed = [REDIRECT_URI, f"{REDIRECT_URI}?tenant=b&y=2", f"{REDIRECT_URI}?y=2&tenant=a"]
        await _all_refused(target, with_query, changed, "its query is not the registered one")


@check("REDIR-05", needs={REGISTRATION})
async def host_is_compared_whole(target: Target) -> None:
    """Ask for an answer at hosts that contain, begin with, or end in the registered one."""
    client = await _web_client(target)
    host = urlsplit(client.redirect_uri).netloc
    parent = host.partition(".")[2] or f"a.{host}"

    for other in (f"evil.{host}", f"{host}.evil.example", f"evil{host}", parent):
        await _all_refused(target, client, [_at(other, client)], "its host is not the registered one")
    await _only_spelled_otherwise(target, client, [_at(f"{host}.", client)], as_written=False)


@check("REDIR-06", needs={REGISTRATION})
async def authority_is_not_confused(target: Target) -> None:
    """Put the registered host where a careless reader takes it for the host."""
    client = await _web_client(target)
    host = urlsplit(client.redirect_uri).netloc

    confusing = [f"{host}@evil.example", f"{host}:x@evil.example", f"evil.example#@{host}", f"{host}\\@evil.example"]
    for authority in [*confusing, f"evil.example\\.{host}"]:
        await _all_refused(target, client, [_at(authority, client)], "its host is not the registered one")
    await _all_refused(target, client, [client.redirect_uri.removeprefix("https:")], "it has no scheme")
    await _only_spelled_otherwise(target, client, [client.redirect_uri.replace("//", "/", 1)], as_written=False)


@check("REDIR-07", needs={DYNAMIC_REGISTRATION})
async def dot_segments_do_not_escape(target: Target) -> None:
    """Lead out of the registered path by dot segments, encoded slashes, path parameters, and a null character."""
    several = await _several(target)
    uri, folder = SEVERAL[1], SEVERAL[1].removesuffix("/cb")

    below = ["/../evil", "/%2e%2e/evil", "/..%2fevil", "/%252e%252e/evil", ";/../evil", "%00"]
    tried = [*(uri + ending for ending in below), f"{folder}/../evil"]
    await _all_refused(target, several, tried, "it resolves to another path")


@check("REDIR-08", needs={REGISTRATION})
async def nothing_is_normalised(target: Target) -> None:
    """Spell the registered URI in other, equivalent ways; then its path in capitals, which is another address."""
    client = await _web_client(target)
    uri = client.redirect_uri
    host, path = urlsplit(uri).netloc, urlsplit(uri).path

    if path.swapcase() != path:
        await _all_refused(target, client, [f"https://{host}{path.swapcase()}"], "letter case counts in paths")
    encoded = re.sub(r"[a-z]", lambda letter: f"%{ord(letter[0]):02X}", path, count=1)
    spellings = [f"HTTPS://{host}{path}", f"https://{host.upper()}{path}", f"https://{host}:443{path}"]
    spellings += [f"https://{host}/x/..{path}", f"https://{host}{encoded}"]
    different = [spelling for spelling in spellings if spelling != uri]
    await _only_spelled_otherwise(target, client, different, as_written=True)


@check("REDIR-09", needs={REGISTRATION})
async def scheme_and_port_are_compared(target: Target) -> None:
    """Ask for an answer at another scheme and at another port of the registered host."""
    client = await _web_client(target)
    rest = client.redirect_uri.removeprefix("https")

    tried = [f"http{rest}", f"ftp{rest}", _at(f"{urlsplit(client.redirect_uri).netloc}:8443", client)]
    await _all_refused(target, client, tried, "its scheme or port is not the registered one")


@check("REDIR-10", needs={REGISTRATION})
async def fragment_is_refused(target: Target) -> None:
    """Add a fragment to the registered URI, encoded once and twice."""
    client = await _web_client(target)

    for variant in (f"{client.redirect_uri}#frag", f"{client.redirect_uri}%23frag"):
        attempt = await target.attempt(target.request(client, redirect_uri=variant))
        landed = attempt.response.location if attempt.response else ""
        if attempt.code is not None and landed and "frag" not in landed:
            expect.ideally(False, expected="an error page", got="the fragment is silently removed", at=attempt.answers)
        else:
            expect.not_sent_to(attempt, variant, because="a redirect URI has no fragment")


@check("REDIR-11", needs={DYNAMIC_REGISTRATION}, logins=2)
async def loopback_port_is_free(target: Target) -> None:
    """Register 127.0.0.1 without a port and with one, and ask for the answer at another port."""
    found = [await target.client_with(uri) for uri in (LOOPBACK_WITHOUT_PORT, LOOPBACK)]
    clients = [client for client in found if client is not None]
    if not clients:
        raise NotApplicable("the server registers no loopback redirect URIs")

    attempts = [await _answer_at(target, client, LOOPBACK_ELSEWHERE) for client in clients]

    refusals = [attempt for attempt in attempts if attempt.response is None and not attempt.unfinished]
    seen = [expect.conclusive(attempt.last) for attempt in refusals]
    expected = f"an answer at {LOOPBACK_ELSEWHERE}"
    expect.that(len(seen) < len(clients), expected=expected, got="the port is refused", at=seen)
    expect.ideally(not seen, expected=expected, got="the port is refused to one form of registration", at=seen)
    for attempt in attempts:
        landed = attempt.response.location if attempt.response else LOOPBACK_ELSEWHERE
        rightly = landed.startswith(LOOPBACK_ELSEWHERE)
        expect.that(rightly, expected=expected, got="the answer goes to the registered port", at=attempt.answers)


@check("REDIR-13", needs={DYNAMIC_REGISTRATION})
async def only_the_loopback_port_is_free(target: Target) -> None:
    """Change everything but the port of a loopback redirect URI."""
    client = await target.client_with(LOOPBACK)
    if client is None:
        raise NotApplicable("the server registers no loopback redirect URIs")
    await target.control(target.request(client))
    place = urlsplit(LOOPBACK).netloc
    port = place.partition(":")[2]

    elsewhere = [f"http://127.0.0.1.evil.example:{port}/cb", f"http://{place}@evil.example/cb"]
    paths = [f"http://{place}/evil", f"{LOOPBACK}?x=1"]
    await _all_refused(target, client, [*paths, *elsewhere], "nothing but the port is free")
    hosts = ["localhost", "127.0.0.2", "2130706433", "0x7f.1", "[::1]", "user@127.0.0.1"]
    ports = ["127.0.0.1:abc", "127.0.0.1:99999", f"{place}.evil.example"]
    spellings = [*(f"http://{host}:{port}/cb" for host in hosts), *(f"http://{authority}/cb" for authority in ports)]
    await _only_spelled_otherwise(target, client, [*spellings, f"https://{place}/cb"], as_written=True)


@check("REDIR-15", needs={DYNAMIC_REGISTRATION}, logins=1)
async def default_needs_a_single_uri(target: Target) -> None:
    """Leave redirect_uri out, for a client with two redirect URIs and for one with a single one."""
    client, several = await target.client(), await _several(target)

    ambiguous = await target.attempt(target.request(several).but(redirect_uri=None))
    for uri in SEVERAL:
        expect.not_sent_to(ambiguous, uri, because="two redirect URIs are registered and the request names none")

    if len(client.redirect_uris) == 1:
        attempt = await target.attempt(target.request(client).but(redirect_uri=None))
        goes_on = attempt.response is not None or attempt.unfinished
        got = expect.describe(expect.conclusive(attempt.last))
        expect.ideally(goes_on, expected="the only registered URI is the default", got=got, at=attempt.last)


@check("REDIR-16", needs={LOGIN, DYNAMIC_REGISTRATION}, logins=3)
async def token_request_is_held_to_its_redirect_uri(target: Target) -> None:
    """Redeem three codes: with the redirect_uri of the request, with the client's other one, and with none."""
    client = await _several(target)
    same, other, none = [await target.login(request=target.request(client)) for _ in range(3)]

    expect.tokens(await target.redeem(same), expected="tokens for the redirect_uri of the authorization request")

    answer = await target.redeem(other, redirect_uri=SEVERAL[1])
    if target.server.profile.oauth21_clients_only:
        enforced = not expect.conclusive(answer).has_tokens
        expect.ideally(enforced, expected="invalid_grant", got="another redirect_uri is ignored", at=answer)
    else:
        expect.refused_grant(answer, because="redirect_uri is not the one of the authorization request")

    answer = expect.conclusive(await target.redeem(none, redirect_uri=None))
    optional = "tokens: OAuth 2.1 clients do not send redirect_uri"
    expect.ideally(answer.has_tokens, expected=optional, got=expect.describe(answer), at=answer)


@check("REDIR-23", needs={REGISTRATION})
async def other_defects_do_not_bypass_the_proof(target: Target) -> None:
    """Combine a foreign redirect_uri with everything that may lead to an error redirect of its own."""
    client = await _web_client(target)
    request = target.request(client, redirect_uri=STRANGER)

    for what, deviating in _deviations(request).items():
        attempt = await target.attempt(deviating)
        expect.nothing_sent_to(attempt, STRANGER, because=f"it is not registered, also if the request has {what}")


def _deviations(request: AuthorizationRequest) -> dict[str, AuthorizationRequest]:
    return {
        "response_type=token": request.but(response_type="token"),
        "response_type=bogus": request.but(response_type="bogus"),
        "a hybrid response_type": request.but(response_type="code id_token"),
        "no response_type": request.but(response_type=None),
        "an unknown scope": request.but(scope="no-such-scope"),
        "no code_challenge": request.but(code_challenge=None, code_challenge_method=None),
        "two states": request.adding(("state", "another-state")),
        "a request object": request.but(request="xx"),
        "response_mode=fragment": request.but(response_mode="fragment"),
        "prompt=none": request.but(prompt="none"),
    }


async def _web_client(target: Target) -> Client:
    client = await target.client()
    parts = urlsplit(client.redirect_uri)
    if parts.scheme != "https" or parts.query or parts.netloc != parts.hostname or not parts.path.strip("/"):
        raise Skipped("needs a first client with an https redirect URI that has a path, no port and no query")
    await target.control(target.request(client))
    return client


async def _several(target: Target) -> Client:
    client = await target.client_with(*SEVERAL)
    if client is None:
        raise NotApplicable("the server registers no client with two redirect URIs")
    for uri in SEVERAL:
        await target.control(target.request(client, redirect_uri=uri))
    return client


def _at(authority: str, client: Client) -> str:
    return f"https://{authority}{urlsplit(client.redirect_uri).path}"


async def _all_refused(target: Target, client: Client, variants: Iterable[str], because: str) -> None:
    for variant in variants:
        attempt = await target.attempt(target.request(client, redirect_uri=variant))
        expect.not_sent_to(attempt, variant, because=because)


async def _only_spelled_otherwise(target: Target, client: Client, variants: Iterable[str], *, as_written: bool) -> None:
    """Spellings of the registered URI: a WARN if the answer goes there, or (as_written) to the spelling itself."""
    for variant in variants:
        attempt = await target.attempt(target.request(client, redirect_uri=variant))
        to_the_spelling = as_written and (attempt.left_for or "").lower().startswith(variant.lower())
        if attempt.unfinished or (attempt.code is not None and (attempt.response is not None or to_the_spelling)):
            got = f"{variant} is taken for {client.redirect_uri}"
            expect.ideally(False, expected="a refusal: the strings differ", got=got, at=attempt.answers)
        else:
            expect.not_sent_to(attempt, variant, because="the strings differ")


async def _answer_at(target: Target, client: Client, uri: str) -> Attempt:
    request = target.request(client, redirect_uri=uri).landing_at(uri)
    attempt = await target.attempt(request)
    if not attempt.unfinished:
        return attempt
    # Without a login, an error tells where answers go.
    refusal = await target.attempt(request.but(response_type="bogus"))
    return refusal if refusal.response is not None else attempt
