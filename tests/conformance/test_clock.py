"""The clock of a run: waits overlap, nobody's time runs away, and the counts survive cancellation."""

import asyncio
import time

import pytest
from core_worlds import stepped_clock

from oauth_litmus.clock import WallClock, stopwatch

DAY = 86_400.0
FEW_TURNS = 30


async def a_few_turns():
    for _ in range(FEW_TURNS):
        await asyncio.sleep(0)


async def cancelled(*tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(params=["wall", "stepped"])
def any_clock(request):
    """Both clocks, with two slots."""
    if request.param == "wall":
        yield WallClock(2)
    else:
        with stepped_clock(2) as clock:
            yield clock


# The stepped clock


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


async def test_everybody_is_woken_at_the_instant_asked_for_in_order():
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


# Both clocks


async def test_no_more_checks_run_than_there_are_slots(any_clock):
    running = []
    most = []

    async def worker():
        async with any_clock.running():
            running.append(1)
            most.append(len(running))
            await a_few_turns()
            running.pop()

    await asyncio.gather(*(worker() for _ in range(6)))

    assert max(most) == 2


async def test_who_waits_gives_the_slot_to_others(any_clock):
    shared = asyncio.get_running_loop().create_future()

    async def waiter():
        async with any_clock.running():
            return await any_clock.for_result_of(shared)

    async def maker():
        async with any_clock.running():
            shared.set_result("made")

    waiters = [asyncio.ensure_future(waiter()) for _ in range(4)]
    await a_few_turns()
    await asyncio.wait_for(maker(), 5)

    assert await asyncio.gather(*waiters) == ["made"] * 4


async def test_the_failure_of_another_check_is_passed_on(any_clock):
    async def fails():
        raise ValueError("not made")

    async def waiter():
        async with any_clock.running():
            await any_clock.for_result_of(fails())

    with pytest.raises(ValueError, match="not made"):
        await waiter()

    assert any_clock.ready == 0


async def test_all_wait_is_said_when_nobody_can_go_on(any_clock):
    order = []

    async def worker():
        async with any_clock.running():
            await a_few_turns()
            order.append("worked")
            await any_clock.until(any_clock.now() + 0.02)
            order.append("slept")

    async def watcher():
        await asyncio.sleep(0)
        await any_clock.until_all_wait()
        order.append("all wait")

    await asyncio.gather(worker(), watcher())

    assert order == ["worked", "all wait", "slept"]


async def test_all_wait_where_nobody_runs(any_clock):
    await asyncio.wait_for(any_clock.until_all_wait(), 5)

    assert any_clock.ready == 0


@pytest.mark.parametrize("while_it", ["waits for a slot", "waits for an instant", "waits for a result", "works"])
async def test_cancellation_leaves_every_count_right(any_clock, while_it):
    never = asyncio.Event()

    async def victim():
        async with any_clock.running():
            match while_it:
                case "waits for an instant":
                    await any_clock.until(any_clock.now() + DAY * 365)
                case "waits for a result":
                    await any_clock.for_result_of(never.wait())
                case _:
                    await never.wait()

    async def keeper():
        async with any_clock.running():
            await never.wait()

    keepers = [asyncio.ensure_future(keeper()) for _ in range(2)] if while_it == "waits for a slot" else []
    await asyncio.sleep(0)
    victims = [asyncio.ensure_future(victim()) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await cancelled(*victims, *keepers)

    assert any_clock.ready == 0
    assert any_clock._unpaid == 0
    assert any_clock._slots.free == 2


async def test_who_is_cancelled_without_a_slot_ends_at_once_though_none_is_free(any_clock):
    never = asyncio.Event()

    async def victim():
        async with any_clock.running():
            await any_clock.for_result_of(never.wait())

    async def keeper():
        async with any_clock.running():
            await never.wait()

    waiting = asyncio.ensure_future(victim())
    await a_few_turns()
    keepers = [asyncio.ensure_future(keeper()) for _ in range(2)]
    await a_few_turns()
    waiting.cancel()
    await asyncio.wait([waiting], timeout=5)

    assert waiting.cancelled()
    await cancelled(*keepers)
    assert any_clock._slots.free == 2


# The wall clock


async def test_real_waits_overlap():
    clock = WallClock(1)
    started = time.monotonic()

    async def sleeper():
        async with clock.running():
            await clock.until(clock.now() + 0.05)

    await asyncio.gather(*(sleeper() for _ in range(10)))

    assert 0.05 <= time.monotonic() - started < 0.4


def test_durations_are_real_while_the_clock_is_frozen():
    with stepped_clock():
        first = stopwatch()
        while stopwatch() == first:
            pass
