"""Limits of an anonymous registration: no other client's client_id, no chosen credentials, no privileges (RFC 7591 section 5)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, check
from oauth_litmus.oauth.jwts import unsigned

if TYPE_CHECKING:
    from oauth_litmus.client import Target

TAKER = "https://taker.example/cb"
"""Redirect URI of the registration that tries to take over a client."""
PRIVILEGED_GRANTS = ("client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange")
STATED = "A name that a software statement claims"
"""client_name in the unsigned software statement."""
ADMIN = "litmus:admin"
"""A scope that sounds privileged, and that no server supports."""


@check("REG-05a", needs={DYNAMIC_REGISTRATION})
async def registration_does_not_take_over_a_client(target: Target) -> None:
    """Register with the client_id of an existing client and another redirect URI, then request codes for both redirect URIs."""
    victim = await target.clients.new()
    document = {**target.clients.metadata(TAKER), "client_id": victim.client_id}

    answer = expect.conclusive(await target.clients.register(document))

    taken = answer.status < 300 and answer.member("client_id") == victim.client_id
    expect.that(not taken, expected="a new client_id, or 400", got="the client_id of another client", at=answer)
    attempt = await target.authorization.attempt(target.authorization.request(victim, redirect_uri=TAKER))
    expect.not_sent_to(attempt, TAKER, because="the existing client did not register this URI")
    first = expect.conclusive((await target.authorization.outcome(target.authorization.request(victim))).last)
    alive = first.status < 400 and "error=" not in (first.location or "").partition("?")[2]
    expect.that(alive, expected="the client works as before", got=expect.describe(first), at=(answer, first))


@check("REG-05b", needs={DYNAMIC_REGISTRATION})
async def credentials_are_the_servers_choice(target: Target) -> None:
    """Register with a client_id and a client_secret that the check chose: the server must not use them."""
    chosen = {
        "client_id": f"litmus-{secrets.token_hex(8)}",
        "client_secret": secrets.token_urlsafe(32),
    }
    method = await target.clients.confidential_method() or "none"
    target.secret(chosen["client_secret"], "client_secret")
    document = {**target.clients.metadata(auth_method=method), **chosen}

    answer = expect.conclusive(await target.clients.register(document))

    for member, value in chosen.items():
        honoured = answer.status < 300 and answer.member(member) == value
        got = f"the {member} of the request"
        expect.that(not honoured, expected=f"a {member} that the server chose, or 400", got=got, at=answer)
    if answer.status >= 300:
        expect.ideally(answer.status < 500, expected="201 or 400", got=expect.describe(answer), at=answer)


@check("REG-05c", needs={DYNAMIC_REGISTRATION})
async def registration_grants_no_privileges(target: Target) -> None:
    """Register a public client for privileged grant types and an admin scope, then request tokens by client_credentials."""
    document = target.clients.metadata()
    grants = ["authorization_code", "refresh_token", *PRIVILEGED_GRANTS]
    scope = f"{document.get('scope', '')} {ADMIN}".strip()
    asked = {**document, "client_name": f"{target.clients.name} admin", "grant_types": grants, "scope": scope}

    answer = expect.conclusive(await target.clients.register(asked))

    if answer.status >= 300 or not answer.member("client_id"):
        expect.ideally(answer.status < 500, expected="201 or 400", got=expect.describe(answer), at=answer)
        return
    told = answer.json_object()
    client = target.clients.client_of(answer, target.redirect_uri)
    for parameters in ({}, {"scope": ADMIN}):
        machine = await target.tokens.request({"grant_type": "client_credentials", **parameters}, client)
        expect.conclusive(machine)
        got = "tokens by client_credentials, without any credentials"
        expect.that(not machine.has_tokens, obtained=True, expected="400", got=got, at=(answer, machine))
    echoed = [name for name in PRIVILEGED_GRANTS if name in str(told.get("grant_types", ""))]
    got = f"a registration with {', '.join(echoed)}"
    expect.ideally(not echoed, expected="a registration without privileged grant types", got=got, at=answer)
    admin = ADMIN in str(told.get("scope", "")).split()
    expect.ideally(
        not admin, expected="only scopes that the server supports", got=f"a registration with {ADMIN}", at=answer
    )


@check("REG-05d", needs={DYNAMIC_REGISTRATION})
async def unsigned_software_statement_is_not_believed(target: Target) -> None:
    """Register with an unsigned software statement that claims another name and another redirect URI."""
    document = target.clients.metadata()
    claims = {**document, "iss": "https://publisher.example", "client_name": STATED, "redirect_uris": [TAKER]}

    for what, statement in unsigned({}, claims).items():
        answer = expect.conclusive(await target.clients.register({**document, "software_statement": statement}))

        told = answer.json_object()
        believed = [name for name in ("client_name", "redirect_uris") if told.get(name) == claims[name]]
        got = f"{' and '.join(believed)} from a software statement that {what}"
        taken = answer.status < 300 and bool(believed)
        expect.that(
            not taken, expected="the metadata of the request, or invalid_software_statement", got=got, at=answer
        )
        expect.ideally(answer.status < 500, expected="201 or 400", got=expect.describe(answer), at=answer)
