"""All replicas publish the same metadata, and accept clients, codes, tokens and logins of another replica."""

from __future__ import annotations

import json
from collections import Counter

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, REGISTRATION, RELAY, REPLICAS, RESOURCE, check
from oauth_litmus.client import AuthorizationRequest, Target, Tokens
from oauth_litmus.http.answer import Answer
from oauth_litmus.limits.rates import Kind
from oauth_litmus.oauth.attempt import ending_of
from oauth_litmus.probes.replicas import expect_accepted, in_a_ring, need_the_resource_at_the_replicas

VARYING = "signed_metadata"
"""A JWT that repeats the metadata. Its signature may differ in each answer (RFC 8414 section 2.1)."""


@check("REPLICA-01", needs={REPLICAS})
async def replicas_publish_the_same_metadata(target: Target) -> None:
    """Fetch the metadata at every replica and compare the documents."""
    replicas = await target.replicas()
    url = target.server.discovered.metadata_url
    answers = [
        expect.conclusive(await at.send("GET", url, kind=Kind.RESOURCE, headers={"accept": "application/json"}))
        for at in replicas
    ]

    documents = [{**answer.json_object(), VARYING: None} for answer in answers]
    written = [json.dumps(document, sort_keys=True) for document in documents]
    usual = documents[written.index(Counter(written).most_common(1)[0][0])]
    for at, document, answer in zip(replicas, documents, answers, strict=True):
        differing = sorted(name for name in {*usual, *document} if usual.get(name) != document.get(name))
        got = f"different values of {', '.join(differing)} at {at.address}"
        expect.that(not differing, expected="the same metadata at every replica", got=got, at=answer)


@check("REPLICA-02", needs={REGISTRATION, REPLICAS})
async def client_is_known_to_every_replica(target: Target) -> None:
    """Begin an authorization request of the shared client at every replica."""
    replicas = await target.replicas()
    request = target.authorization.request(await target.clients.shared())
    await target.authorization.control(request)

    for asked in replicas:
        await expect_accepted(
            asked,
            replicas,
            lambda at: _outcome(at, request),
            lambda answer: answer.status < 400 and "error=" not in (answer.location or ""),
            what="an authorization request of a registered client is accepted",
        )


@check("REPLICA-03", needs={LOGIN, REPLICAS}, logins=2)
async def code_can_be_redeemed_at_another_replica(target: Target) -> None:
    """Log in at each replica, and redeem the code at the next one."""
    replicas = await target.replicas()

    for issuing, asked in in_a_ring(replicas):
        code = await issuing.authorization.login(await target.clients.shared())
        await expect_accepted(
            asked,
            replicas,
            lambda at, code=code: at.tokens.redeem(code),
            expect.is_token_response,
            what=f"tokens for a code that {issuing.address} issued",
        )


@check("REPLICA-04", needs={REFRESH, REPLICAS})
async def refresh_token_works_at_every_replica(target: Target) -> None:
    """Refresh at one replica after another, each time with the newest refresh token."""
    replicas = await target.replicas()
    tokens = await target.grants.fresh()

    for asked in replicas:
        answer = await expect_accepted(
            asked,
            replicas,
            lambda at, tokens=tokens: at.tokens.refresh(tokens),
            expect.is_token_response,
            what="tokens for the newest refresh token",
        )
        successor = target.tokens.read(answer, tokens.client, tokens.granted_scope)
        tokens = successor if successor.refresh_token else tokens


@check("REPLICA-05", needs={LOGIN, RESOURCE, REPLICAS})
async def access_token_works_at_every_replica(target: Target) -> None:
    """Get an access token from each replica, and call the resource with it at the next one."""
    need_the_resource_at_the_replicas(target)
    replicas = await target.replicas()
    tokens = await target.grants.fresh()

    for issuing, asked in in_a_ring(replicas):
        tokens = await _issued_at(issuing, tokens)
        opened = await issuing.resource.accepted_call(tokens)
        await expect_accepted(
            asked,
            replicas,
            lambda at, token=tokens.access_token: at.resource.call(token),
            lambda answer, opened=opened: expect.let_in(answer, opened),
            what=f"the resource accepts an access token that {issuing.address} issued",
        )


@check("REPLICA-06", needs={RELAY, REPLICAS}, logins=2)
async def login_can_finish_at_another_replica(target: Target) -> None:
    """Begin a login at each replica, and deliver its callback to the next one."""
    replicas = await target.replicas()

    for begun, asked in in_a_ring(replicas):
        held = await begun.callbacks.hold(begun.authorization.request(await target.clients.shared()))
        delivered = await asked.callbacks.deliver(held)

        if delivered.inconclusive is not None:
            expect.conclusive(delivered.inconclusive)
        expect.that(
            delivered.code is not None,
            expected=f"a code for a login that {begun.address} began",
            got=f"{ending_of(delivered)} at {asked.address}",
            at=delivered.answers,
        )


async def _outcome(at: Target, request: AuthorizationRequest) -> Answer:
    return (await at.authorization.outcome(request)).last


async def _issued_at(issuing: Target, tokens: Tokens) -> Tokens:
    """Get another access token from this replica: by a refresh, or by a new login if there is no refresh token."""
    if tokens.refresh_token is None:
        return await issuing.grants.fresh(tokens.client)
    return await issuing.tokens.refreshed(tokens)
