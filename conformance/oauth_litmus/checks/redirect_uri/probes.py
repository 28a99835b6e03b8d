"""Clients whose redirect URIs can be varied, and what becomes of requests for a variant."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.verdict import NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauth_litmus.client import Client, Target
    from oauth_litmus.oauth.authorization import Attempt

STRANGER = "https://evil.example/cb"
SEVERAL = ("https://client.example.com/cb2/", "https://client.example.com/app/cb")


async def web_client(target: Target, client: Client | None = None) -> Client:
    """The shared client or this one, whose https redirect URI has a path, no port and no query; it was seen not to be refused.

    Raises:
        Skipped: the configured one has another.
    """
    client = client or await target.clients.shared()
    parts = urlsplit(client.redirect_uri)
    if parts.scheme != "https" or parts.query or parts.netloc != parts.hostname or not parts.path.strip("/"):
        raise Skipped(
            "needs a first client of its kind with an https redirect URI that has a path, no port and no query"
        )
    await target.authorization.control(target.authorization.request(client))
    return client


async def client_with_several(target: Target) -> Client:
    """A client with two redirect URIs, neither of which is refused.

    Raises:
        NotApplicable: the server registers none.
    """
    client = await target.clients.with_redirect_uris(*SEVERAL)
    if client is None:
        raise NotApplicable("the server registers no client with two redirect URIs")
    for uri in SEVERAL:
        await target.authorization.control(target.authorization.request(client, redirect_uri=uri))
    return client


def at_host(authority: str, client: Client) -> str:
    """The client's redirect URI with another authority."""
    return f"https://{authority}{urlsplit(client.redirect_uri).path}"


async def all_refused(target: Target, client: Client, variants: Iterable[str], because: str, *, most: int = 2) -> None:
    """Nothing is sent to any of these variants of the registered URI; `most` as for `sample`."""
    for variant in target.limit_probes(variants, most):
        attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=variant))
        expect.not_sent_to(attempt, variant, because=because)


def fragment_counts(attempt: Attempt, variant: str, fragment: str) -> None:
    """What became of a redirect URI with a fragment: a WARN if it is silently removed."""
    landed = attempt.response.location if attempt.response else ""
    if attempt.code is not None and landed and fragment not in landed:
        expect.ideally(False, expected="an error page", got="the fragment is silently removed", at=attempt.answers)
    else:
        expect.not_sent_to(attempt, variant, because="a redirect URI has no fragment")


async def only_spelled_otherwise(
    target: Target, client: Client, variants: Iterable[str], *, as_written: bool, most: int = 2
) -> None:
    """Spellings of the registered URI: a WARN if the answer goes there, or (as_written) to the spelling itself."""
    for variant in target.limit_probes(variants, most):
        attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=variant))
        is_only_spelled_otherwise(attempt, variant, as_written=as_written)


def is_only_spelled_otherwise(attempt: Attempt, variant: str, *, as_written: bool) -> None:
    """What became of one such spelling."""
    to_the_spelling = as_written and (attempt.left_for or "").lower().startswith(variant.lower())
    to_the_registered = attempt.code is not None and attempt.response is not None
    if attempt.unfinished or to_the_registered or to_the_spelling:
        got = f"{variant} is taken for {attempt.request.client.redirect_uri}"
        expect.ideally(False, expected="a refusal: the strings differ", got=got, at=attempt.answers)
    else:
        expect.not_sent_to(attempt, variant, because="the strings differ")
