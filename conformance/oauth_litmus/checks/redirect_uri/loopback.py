"""Loopback redirect URIs of native applications: only the port is free (OAuth 2.1 section 8.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.check import REGISTRATION, check
from oauth_litmus.checks.redirect_uri.probes import all_refused, fragment_counts, only_spelled_otherwise
from oauth_litmus.client import Client, Target
from oauth_litmus.verdict import Blocked, NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.oauth.attempt import Attempt

LOOPBACK = "http://127.0.0.1:52731/cb"
LOOPBACK_WITHOUT_PORT = "http://127.0.0.1/cb"
LOOPBACK_ELSEWHERE = "http://127.0.0.1:51004/cb"
IPV6 = ("http://[::1]/cb", "http://[::1]:52732/cb")
IPV6_ELSEWHERE = "http://[::1]:61023/cb"
LOCALHOST = "http://localhost:3000/cb"


@check("REDIR-11", needs={REGISTRATION}, logins=2)
async def loopback_port_is_free(target: Target) -> None:
    """Register 127.0.0.1 without a port and with one, and send requests that name another port."""
    found = [await target.clients.with_redirect_uris(uri) for uri in (LOOPBACK_WITHOUT_PORT, LOOPBACK)]
    clients = [client for client in found if client is not None]
    if not clients:
        raise NotApplicable("the server registers no loopback redirect URIs")
    for client in clients:
        await target.authorization.control(target.authorization.request(client))

    attempts = [await _answer_at(target, client, LOOPBACK_ELSEWHERE) for client in clients]

    seen = [expect.conclusive(attempt.last) for attempt in attempts if _is_refused(attempt)]
    for client, attempt in zip(clients, attempts, strict=True):
        if _is_refused(attempt):
            await _registered_uri_works(target, client)
    expected = f"an answer at {LOOPBACK_ELSEWHERE}"
    expect.that(len(seen) < len(clients), expected=expected, got="the port is refused", at=seen)
    expect.ideally(not seen, expected=expected, got="the port is refused for one of the two registrations", at=seen)
    for attempt in attempts:
        landed = attempt.response.location if attempt.response else LOOPBACK_ELSEWHERE
        rightly = landed.startswith(LOOPBACK_ELSEWHERE)
        expect.that(rightly, expected=expected, got="the answer goes to the registered port", at=attempt.answers)


@check("REDIR-12", needs={REGISTRATION}, logins=1)
async def ipv6_loopback_port_is_free(target: Target) -> None:
    """Register [::1] without a port and with one, and send a request that names another port."""
    if await _registers_no_loopback(target):
        raise NotApplicable("the server registers no loopback redirect URIs")
    client = await target.clients.with_redirect_uris(*IPV6)
    if client is None:
        expect.ideally(False, expected="http://[::1] can be registered, like http://127.0.0.1", got="it cannot")
        return
    await target.authorization.control(target.authorization.request(client))

    attempt = await _answer_at(target, client, IPV6_ELSEWHERE)

    expected, got = f"an answer at {IPV6_ELSEWHERE}", expect.describe(expect.conclusive(attempt.last))
    refused = _is_refused(attempt)
    if refused:
        await _registered_uri_works(target, client)
    expect.that(not refused, expected=expected, got=f"the port is refused: {got}", at=attempt.answers)
    landed = attempt.response.location if attempt.response else IPV6_ELSEWHERE
    rightly = landed.startswith(IPV6_ELSEWHERE)
    expect.that(rightly, expected=expected, got="the answer goes to a registered port", at=attempt.answers)


@check("REDIR-13", needs={REGISTRATION})
async def only_the_loopback_port_is_free(target: Target) -> None:
    """Change the scheme, host, path or query of a loopback redirect URI, make its port invalid, or add a fragment."""
    client = await target.clients.with_redirect_uris(LOOPBACK)
    if client is None:
        raise NotApplicable("the server registers no loopback redirect URIs")
    await target.authorization.control(target.authorization.request(client))
    authority = urlsplit(LOOPBACK).netloc
    port = authority.partition(":")[2]

    tried = [f"http://{authority}@evil.example/cb", f"http://{authority}/evil"]
    tried += [f"http://127.0.0.1.evil.example:{port}/cb", f"{LOOPBACK}?x=1"]
    await all_refused(target, client, tried, "only the port is free")
    hosts = ["localhost", "127.0.0.2", "2130706433", "0x7f.1", "[::1]", "user@127.0.0.1"]
    ports = ["127.0.0.1:abc", "127.0.0.1:99999", f"{authority}.evil.example"]
    spellings = [*(f"http://{host}:{port}/cb" for host in hosts), *(f"http://{other}/cb" for other in ports)]
    await only_spelled_otherwise(target, client, [*spellings, f"https://{authority}/cb"], as_written=True, most=1)
    with_fragment = f"{LOOPBACK}#frag"
    attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=with_fragment))
    fragment_counts(attempt, with_fragment, "frag")


@check("REDIR-14", needs={REGISTRATION})
async def only_localhost_is_localhost(target: Target) -> None:
    """Register the name localhost, and send requests for hosts that begin with localhost, or have it before an @."""
    client = await target.clients.with_redirect_uris(LOCALHOST)
    if client is None:
        raise NotApplicable("the server does not register the name localhost, and need not")
    await target.authorization.control(target.authorization.request(client))

    for port in (urlsplit(LOCALHOST).port, 51004):
        hosts = [f"localhost.evil.example:{port}", f"localhost:{port}@evil.example", f"localhost:{port}.evil.example"]
        await all_refused(target, client, [f"http://{host}/cb" for host in hosts], "its host is not localhost")


async def _answer_at(target: Target, client: Client, uri: str) -> Attempt:
    request = target.authorization.request(client, redirect_uri=uri).landing_at(uri)
    attempt = await target.authorization.attempt(request)
    if attempt.unfinished:
        # If the suite cannot finish the login, an error response shows where the server sends responses.
        refusal = await target.authorization.attempt(request.but(response_type="bogus"))
        attempt.response = refusal.response
    return attempt


def _is_refused(attempt: Attempt) -> bool:
    """Whether the server refuses the request, by an error page or by an error response."""
    return not attempt.unfinished and (attempt.response is None or attempt.response.error is not None)


async def _registered_uri_works(target: Target, client: Client) -> None:
    """Run the positive control of a refusal, which may have come late in the login.

    Raises:
        Blocked: the server also refuses a login for the registered redirect URI.
    """
    attempt = await _answer_at(target, client, client.redirect_uri)
    if _is_refused(attempt):
        raise Blocked("set-up: a login for the registered redirect URI is refused too", (attempt.last.number,))


async def _registers_no_loopback(target: Target) -> bool:
    return all([await target.clients.with_redirect_uris(uri) is None for uri in (LOOPBACK_WITHOUT_PORT, LOOPBACK)])
