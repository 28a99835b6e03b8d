"""The stepped clock: a wait costs no time, waits overlap, and the clock stands while a check can go on."""

import asyncio

import pytest
from clock_tasks import DAY, FEW_TURNS, a_few_turns, cancelled
from core_worlds import stepped_clock

from oauth_litmus.clock import stopwatch


async def test_a_day_costs_nothing():
    started = stopwatch()
    with stepped_clock() as clock:
        begun = clock.now()
        async with clock.running():
            await clock.until(begun + DAY)
            passed = clock.now() - begun

    assert passed == pytest.approx(DAY, abs=1e-5)
    assert stopwatch() - started < 5


async def test_the_boundary_of_a_lifetime_is_exact():
    with stepped_clock() as clock:
        begun = clock.now()
        async with clock.running():
            await clock.until(begun + 599)
            before = clock.now()
            await clock.until(begun + 601)

            assert before < begun + 600 < clock.now()


async def test_every_sleeper_is_woken_in_order_at_its_own_instant():
    woken = []

    async def sleeper(clock, seconds):
        async with clock.running():
            instant = clock.now() + seconds
            await clock.until(instant)
            woken.append((seconds, round(clock.now() - instant, 3)))

    with stepped_clock() as clock:
        await asyncio.gather(*(sleeper(clock, seconds) for seconds in (30, 10, 20, 10)))

    assert woken == [(10, 0), (10, 0), (20, 0), (30, 0)]


async def test_waits_overlap():
    async def sleeper(clock):
        async with clock.running():
            await clock.until(clock.now() + 60)

    with stepped_clock() as clock:
        begun = clock.now()
        await asyncio.gather(*(sleeper(clock) for _ in range(20)))

        assert clock.now() - begun == pytest.approx(60, abs=1e-3)


async def test_an_instant_that_is_over_is_not_waited_for():
    with stepped_clock() as clock:
        async with clock.running():
            begun = clock.now()
            await clock.until(begun - 1)

            assert clock.now() == begun


async def test_the_clock_stands_while_a_check_can_go_on():
    instants = []

    async def worker(clock):
        async with clock.running():
            for _ in range(FEW_TURNS):
                await asyncio.sleep(0)
                instants.append(clock.now())

    async def sleeper(clock):
        async with clock.running():
            await clock.until(clock.now() + 60)

    with stepped_clock() as clock:
        begun = clock.now()
        await asyncio.gather(sleeper(clock), worker(clock))

    assert set(instants) == {begun}


async def test_the_clock_stands_while_a_check_waits_for_a_slot():
    order = []

    async def worker(clock):
        async with clock.running():
            await a_few_turns()
            order.append(("worked", clock.now()))

    async def sleeper(clock):
        async with clock.running():
            await clock.until(clock.now() + 60)
            order.append(("slept", clock.now()))

    with stepped_clock(1) as clock:
        begun = clock.now()
        await asyncio.gather(sleeper(clock), worker(clock), worker(clock))

    assert order == [("worked", begun), ("worked", begun), ("slept", pytest.approx(begun + 60, abs=1e-3))]


async def test_a_check_that_was_just_woken_holds_the_clock():
    seen = []

    async def first(clock):
        async with clock.running():
            await clock.until(clock.now() + 10)
            seen.append(clock.now())
            await a_few_turns()
            seen.append(clock.now())

    async def second(clock):
        async with clock.running():
            await clock.until(clock.now() + 20)

    with stepped_clock() as clock:
        await asyncio.gather(first(clock), second(clock))

    assert seen[0] == seen[1]


async def test_a_result_on_its_way_to_a_check_holds_the_clock():
    shared = asyncio.get_running_loop().create_future()
    seen = []

    async def handed_on(result):
        return await result

    async def maker(clock):
        async with clock.running():
            await clock.until(clock.now() + 5)
            shared.set_result(clock.now())

    async def asker(clock):
        async with clock.running():
            made = await clock.for_result_of(asyncio.ensure_future(handed_on(asyncio.shield(shared))))
            await a_few_turns()
            seen.append((made, clock.now()))

    async def sleeper(clock):
        async with clock.running():
            await clock.until(clock.now() + 60)

    with stepped_clock() as clock:
        await asyncio.gather(maker(clock), asker(clock), sleeper(clock))

    assert seen[0][0] == seen[0][1]


async def test_a_sleeper_that_was_cancelled_moves_nothing():
    async def sleeper(clock, seconds):
        async with clock.running():
            await clock.until(clock.now() + seconds)

    with stepped_clock() as clock:
        begun = clock.now()
        async with clock.running():
            early = asyncio.ensure_future(sleeper(clock, 10))
            late = asyncio.ensure_future(sleeper(clock, 20))
            await a_few_turns()
            await cancelled(early)
        await late

        assert clock.now() - begun == pytest.approx(20, abs=1e-3)
        assert clock.ready == 0


async def test_a_sleeper_that_is_cancelled_as_it_is_woken_is_counted_once():
    with stepped_clock() as clock:
        woken = asyncio.Event()

        async def sleeper():
            async with clock.running():
                await clock.until(clock.now() + 10)

        sleeping = asyncio.ensure_future(sleeper())
        move_to = clock._move_to

        def move_and_cancel(instant):
            move_to(instant)
            asyncio.get_running_loop().call_soon(sleeping.cancel)
            woken.set()

        clock._move_to = move_and_cancel
        await woken.wait()
        await asyncio.gather(sleeping, return_exceptions=True)

        assert clock.ready == 0


def test_durations_are_real_while_the_clock_is_frozen():
    with stepped_clock():
        first = stopwatch()
        while stopwatch() == first:
            pass
