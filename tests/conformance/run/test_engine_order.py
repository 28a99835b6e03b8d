"""The order of checks: they run at once, and bursts come last."""

import asyncio

import pytest
from core_worlds import check_of, run_with, stepped_clock
from engine_checks import BURST, passes, verdicts

from oauth_litmus.run_state.budget import Budget


async def test_checks_run_at_once(judged):
    all_checks_met = asyncio.Barrier(5)

    async def meets_the_others(target):
        await asyncio.wait_for(all_checks_met.wait(), 5)
        await passes(target)

    engine = await judged(*(check_of(meets_the_others, f"A-0{number}") for number in range(5)))

    assert set(verdicts(engine).values()) == {"PASS"}


@pytest.mark.parametrize("separate", [True, False])
async def test_bursts_begin_when_no_other_check_can_go_on(judged, separate):
    order = []

    async def works(target):
        for _ in range(20):
            await asyncio.sleep(0)
        order.append("worked")
        await passes(target)

    async def bursts(target):
        order.append("burst")
        assert not target.paced
        await passes(target)

    run = run_with(budget=Budget(burst=True))
    run.server.separate_sources = separate
    checks = [check_of(bursts, "B-01", needs=BURST), check_of(works, "A-01"), check_of(works, "A-02")]
    await judged(*checks, run=run)

    assert order == ["worked", "worked", "burst"]


@pytest.mark.parametrize(("separate", "expected"), [(True, ["burst", "slept"]), (False, ["slept", "burst"])])
async def test_from_addresses_of_their_own_bursts_use_the_waits_of_others(judged, separate, expected):
    order = []

    async def sleeps(target):
        await target.until(target.now() + 60)
        order.append("slept")
        await passes(target)

    async def bursts(target):
        order.append("burst")
        await passes(target)

    with stepped_clock() as clock:
        run = run_with(clock=clock, budget=Budget(burst=True))
        run.server.separate_sources = separate
        await judged(check_of(sleeps, "A-01"), check_of(bursts, "B-01", needs=BURST), run=run)

    assert order == expected


async def test_from_one_address_bursts_come_one_after_the_other(judged):
    under_way = []
    most = []

    async def bursts(target):
        under_way.append(1)
        most.append(len(under_way))
        for _ in range(10):
            await asyncio.sleep(0)
        under_way.pop()
        await passes(target)

    await judged(*(check_of(bursts, f"B-0{number}", needs=BURST) for number in range(3)))

    assert most == [1, 1, 1]


async def test_every_check_has_a_source_of_its_own(judged):
    run = run_with()
    numbers = iter(range(1, 9))
    run.sources, run.server.separate_sources = (lambda: f"127.2.0.{next(numbers)}"), True
    seen = []

    async def looks(target):
        seen.append(target.source)
        seen.append(target.from_another_source().source)
        await passes(target)

    await judged(check_of(looks, "A-01"), check_of(looks, "A-02"), run=run)

    assert len(set(seen)) == 4
