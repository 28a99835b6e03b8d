"""Clients whose redirect URIs can be varied, and judgements of requests with a variant."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.verdict import NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauth_litmus.client import Client, Target
    from oauth_litmus.oauth.attempt import Attempt

STRANGER = "https://evil.example/cb"
SEVERAL = ("https://client.example.com/cb2/", "https://client.example.com/app/cb")


async def web_client(target: Target, client: Client | None = None) -> Client:
    """Return `client`, or else the shared client, after a positive control of its redirect URI.

    The redirect URI has the scheme https, a path, no port and no query.

    Raises:
        Skipped: the configured client has another kind of redirect URI.
    """
    client = client or await target.clients.shared()
    parts = urlsplit(client.redirect_uri)
    if parts.scheme != "https" or parts.query or parts.netloc != parts.hostname or not parts.path.strip("/"):
        raise Skipped(
            "the first configured client of its kind needs an https redirect URI with a path, without port and query"
        )
    await target.authorization.control(target.authorization.request(client))
    return client


async def client_with_several(target: Target) -> Client:
    """Return a client with two redirect URIs, after a positive control of both.

    Raises:
        NotApplicable: the server registers no client with two redirect URIs.
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
    """Require that the server sends nothing to any variant of the registered URI.

    If only `core` was asked for, the check tries the first `most` variants.
    """
    for variant in target.limit_probes(variants, most):
        attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=variant))
        expect.not_sent_to(attempt, variant, because=because)


def fragment_counts(attempt: Attempt, variant: str, fragment: str) -> None:
    """Require that the server refuses a redirect URI with a fragment. Silently removing the fragment is a WARN."""
    landed = attempt.response.location if attempt.response else ""
    if attempt.code is not None and landed and fragment not in landed:
        expect.ideally(False, expected="an error page", got="the fragment is silently removed", at=attempt.answers)
    else:
        expect.not_sent_to(attempt, variant, because="a redirect URI has no fragment")


async def only_spelled_otherwise(
    target: Target, client: Client, variants: Iterable[str], *, as_written: bool, most: int = 2
) -> None:
    """Require that the server refuses other spellings of the registered URI, and judge each by `is_only_spelled_otherwise`.

    If only `core` was asked for, the check tries the first `most` spellings.
    """
    for variant in target.limit_probes(variants, most):
        attempt = await target.authorization.attempt(target.authorization.request(client, redirect_uri=variant))
        is_only_spelled_otherwise(attempt, variant, as_written=as_written)


def is_only_spelled_otherwise(attempt: Attempt, variant: str, *, as_written: bool) -> None:
    """Require that the server refuses a spelling of the registered URI.

    It is a WARN if the login goes on, if a code goes to the registered URI, or (with `as_written`) if the response goes to the
    spelling itself.
    """
    to_the_spelling = as_written and (attempt.left_for or "").lower().startswith(variant.lower())
    to_the_registered = attempt.code is not None and attempt.response is not None
    if attempt.unfinished or to_the_registered or to_the_spelling:
        got = f"the server treats {variant} like {attempt.request.client.redirect_uri}"
        expect.ideally(False, expected="a refusal, since the strings differ", got=got, at=attempt.answers)
    else:
        expect.not_sent_to(attempt, variant, because="the strings differ")
