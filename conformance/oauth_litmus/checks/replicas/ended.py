"""Tokens that one replica revoked, or ended upon reuse, are refused by all replicas."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REFRESH, REPLICAS, RESOURCE, REVOCATION, check
from oauth_litmus.client import Client, Target
from oauth_litmus.http.answer import Answer
from oauth_litmus.probes.families import GUARD
from oauth_litmus.probes.replica_reuse import reuses
from oauth_litmus.probes.replicas import LAG, need_the_resource_at_the_replicas, revoking_in_turn
from oauth_litmus.verdict import Blocked, NotApplicable


@check("REPLICA-07", needs={REFRESH, REPLICAS}, waits=lambda server: server.refresh_reuse_grace + GUARD, logins=2)
async def reuse_ends_the_family_at_every_replica(target: Target) -> None:
    """Rotate at each replica. Present the old token to the next replica, then the successor to all replicas, to that one last."""
    for reuse in await reuses(target):
        if expect.conclusive(reuse.answer).has_tokens:
            raise Blocked(
                f"{reuse.seen_by} accepts the rotated refresh token, so it detects no reuse", (reuse.answer.number,)
            )
        for asked, answer in zip(reuse.asked_afterwards, reuse.afterwards, strict=True):
            expect.conclusive(answer)
            expect.that(
                not answer.has_tokens,
                obtained=True,
                expected=f"no tokens for the successor of a refresh token that was reused at {reuse.seen_by}",
                got=f"tokens at {asked}, though the reuse was at {reuse.seen_by}",
                at=(reuse.answer, answer),
            )


@check("REPLICA-08", needs={REFRESH, REVOCATION, REPLICAS}, logins=2)
async def revoked_refresh_token_is_refused_by_every_replica(target: Target) -> None:
    """Revoke a refresh token at each replica. Present the first to all other replicas, and each later one to the next replica."""
    replicas = await target.replicas()
    client = await target.grants.revoking_client()

    for revoking, others in revoking_in_turn(replicas):
        tokens = await target.grants.fresh(client)
        expect.conclusive(await revoking.tokens.revoke(tokens.refresh_token, client))
        for asked in others:
            answer = expect.conclusive(await asked.tokens.refresh(tokens))
            if answer.has_tokens:
                await _refused_after_a_lag(revoking, asked, client)
                break
            expect.no_server_error(answer)


@check("REPLICA-09", needs={LOGIN, RESOURCE, REVOCATION, REPLICAS}, logins=2)
async def revoked_access_token_is_refused_by_every_replica(target: Target) -> None:
    """Revoke a working access token at each replica. Use the first at all other replicas, and each later one at the next replica."""
    need_the_resource_at_the_replicas(target)
    replicas = await target.replicas()
    client = await target.grants.revoking_client()

    for revoking, others in revoking_in_turn(replicas):
        tokens = await target.grants.fresh(client)
        opened = [await at.resource.accepted_call(tokens) for at in others]
        revoked = expect.conclusive(await revoking.tokens.revoke(tokens.access_token, client, hint="access_token"))
        if revoked.error == "unsupported_token_type":
            raise NotApplicable("the server does not revoke access tokens")
        for asked, before in zip(others, opened, strict=True):
            await _soon_refused(asked, tokens.access_token, before, revoked, revoking.address)


async def _refused_after_a_lag(revoking: Target, asked: Target, client: Client) -> None:
    """Revoke another refresh token, and require that the replica refuses it `LAG` seconds later. The delay is a WARN.

    The first refresh token cannot show this, because it is used up.
    """
    tokens = await revoking.grants.fresh(client)
    revoked = expect.conclusive(await revoking.tokens.revoke(tokens.refresh_token, client))
    await revoking.until(revoking.now() + LAG)
    answer = expect.conclusive(await asked.tokens.refresh(tokens))
    expected = f"no tokens for a refresh token that was revoked at {revoking.address}"
    got = f"tokens at {asked.address}, though the refresh token was revoked at {revoking.address}"
    expect.that(not answer.has_tokens, obtained=True, expected=expected, got=got, at=(revoked, answer))
    expect.ideally(False, expected=f"{expected}, at once", got=f"refused only {LAG:g} s later at {asked.address}")


async def _soon_refused(asked: Target, token: str, opened: Answer, revoked: Answer, where: str) -> None:
    answer = expect.conclusive(await asked.resource.call(token))
    if not expect.let_in(answer, opened):
        expect.no_server_error(answer)
        return
    await asked.until(asked.now() + LAG)
    later = expect.conclusive(await asked.resource.call(token))
    expected = f"the resource refuses an access token that was revoked at {where}"
    got = f"the token works at {asked.address}, though it was revoked at {where}"
    expect.that(not expect.let_in(later, opened), obtained=True, expected=expected, got=got, at=(revoked, later))
    expect.ideally(
        False, expected=f"{expected}, at once", got=f"refused only {LAG:g} s later at {asked.address}", at=answer
    )
