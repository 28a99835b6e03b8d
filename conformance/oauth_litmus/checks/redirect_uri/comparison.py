"""Comparison of redirect URIs as whole, unchanged strings (OAuth 2.1 section 4.1.1; RFC 9700 section 4.1.3)."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from oauth_litmus.check import CONFIDENTIAL_CLIENT, REGISTRATION, check
from oauth_litmus.checks.redirect_uri.probes import (
    SEVERAL,
    STRANGER,
    all_refused,
    at_host,
    client_with_several,
    fragment_counts,
    only_spelled_otherwise,
    web_client,
)
from oauth_litmus.client import REDIRECT_URI, Target

WITH_QUERY = f"{REDIRECT_URI}?tenant=a&y=2"


@check("REDIR-01", needs={REGISTRATION})
async def unregistered_uri_gets_nothing(target: Target) -> None:
    """Send a request with a redirect_uri at a host that is not the client's."""
    client = await web_client(target)

    await all_refused(target, client, [STRANGER], "it is not registered")


@check("REDIR-02", needs={REGISTRATION})
async def path_is_compared_whole(target: Target) -> None:
    """Send requests with a redirect_uri below, beside and above the registered path."""
    client = await web_client(target)
    uri = client.redirect_uri
    origin = uri.removesuffix(urlsplit(uri).path)

    tried = [f"{uri}/evil", f"{uri}evil", f"{uri}.html", f"{origin}/", f"{origin}/other"]
    await all_refused(target, client, tried, "its path is not the registered one")


@check("REDIR-02a", needs={REGISTRATION, CONFIDENTIAL_CLIENT})
async def path_is_compared_whole_for_clients_with_a_secret(target: Target) -> None:
    """As a client with a secret, send requests with a redirect_uri below and above the registered path."""
    client = await web_client(target, await target.clients.of_the_other_kind())
    uri = client.redirect_uri

    tried = [f"{uri}/evil", f"{uri.removesuffix(urlsplit(uri).path)}/"]
    await all_refused(target, client, tried, "its path is not the registered one")


@check("REDIR-03", needs={REGISTRATION})
async def trailing_slash_counts(target: Target) -> None:
    """Add a trailing slash to one registered path, or remove it; then remove the trailing slash of another."""
    client = await web_client(target)

    uri = client.redirect_uri
    await all_refused(target, client, [uri[:-1] if uri.endswith("/") else f"{uri}/"], "it has a slash more or less")
    several = await client_with_several(target)
    await all_refused(target, several, [SEVERAL[0].rstrip("/")], "its trailing slash is missing")


@check("REDIR-04", needs={REGISTRATION})
async def query_is_compared(target: Target) -> None:
    """Add a query to one registered URI; remove, change, reorder and extend the query of another."""
    client = await web_client(target)
    uri = client.redirect_uri

    await all_refused(target, client, [f"{uri}?x=1", f"{uri}?redirect={STRANGER}"], "a query was added", most=1)
    await only_spelled_otherwise(target, client, [f"{uri}?"], as_written=True, most=0)
    with_query = await target.clients.with_redirect_uris(WITH_QUERY)
    if with_query is not None:
        changed = [f"{REDIRECT_URI}?tenant=b&y=2", REDIRECT_URI, f"{REDIRECT_URI}?y=2&tenant=a", f"{WITH_QUERY}&z=1"]
        await all_refused(target, with_query, changed, "its query is not the registered one")


@check("REDIR-05", needs={REGISTRATION})
async def host_is_compared_whole(target: Target) -> None:
    """Send requests for hosts that begin with or end in the registered host, its sub-domain and parent, and with a trailing dot."""
    client = await web_client(target)
    host = urlsplit(client.redirect_uri).netloc
    parent = host.partition(".")[2] or f"a.{host}"

    hosts = (f"{host}.evil.example", f"evil{host}", f"evil.{host}", parent)
    tried = [at_host(other, client) for other in hosts]
    await all_refused(target, client, tried, "its host is not the registered one", most=2)
    await only_spelled_otherwise(target, client, [at_host(f"{host}.", client)], as_written=False, most=0)


@check("REDIR-06", needs={REGISTRATION})
async def authority_is_not_confused(target: Target) -> None:
    """Combine a foreign host with the registered one by @, # and backslashes; then leave out the scheme, and one slash."""
    client = await web_client(target)
    host = urlsplit(client.redirect_uri).netloc

    confusing = [f"{host}@evil.example", f"{host}\\@evil.example", f"evil.example#@{host}", f"{host}:x@evil.example"]
    tried = [at_host(authority, client) for authority in [*confusing, f"evil.example\\.{host}"]]
    await all_refused(target, client, tried, "its host is not the registered one")
    await all_refused(target, client, [client.redirect_uri.removeprefix("https:")], "it has no scheme")
    one_slash = client.redirect_uri.replace("//", "/", 1)
    await only_spelled_otherwise(target, client, [one_slash], as_written=False, most=0)


@check("REDIR-07", needs={REGISTRATION})
async def dot_segments_do_not_leave_the_path(target: Target) -> None:
    """Leave the registered path by dot segments, encoded slashes, a path parameter, and a null character."""
    several = await client_with_several(target)
    uri, folder = SEVERAL[1], SEVERAL[1].removesuffix("/cb")

    below = ["/../evil", "/%2e%2e/evil", "/..%2fevil", "/%252e%252e/evil", ";/../evil", "%00"]
    tried = [*(uri + ending for ending in below), f"{folder}/../evil"]
    await all_refused(target, several, tried, "it resolves to another path", most=2)


@check("REDIR-08", needs={REGISTRATION})
async def nothing_is_normalised(target: Target) -> None:
    """Swap the letter case of the registered path, which makes another address; then spell the registered URI in equivalent ways."""
    client = await web_client(target)
    uri = client.redirect_uri
    host, path = urlsplit(uri).netloc, urlsplit(uri).path

    if path.swapcase() != path:
        await all_refused(target, client, [f"https://{host}{path.swapcase()}"], "paths are case-sensitive")
    encoded = re.sub(r"[a-z]", lambda letter: f"%{ord(letter[0]):02X}", path, count=1)
    spellings = [f"https://{host}/x/..{path}", f"https://{host}{encoded}", f"https://{host}:443{path}"]
    spellings += [f"HTTPS://{host}{path}", f"https://{host.upper()}{path}", f"https://{host}/{path}"]
    different = [spelling for spelling in spellings if spelling != uri]
    await only_spelled_otherwise(target, client, different, as_written=True, most=1)


@check("REDIR-09", needs={REGISTRATION})
async def scheme_and_port_are_compared(target: Target) -> None:
    """Send requests with another scheme, and with another port, of the registered host."""
    client = await web_client(target)
    rest = client.redirect_uri.removeprefix("https")

    tried = [f"http{rest}", at_host(f"{urlsplit(client.redirect_uri).netloc}:8443", client), f"ftp{rest}"]
    await all_refused(target, client, tried, "its scheme or port is not the registered one")


@check("REDIR-10", needs={REGISTRATION})
async def fragment_is_refused(target: Target) -> None:
    """Add a fragment to the registered URI, first as #frag and then as %23frag."""
    client = await web_client(target)

    for variant in (f"{client.redirect_uri}#frag", f"{client.redirect_uri}%23frag"):
        attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=variant))
        fragment_counts(attempt, variant, "frag")
