"""A grant serves many probes as long as it survives them; a verdict never rests on one that was dead."""

import asyncio
from types import SimpleNamespace

import pytest

from litmus_fixtures.worlds import world
from oauth_litmus.client import Target
from oauth_litmus.client.grant_pool import GrantPool, Proof
from oauth_litmus.clock import WallClock
from oauth_litmus.verdict import Blocked

GRANTED = SimpleNamespace(has_tokens=True)


def brought_tokens(answers):
    return any(answer.has_tokens for answer in answers)


def prober(check):
    """A check that probes, without a server."""
    run = SimpleNamespace(clock=WallClock(20))
    return SimpleNamespace(session=SimpleNamespace(run=run, now=lambda: 0.0, check=check))


class Grants:
    """A server's grants: each dies at its n-th refusal, if at all, and can be used properly once."""

    def __init__(self, dies_after=None):
        self.dies_after = dies_after
        self.made = 0
        self.tries = {}
        self.pool = GrantPool(self.make, self.prove, brought_tokens)

    async def make(self, target):
        await asyncio.sleep(0)
        self.made += 1
        self.tries[self.made] = 0
        return self.made

    def is_alive(self, grant):
        return self.dies_after is None or self.tries[grant] < self.dies_after

    async def prove(self, target, grant):
        return Proof(self.is_alive(grant))

    async def refused(self, grant):
        alive = self.is_alive(grant)
        self.tries[grant] += 1
        return [SimpleNamespace(has_tokens=False, alive=alive)]

    async def tried_by(self, *probes):
        target = prober("PKCE-03")

        async def one(probe):
            async with target.session.run.clock.running():
                return (await self.pool.probe(target, probe))[0]

        return await asyncio.gather(*(one(probe) for probe in probes))

    async def tried_together_by_one(self, *probes):
        target = prober("PKCE-17")
        async with target.session.run.clock.running():
            return await self.pool.probe(target, *probes)


async def test_a_grant_that_survives_serves_many_probes():
    grants = Grants()

    seen = await grants.tried_by(*[grants.refused] * 8)

    assert grants.made == 1
    assert all(answer.alive for _, (answer,) in seen)


@pytest.mark.parametrize("dies_after", [1, 3])
async def test_where_grants_do_not_survive_each_probe_has_a_live_one(dies_after):
    grants = Grants(dies_after)

    seen = await grants.tried_by(*[grants.refused] * 6)

    assert all(answer.alive for _, (answer,) in seen)


async def test_what_is_granted_something_is_judged_by_a_fresh_grant():
    grants = Grants()
    tried = []

    async def granted(grant):
        tried.append(grant)
        return [GRANTED]

    first, second, third = await grants.tried_by(grants.refused, granted, grants.refused)

    assert len(tried) == 2
    assert second == (tried[1], [GRANTED])
    assert grants.tries[tried[1]] == 0
    assert all(answer.alive for _, (answer,) in (first, third))


async def test_the_trouble_of_one_probe_is_its_own():
    grants = Grants()

    async def blocked(grant):
        raise Blocked("no answer")

    async def told(probe):
        try:
            return await grants.tried_by(probe)
        except Blocked as reason:
            return str(reason)

    assert await asyncio.gather(told(blocked), told(grants.refused))
    assert await told(blocked) == "no answer"


async def test_a_grant_that_came_of_the_proof_is_lent_next():
    grants = Grants()

    async def rotated(target, grant):
        grants.tries["successor"] = 0
        return Proof(valid=True, successor="successor")

    grants.pool = GrantPool(grants.make, rotated, brought_tokens)

    await grants.tried_by(grants.refused, grants.refused)
    ((grant, _),) = await grants.tried_by(grants.refused)

    assert (grants.made, grant) == (1, "successor")


@pytest.mark.parametrize(("dies_after", "made"), [(None, 1), (1, 5)])
async def test_probes_that_one_check_hands_in_together_share_a_grant_that_survives(dies_after, made):
    grants = Grants(dies_after)

    seen = await grants.tried_together_by_one(*[grants.refused] * 4)

    assert all(answer.alive for _, (answer,) in seen)
    assert grants.made <= made


@pytest.mark.parametrize(("limit", "shares"), [("10/60", 1), ("0", 4)])
async def test_checks_wait_for_each_other_where_logins_are_dear_and_not_where_they_are_not(limit, shares):
    async with world(settings={"LIMIT_AUTHORIZE": limit}) as run:
        run.ranks.update({f"TEST-{number:02}": number for number in range(9)})

        served_by = {Target(run, check).grants.pool_number() for check in run.ranks}

    assert len(served_by) == shares
