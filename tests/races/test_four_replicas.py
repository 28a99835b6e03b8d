"""Four replicas of the relay, each at its own address. On one Valkey they agree; a replica with its own store is named."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from litmus_fixtures.demo_settings import SHORT, on_valkey
from litmus_fixtures.operator_profile import profile_of
from litmus_fixtures.served import served_relay
from oauth_litmus.check import Need
from oauth_litmus.checks import all_checks
from oauth_litmus.run.engine import Engine
from oauth_litmus.run.plan import Selection
from oauth_litmus.run.runner import Options, connected, judge
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.verdict import Verdict

REPLICA_CHECKS = tuple(identifier for identifier, check in all_checks().items() if Need.REPLICAS in check.needs)
ON_THE_STORE: dict[str, str] = {}
ON_ITS_OWN = {"REDIS_URL": ""}

pytestmark = [pytest.mark.sockets, pytest.mark.valkey]


@asynccontextmanager
async def judged(
    *replicas: dict[str, str], broken: str | None = None, broken_at: int = 0, only: tuple[str, ...] = REPLICA_CHECKS
):
    with (
        on_valkey() as store,
        served_relay({**SHORT, **store}, replicas=replicas, broken=broken, broken_at={broken_at}) as served,
    ):
        profile = profile_of(served.settings, served.simulator, replicas=served.replicas)
        async with connected(Options(served.issuer, profile, budget=Budget(30, burst=True))) as run:
            yield served, await judge(run, Selection(only=only))


async def test_four_replicas_on_one_store_agree():
    async with judged(ON_THE_STORE, ON_THE_STORE, ON_THE_STORE) as (_, engine):
        assert {result.verdict for result in engine.results.values()} == {Verdict.PASS}, engine.results


async def test_a_replica_with_its_own_store_is_named():
    async with judged(ON_THE_STORE, ON_ITS_OWN, ON_THE_STORE) as (served, engine):
        found = found_by(engine)

        assert "REPLICA-02" in found
        assert all(f"at {served.replicas[2]}" in reason for reason in found.values()), found


@pytest.mark.parametrize(
    ("broken", "seen_by"),
    [
        ("grants_are_kept_in_process_memory", "REPLICA-03"),
        ("pending_logins_are_kept_in_process_memory", "REPLICA-06"),
        ("families_end_in_process_memory", "REPLICA-08"),
        ("limits_are_counted_in_process_memory", "RATE-11"),
    ],
)
async def test_a_replica_that_does_not_share_one_kind_of_data_is_named(broken, seen_by):
    others = [ON_THE_STORE] * 3
    async with judged(*others, broken=broken, broken_at=2, only=(seen_by,)) as (served, engine):
        found = found_by(engine)

        assert seen_by in found
        assert served.replicas[2] in found[seen_by]


def found_by(engine: Engine) -> dict[str, str]:
    """Return the reason of each FAIL and WARN by check."""
    return {
        identifier: result.decision.reason
        for identifier, result in engine.results.items()
        if result.verdict in (Verdict.FAIL, Verdict.WARN)
    }
