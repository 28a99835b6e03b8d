"""Both clocks: few checks run at once, a check that waits gives its slot away, and cancellation leaves no count wrong."""

import asyncio
import time

import pytest
from clock_tasks import DAY, a_few_turns, cancelled
from core_worlds import stepped_clock

from oauth_litmus.clock import WallClock


@pytest.fixture(params=["wall", "stepped"])
def any_clock(request):
    """Both clocks, with two slots."""
    if request.param == "wall":
        yield WallClock(2)
    else:
        with stepped_clock(2) as clock:
            yield clock


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


async def test_real_waits_overlap():
    clock = WallClock(1)
    started = time.monotonic()

    async def sleeper():
        async with clock.running():
            await clock.until(clock.now() + 0.05)

    await asyncio.gather(*(sleeper() for _ in range(10)))

    assert 0.05 <= time.monotonic() - started < 0.4
