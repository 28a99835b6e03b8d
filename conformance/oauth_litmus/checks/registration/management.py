"""Management of registered clients, if the server offers it (RFC 7592)."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, LOGIN, check
from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Client, Target
    from oauth_litmus.http.answer import Answer

STRANGER = "https://evil.example/cb"
SCRIPT = "javascript:alert(1)"
REFUSALS = (401, 403)
NOT_OFFERED = (404, 405, 501)
"""Statuses for a method that the server does not offer (RFC 7592 sections 2.2 and 2.3)."""


@dataclass
class Managed:
    """A client, with the URL and the token for its management. Each answer may change the token (RFC 7592 section 3)."""

    client: Client
    uri: str
    token: str
    document: dict[str, object]


@check("REG-06a", needs={DYNAMIC_REGISTRATION})
async def management_needs_the_clients_own_token(target: Target) -> None:
    """Read, change and delete a client with no token, a made-up one and another client's. Read it with its own token altered."""
    mine, others = await _managed(target, "a"), await _managed(target, "b")
    await _read(target, mine)

    strangers = {"no token": None, "a made-up token": secrets.token_urlsafe(32), "another client's token": others.token}
    if mine.uri == others.uri:
        # All clients may share one URL (RFC 7592 appendix B). The token selects the client, so another client's token is valid there.
        del strangers["another client's token"]
    for what, token in strangers.items():
        for method in ("GET", "PUT", "DELETE"):
            await _refused(target, method, mine, what, token)
    for what, nearly in NEARLY.items():
        await _refused(target, "GET", mine, what, nearly(mine.token))
    after = await _manage(target, "GET", mine, mine.token)
    kept = after.status < 300 and after.json_object().get("redirect_uris") == [*mine.client.redirect_uris]
    got = f"{expect.describe(after)}: the client is changed or deleted"
    expect.that(kept, expected="the client as it registered", got=got, at=after)


@check("REG-06b", needs={DYNAMIC_REGISTRATION, LOGIN})
async def deleted_client_is_gone(target: Target) -> None:
    """Delete a client with its own registration access token, then log in and refresh as that client: both must fail."""
    mine = await _managed(target, "a")
    tokens = await target.grants.fresh(mine.client)
    deleted = expect.conclusive(await _manage(target, "DELETE", mine, mine.token))
    if deleted.status in NOT_OFFERED:
        raise NotApplicable("the server does not let clients be deleted")
    expect.ideally(deleted.status == 204, expected="204 for the deletion", got=expect.describe(deleted), at=deleted)
    if deleted.status >= 300:
        raise Blocked("set-up: the server refused to delete a client", (deleted.number,))
    target.clients.removed(mine.client.client_id)

    attempt = await target.authorization.attempt(target.authorization.request(mine.client))
    expect.no_code(attempt, because="the client was deleted", codes=("invalid_request", "unauthorized_client"))
    if tokens.refresh_token is not None:
        answer = expect.conclusive(await target.tokens.refresh(tokens))
        got = "tokens for a refresh token of a deleted client"
        expect.ideally(not answer.has_tokens, expected="400 or 401", got=got, at=(deleted, answer))


@check("REG-06c", needs={DYNAMIC_REGISTRATION})
async def changed_client_is_validated_like_a_new_one(target: Target) -> None:
    """Change the redirect URI of a client to a javascript: URI with the client's own token, then start a login for that URI."""
    mine = await _managed(target, "a")
    await _read(target, mine)

    answer = expect.no_server_error(await _manage(target, "PUT", mine, mine.token, redirect_uri=SCRIPT))

    if answer.status in NOT_OFFERED:
        raise NotApplicable("the server does not let clients be changed")
    attempt = await target.authorization.attempt(target.authorization.request(mine.client, redirect_uri=SCRIPT))
    expect.not_sent_to(attempt, SCRIPT, because="a browser would run it")
    taken = answer.status < 300 and SCRIPT in str(answer.json_object().get("redirect_uris"))
    got = f"{answer.status} for redirect_uris=[{SCRIPT}], which only the authorization endpoint refuses"
    expect.ideally(not taken, expected="400 with error=invalid_redirect_uri", got=got, at=answer)


async def _refused(target: Target, method: str, managed: Managed, what: str, token: str | None) -> None:
    """Require a refusal of a request without the client's own token."""
    answer = expect.no_server_error(
        await target.settled(lambda: _manage(target, method, managed, token), lambda: _read(target, managed))
    )
    got = f"{method} with {what}: {answer.status}"
    expect.that(answer.status >= 300, expected="401 or 403", got=got, at=answer)
    expect.ideally(answer.status in (*REFUSALS, *NOT_OFFERED), expected="401 or 403", got=got, at=answer)


def _but_for_one(token: str) -> str:
    middle = len(token) // 2
    return f"{token[:middle]}{'b' if token[middle] == 'a' else 'a'}{token[middle + 1 :]}"


def _first_half(token: str) -> str:
    return token[: len(token) // 2]


NEARLY = {
    "its own token but for one character": _but_for_one,
    "the first half of its own token": _first_half,
}
"""Wrong tokens that a careless comparison may accept: how to make each from the right token, by description."""


async def _managed(target: Target, label: str) -> Managed:
    """Register a client for this check alone, which the check can manage.

    Raises:
        NotApplicable: the server offers no management.
        Skipped: the management URL has another origin than the registration endpoint, so the suite sends no token there.
    """
    uri = f"{target.redirect_uri}/managed-{label}"
    document = target.clients.metadata(uri)
    answer = await target.clients.register(document)
    client = target.clients.client_of(answer, uri)
    uri_of_client, token = answer.member("registration_client_uri"), answer.member("registration_access_token")
    if not uri_of_client or not token:
        raise NotApplicable(
            "registrations return no registration_client_uri with a token: the server does not let clients be managed (RFC 7592)"
        )
    if urlsplit(uri_of_client)[:2] != urlsplit(target.endpoint("registration"))[:2]:
        raise Skipped(
            "registration_client_uri has another origin than the registration endpoint, so the suite sends no token there"
        )
    return Managed(client, uri_of_client, token, document)


async def _manage(
    target: Target, method: str, managed: Managed, token: str | None, *, redirect_uri: str = STRANGER
) -> Answer:
    """Send one management request (RFC 7592 section 2). PUT changes the client's redirect URI to `redirect_uri`."""
    target.secret(token, "registration_access_token")
    headers = {"accept": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    body = b""
    if method == "PUT":
        changed = {"client_id": managed.client.client_id, "redirect_uris": [redirect_uri]}
        headers["content-type"] = "application/json"
        body = json.dumps({**managed.document, **changed}).encode()
    answer = await target.send(method, managed.uri, kind=Kind.REGISTER, headers=headers, body=body)
    renewed = answer.member("registration_access_token") if answer.status < 300 and token == managed.token else ""
    if renewed:
        target.secret(renewed, "registration_access_token")
        managed.token = renewed
        target.clients.has_new_token(managed.client.client_id, renewed)
    return answer


async def _read(target: Target, managed: Managed) -> None:
    """Run the positive control: read a client's registration with its own token.

    Raises:
        Blocked: the server refuses.
    """
    answer = expect.conclusive(await _manage(target, "GET", managed, managed.token))
    if answer.status >= 300:
        raise Blocked(
            f"set-up: a client cannot read its registration with its own token ({answer.status})", (answer.number,)
        )
