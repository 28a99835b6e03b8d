"""The management of registered clients, where it is offered (RFC 7592)."""

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
"""What a server answers to a method that it does not have (RFC 7592 section 2.2, 2.3)."""


@dataclass
class Managed:
    """A client with what it takes to manage it. The token may change with each answer (RFC 7592 section 3)."""

    client: Client
    uri: str
    token: str
    document: dict[str, object]


@check("REG-06a", needs={DYNAMIC_REGISTRATION})
async def management_needs_the_clients_own_token(target: Target) -> None:
    """Read, change and delete a registration without a token, with a made-up one, with another client's; read it with nearly its own."""
    mine, others = await _managed(target, "a"), await _managed(target, "b")
    await _read(target, mine)

    strangers = {"no token": None, "a made-up token": secrets.token_urlsafe(32), "another client's token": others.token}
    if mine.uri == others.uri:
        # One URL for all clients (RFC 7592 appendix B): there the token says whose registration is meant.
        del strangers["another client's token"]
    for what, token in strangers.items():
        for method in ("GET", "PUT", "DELETE"):
            await _refused(target, method, mine, what, token)
    for what, nearly in NEARLY.items():
        await _refused(target, "GET", mine, what, nearly(mine.token))
    after = await _manage(target, "GET", mine, mine.token)
    kept = after.status < 300 and after.json_object().get("redirect_uris") == [*mine.client.redirect_uris]
    got = f"{expect.describe(after)}: changed, or gone"
    expect.that(kept, expected="the client as it was registered", got=got, at=after)


@check("REG-06b", needs={DYNAMIC_REGISTRATION, LOGIN})
async def deleted_client_is_gone(target: Target) -> None:
    """Delete a client that has tokens, with its own token; then log in, and refresh, as that client."""
    mine = await _managed(target, "a")
    tokens = await target.grants.fresh(mine.client)
    deleted = expect.conclusive(await _manage(target, "DELETE", mine, mine.token))
    if deleted.status in NOT_OFFERED:
        raise NotApplicable("clients cannot be deleted")
    expect.ideally(deleted.status == 204, expected="204 for the deletion", got=expect.describe(deleted), at=deleted)
    if deleted.status >= 300:
        raise Blocked("set-up: the deletion of a client was refused", (deleted.number,))
    target.clients.removed(mine.client.client_id)

    attempt = await target.authorization.attempt(target.authorization.request(mine.client))
    expect.no_code(attempt, because="the client was deleted", codes=("invalid_request", "unauthorized_client"))
    if tokens.refresh_token is not None:
        answer = expect.conclusive(await target.tokens.refresh(tokens))
        got = "tokens for a refresh token of a client that was deleted"
        expect.ideally(not answer.has_tokens, expected="400 or 401", got=got, at=(deleted, answer))


@check("REG-06c", needs={DYNAMIC_REGISTRATION})
async def changed_client_is_validated_like_a_new_one(target: Target) -> None:
    """Change the redirect URI of a client, with its own token, to javascript:; where that is taken, ask for an answer there."""
    mine = await _managed(target, "a")
    await _read(target, mine)

    answer = expect.no_server_error(await _manage(target, "PUT", mine, mine.token, redirect_uri=SCRIPT))

    if answer.status in NOT_OFFERED:
        raise NotApplicable("clients cannot be changed")
    attempt = await target.authorization.attempt(target.authorization.request(mine.client, redirect_uri=SCRIPT))
    expect.not_sent_to(attempt, SCRIPT, because="a browser would run it")
    taken = answer.status < 300 and SCRIPT in str(answer.json_object().get("redirect_uris"))
    got = f"{answer.status} for redirect_uris=[{SCRIPT}], which only the authorization endpoint refuses"
    expect.ideally(not taken, expected="400 with error=invalid_redirect_uri", got=got, at=answer)


async def _refused(target: Target, method: str, managed: Managed, what: str, token: str | None) -> None:
    """Judge a request that has not the client's own token."""
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
"""What is the right token as far as a careless comparison goes."""


async def _managed(target: Target, label: str) -> Managed:
    """A client of this check's own, which can be managed.

    Raises:
        NotApplicable: the server offers no management.
        Skipped: it would be managed at another host, where no token is sent.
    """
    uri = f"{target.redirect_uri}/managed-{label}"
    document = target.clients.metadata(uri)
    answer = await target.clients.register(document)
    client = target.clients.client_of(answer, uri)
    place, token = answer.member("registration_client_uri"), answer.member("registration_access_token")
    if not place or not token:
        raise NotApplicable("registrations bring no registration_client_uri: clients are not managed (RFC 7592)")
    if urlsplit(place)[:2] != urlsplit(target.endpoint("registration"))[:2]:
        raise Skipped(
            "registration_client_uri is at another origin than the registration endpoint: no token is sent there"
        )
    return Managed(client, place, token, document)


async def _manage(
    target: Target, method: str, managed: Managed, token: str | None, *, redirect_uri: str = STRANGER
) -> Answer:
    """One request of RFC 7592 section 2; PUT would have answers sent to `redirect_uri`."""
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
    """The positive control: with its own token a client is read.

    Raises:
        Blocked: it is not.
    """
    answer = expect.conclusive(await _manage(target, "GET", managed, managed.token))
    if answer.status >= 300:
        raise Blocked(f"set-up: a client reads its registration, and is answered {answer.status}", (answer.number,))
