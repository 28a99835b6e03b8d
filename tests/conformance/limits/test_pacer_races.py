"""Failures at the token endpoint have a limit of their own, and a race waits for room for all its racers."""

import asyncio

import pytest
from core_worlds import answer, stepped_clock
from pacing import Endpoint, all_at_once, most_in_a_window, running, through

from oauth_litmus.clock import WallClock
from oauth_litmus.limits.pacer import Pacer
from oauth_litmus.limits.priority import DUE_NOW, URGENT
from oauth_litmus.limits.rates import Kind, Rate
from oauth_litmus.verdict import Blocked


async def test_failures_have_a_limit_of_their_own():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}, Rate(count=2, seconds=60)), Endpoint(clock, 400, 401)

        async def one_after_the_other():
            for _ in range(3):
                await pacer.paced(Kind.TOKEN, None, endpoint)

        await all_at_once(clock, one_after_the_other)

    assert endpoint.asked == [0.0, 0.0, 60.5]


async def test_a_slow_failure_counts_from_its_answer_on():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}, Rate(count=2, seconds=60)), Endpoint(clock, 400, 400, 400, late=[3, 3])

        await all_at_once(clock, *[through(pacer, endpoint)] * 3)

    assert most_in_a_window(endpoint.asked, 60) == 2


async def test_a_long_race_counts_from_its_end_on():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.TOKEN: Rate(count=2, seconds=60)}), Endpoint(clock)
        async with clock.running():
            race = await pacer.before_race(Kind.TOKEN, None, 2)
            await race.begins()
            await clock.until(clock.now() + 3)
            race.is_over([await endpoint(), await endpoint()])

            await pacer.paced(Kind.TOKEN, None, endpoint)

    assert most_in_a_window(endpoint.asked, 60) == 2


async def test_failures_of_other_kinds_do_not_count_at_the_token_endpoint():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}, Rate(count=1, seconds=60)), Endpoint(clock, 400, 401, 400)

        async def one_after_the_other():
            for kind in (Kind.RESOURCE, Kind.REGISTER, Kind.AUTHORIZE, Kind.TOKEN):
                await pacer.paced(kind, None, endpoint)

        await all_at_once(clock, one_after_the_other)

    assert endpoint.asked == [0.0] * 4


async def test_both_limits_of_the_token_endpoint_hold_together():
    with stepped_clock() as clock:
        pacer = Pacer(clock, {Kind.TOKEN: Rate(count=2, seconds=10)}, Rate(count=1, seconds=60))
        endpoint = Endpoint(clock, 400)

        async def one_after_the_other():
            await pacer.paced(Kind.TOKEN, None, endpoint)
            await all_at_once(clock, *[through(pacer, endpoint)] * 4)

        await one_after_the_other()

    assert endpoint.asked[1] == 60.5
    assert most_in_a_window(endpoint.asked, 10) <= 2


async def test_a_race_begins_when_there_is_room_for_all_its_failures():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}, Rate(count=20, seconds=60)), Endpoint(clock, 400)
        begun = clock.now()
        async with clock.running():
            await pacer.paced(Kind.TOKEN, None, endpoint)
            await pacer.before_race(Kind.TOKEN, None, 19)
            assert clock.now() == begun

            await pacer.before_race(Kind.TOKEN, None, 2)

            assert clock.now() == pytest.approx(begun + 60.5, abs=1e-3)


async def test_a_race_lets_single_requests_go_first():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}, Rate(count=20, seconds=60)), Endpoint(clock, *[400] * 10)
        begun, raced = clock.now(), []

        async def race():
            await pacer.before_race(Kind.TOKEN, None, 18, rank=1)
            raced.append(clock.now() - begun)

        await all_at_once(clock, *[through(pacer, endpoint)] * 5, race, *[through(pacer, endpoint, rank=2)] * 5)

    assert endpoint.asked == [0.0] * 10
    assert raced == [pytest.approx(60.5, abs=1e-3)]


async def test_a_race_waits_at_most_three_windows_for_single_requests():
    with stepped_clock() as clock:
        pacer = Pacer(clock, {Kind.CALLBACK: Rate(count=4, seconds=60)})
        begun, raced = clock.now(), []

        async def busy():
            for _ in range(12):
                await pacer.paced(Kind.CALLBACK, None, Endpoint(clock), rank=1)

        async def race():
            await pacer.before_race(Kind.CALLBACK, None, 4)
            raced.append(clock.now() - begun)

        await all_at_once(clock, busy, busy, busy, race)

    assert 180 <= raced[0] <= 300


async def test_a_request_with_a_code_waits_at_most_one_window_for_lower_ranks():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.CALLBACK: Rate(count=2, seconds=60)}), Endpoint(clock)
        begun, late = clock.now(), []

        async def busy():
            for _ in range(8):
                await pacer.paced(Kind.CALLBACK, None, endpoint)

        async def last():
            await pacer.paced(Kind.CALLBACK, None, endpoint, rank=9)
            late.append(clock.now() - begun)

        await all_at_once(clock, busy, busy, busy, last)

    assert late[0] <= 130


async def test_a_single_request_that_is_due_goes_before_a_race_that_is_due():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.TOKEN: Rate(count=4, seconds=60)}), Endpoint(clock)
        order = []

        async def race():
            await pacer.before_race(Kind.TOKEN, None, 4, rank=URGENT)
            order.append("race")

        async def single():
            await pacer.paced(Kind.TOKEN, None, endpoint, rank=URGENT)
            order.append("single")

        await all_at_once(clock, *[through(pacer, endpoint)] * 4, race, single)

    assert order == ["single", "race"]


@pytest.mark.parametrize("racers", [1, 5])
async def test_room_for_failures_is_not_used_after_its_window(racers):
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}, Rate(count=10, seconds=60)), Endpoint(clock, *[400] * 40)

        async def gives_back_what_another_sleeps_for():
            lane = pacer._failures_at(Kind.TOKEN, None)
            taken = [await lane.take(DUE_NOW) for _ in range(10)]
            for _ in range(10):
                await asyncio.sleep(0)
            for admission in taken[:5]:
                lane.give_back(admission)

        async def race():
            race = await pacer.before_race(Kind.TOKEN, None, racers, rank=URGENT)
            await clock.until(clock.now() + 70)
            await race.begins()
            race.is_over([await endpoint() for _ in range(racers)])

        single = through(pacer, endpoint, rank=DUE_NOW)
        await all_at_once(clock, gives_back_what_another_sleeps_for, *[race] * 3, *[single] * 20)

    assert len(endpoint.asked) == 20 + 3 * racers
    assert most_in_a_window(endpoint.asked, 60) == 10


async def test_a_race_returns_the_room_of_requests_that_did_not_fail():
    with stepped_clock() as clock:
        pacer = Pacer(clock, {}, Rate(count=20, seconds=60))
        begun = clock.now()
        async with clock.running():
            race = await pacer.before_race(Kind.TOKEN, None, 20)
            race.is_over([answer(200, at=begun)] * 15 + [answer(400, at=begun)] * 5)
            await pacer.before_race(Kind.TOKEN, None, 15)

            assert clock.now() == begun


@pytest.mark.parametrize(("count", "racers"), [(2, 2), (5, 2), (10, 5), (60, 20)])
def test_a_race_takes_half_of_a_declared_limit(count, racers):
    pacer = Pacer(WallClock(1), {Kind.TOKEN: Rate(count=100, seconds=60)}, Rate(count=count, seconds=60))

    assert pacer.most_at_once(Kind.TOKEN, None, 20) == racers


@pytest.mark.parametrize(("room", "waits"), [(7, False), (6, True)])
async def test_a_single_request_goes_before_a_race_only_if_it_does_not_delay_it(room, waits):
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.CALLBACK: Rate(count=room, seconds=60)}), Endpoint(clock)
        begun, raced = clock.now(), []

        def later(instant):
            async def pass_through():
                await clock.until(begun + instant)
                await pacer.paced(Kind.CALLBACK, None, endpoint)

            return pass_through

        async def race():
            await clock.until(begun + 10)
            await pacer.before_race(Kind.CALLBACK, None, 5, rank=URGENT)
            raced.append(clock.now() - begun)

        single = through(pacer, endpoint, kind=Kind.CALLBACK)
        await all_at_once(clock, *[single] * 4, race, later(20), later(21))

    # The four leave the window together: beside the race there is room for one more then, or for two.
    assert raced == [pytest.approx(60.5, abs=1e-3)]
    assert endpoint.asked[:5] == [0.0, 0.0, 0.0, 0.0, 20.0]
    assert (endpoint.asked[5] > 60) == waits


async def test_after_a_429_in_a_race_all_requests_wait():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock)
        async with clock.running():
            race = await pacer.before_race(Kind.TOKEN, None, 18)
            race.is_over([answer(429, headers={"retry-after": "5"}, at=clock.now())] * 18)

        (got,) = await all_at_once(clock, through(pacer, endpoint))

    assert (got.status, endpoint.asked) == (200, [5.5])


async def test_a_grant_for_a_race_can_be_made_after_a_429():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock)
        begun = clock.now()
        async with clock.running():
            queue = pacer._queue(Kind.TOKEN, None)
            queue.was_refused(await queue.take(), answer(429, at=begun))

            race = await pacer.before_race(Kind.TOKEN, None, 2)
            async with asyncio.timeout(5):
                await pacer.paced(Kind.TOKEN, None, endpoint)
            await race.begins()
            race.is_over([await endpoint(), await endpoint()])

    assert endpoint.asked == [60.5] * 3


async def test_a_race_is_blocked_by_a_very_long_retry_after():
    with stepped_clock() as clock:
        pacer = Pacer(clock, {})
        race = await running(clock, lambda: pacer.before_race(Kind.TOKEN, None, 2))
        race.is_over([answer(429, headers={"retry-after": "99999999999999999999"})])

        with pytest.raises(Blocked):
            await running(clock, lambda: pacer.before_race(Kind.TOKEN, None, 2))
