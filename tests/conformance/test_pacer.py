"""Budgets: what is declared is kept, and nobody hammers a closed door."""

import asyncio

from core_worlds import answer, stepped_clock
from hypothesis import given, settings
from hypothesis import strategies as st
from pacing import TEN_A_MINUTE, Door, all_at_once, most_in_a_window, running, through

from oauth_litmus.clock import WallClock
from oauth_litmus.limits.pacer import Pacer
from oauth_litmus.limits.rates import Kind, Rate
from oauth_litmus.verdict import Blocked


class Ticking(WallClock):
    """A clock that has moved on whenever it is read, as real ones have."""

    readings = 0

    def now(self):
        self.readings += 1
        assert self.readings < 1_000, "the clock is read again and again"
        return super().now() + self.readings * 1e-6


async def test_room_that_was_given_just_now_is_used_and_not_asked_for_again():
    clock = Ticking(slots=1)
    pacer, door = Pacer(clock, {Kind.TOKEN: TEN_A_MINUTE}), Door(clock)

    await all_at_once(clock, *[through(pacer, door)] * 3)

    assert len(door.asked) == 3


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 7), seconds=st.integers(1, 90), requests=st.integers(1, 25), pause=st.integers(0, 40))
def test_a_declared_rate_is_exceeded_in_no_window(count, seconds, requests, pause):
    async def scenario():
        with stepped_clock() as clock:
            pacer, door = Pacer(clock, {Kind.TOKEN: Rate(count=count, seconds=seconds)}), Door(clock)

            async def later():
                await clock.until(clock.now() + pause)
                await pacer.paced(Kind.TOKEN, None, door)

            half = requests // 2
            await all_at_once(clock, *[through(pacer, door)] * (requests - half), *[later] * half)
            return door.asked

    asked = asyncio.run(scenario())
    assert len(asked) == requests
    assert most_in_a_window(asked, seconds) <= count


async def test_a_declared_rate_is_used_up_before_anybody_waits():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {Kind.AUTHORIZE: TEN_A_MINUTE}), Door(clock)

        await all_at_once(clock, *[through(pacer, door, kind=Kind.AUTHORIZE)] * 11)

    assert door.asked == [0.0] * 10 + [60.5]


async def test_what_arrived_late_has_room_from_its_answer_on():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {Kind.REGISTER: TEN_A_MINUTE}), Door(clock, late=[3] * 10)

        await all_at_once(clock, *[through(pacer, door, Kind.REGISTER)] * 15)

    assert most_in_a_window(door.asked, 60) == 10


async def test_what_broke_off_late_may_have_been_counted():
    with stepped_clock() as clock:
        pacer, asked = Pacer(clock, {Kind.REGISTER: Rate(count=1, seconds=60)}), []

        async def breaks_off():
            await clock.until(clock.now() + (0 if asked else 3))
            asked.append(clock.now())
            raise Blocked("the connection broke off")

        await all_at_once(clock, *[lambda: pacer.paced(Kind.REGISTER, None, breaks_off)] * 2)

    assert asked[1] - asked[0] >= 60


async def test_kinds_have_budgets_of_their_own():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {Kind.TOKEN: Rate(count=1, seconds=60)}), Door(clock)

        await all_at_once(clock, through(pacer, door), through(pacer, door, Kind.REGISTER))

    assert door.asked == [0.0, 0.0]


async def test_sources_have_budgets_of_their_own():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {Kind.TOKEN: Rate(count=1, seconds=60)}), Door(clock)

        await all_at_once(clock, through(pacer, door), through(pacer, door, source="127.2.0.1"))

    assert door.asked == [0.0, 0.0]


async def test_what_is_done_outside_of_the_suite_is_charged_too():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {Kind.LOGIN: Rate(count=1, seconds=60)}), Door(clock)

        async def by_hand():
            await pacer.charge(Kind.LOGIN, None)

        await all_at_once(clock, by_hand, through(pacer, door, Kind.LOGIN))

    assert door.asked == [60.5]
    assert pacer.spent[Kind.LOGIN] == 2


async def test_who_is_first_in_rank_goes_first():
    with stepped_clock() as clock:
        pacer, order = Pacer(clock, {Kind.AUTHORIZE: Rate(count=1, seconds=60)}), []

        def ranked(rank):
            async def send():
                order.append(rank)
                return answer(200, at=clock.now())

            return lambda: pacer.paced(Kind.AUTHORIZE, None, send, rank=rank)

        await all_at_once(clock, *[ranked(rank) for rank in (5, 3, 9, 1, 7)])

    assert order == [5, 1, 3, 7, 9]


async def test_who_is_cancelled_in_the_queue_holds_up_nobody():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {Kind.TOKEN: Rate(count=1, seconds=60)}), Door(clock)
        async with clock.running():
            crowd = [asyncio.ensure_future(running(clock, through(pacer, door))) for _ in range(5)]
            for _ in range(20):
                await asyncio.sleep(0)
            crowd[1].cancel()
            crowd[3].cancel()
            await clock.for_result_of(asyncio.gather(*crowd, return_exceptions=True))

    assert door.asked == [0.0, 60.5, 121.0]


async def test_a_429_is_tried_again_when_it_says():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}), Door(clock, 429, retry_after="7")

        (got,) = await all_at_once(clock, through(pacer, door))

    assert (got.status, door.asked) == (200, [0.0, 7.5])


async def test_a_429_that_says_nothing_is_taken_for_a_minute():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}), Door(clock, 429)

        await all_at_once(clock, through(pacer, door))

    assert door.asked == [0.0, 60.5]


async def test_a_429_closes_its_kind_for_everybody_until_one_alone_has_passed():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}), Door(clock, 429, retry_after="7")

        async def after_the_refusal():
            await clock.until(clock.now() + 1)
            await pacer.paced(Kind.TOKEN, None, door)

        await all_at_once(clock, through(pacer, door), *[after_the_refusal] * 3)

    assert door.asked == [0.0] + [7.5] * 4


async def test_who_waited_for_room_meets_the_closed_door_too():
    with stepped_clock() as clock:
        pacer = Pacer(clock, {Kind.TOKEN: Rate(count=1, seconds=10)})
        door = Door(clock, 200, 429, retry_after="60")

        await all_at_once(clock, *[through(pacer, door)] * 3)

    assert door.asked[:2] == [0.0, 10.5]
    assert min(door.asked[2:]) == 71.0


async def test_only_one_goes_ahead_after_a_refusal():
    with stepped_clock() as clock:
        under_way = []
        most = []

        class Crowded(Door):
            async def __call__(self):
                under_way.append(1)
                most.append(len(under_way))
                try:
                    return await super().__call__()
                finally:
                    under_way.pop()

        pacer = Pacer(clock, {})
        door = Crowded(clock, *[429] * 5, retry_after="7")
        await all_at_once(clock, *[through(pacer, door)] * 5)

    assert most[:5] == [1, 2, 3, 4, 5]
    assert most[5] == 1


async def test_refusals_of_requests_that_were_under_way_together_count_once():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}), Door(clock, *[429] * 5, retry_after="7")

        got = await all_at_once(clock, *[through(pacer, door)] * 5)

    assert [each.status for each in got] == [200] * 5


async def test_three_refusals_in_a_row_end_the_kind_with_the_count():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}), Door(clock, *[429] * 9, retry_after="7")

        got = await all_at_once(clock, *[through(pacer, door)] * 3)
        (late,) = await all_at_once(clock, through(pacer, door))

    assert all(isinstance(each, Blocked) for each in [*got, late])
    assert "3 requests of kind token in a row were answered 429" in str(late)
    assert "--rate token=N/SECONDS" in str(late)
    assert door.asked == [0.0, 0.0, 0.0, 7.5, 15.0]


async def test_a_success_between_refusals_begins_the_count_anew():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}), Door(clock, 429, 429, 200, 429, 429, 200, retry_after="1")

        async def twice():
            return [await pacer.paced(Kind.TOKEN, None, door) for _ in range(2)]

        (got,) = await all_at_once(clock, twice)

    assert [each.status for each in got] == [200, 200]


async def test_the_kind_that_was_closed_closes_no_other():
    with stepped_clock() as clock:
        pacer, shut, open_ = Pacer(clock, {}), Door(clock, *[429] * 3), Door(clock)

        await all_at_once(clock, through(pacer, shut), through(pacer, open_, Kind.REGISTER))

    assert open_.asked == [0.0]


async def test_a_retry_after_beyond_patience_blocks_and_names_the_exchange():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}), Door(clock, 429, retry_after="86400")

        (got,) = await all_at_once(clock, through(pacer, door))

    assert isinstance(got, Blocked)
    assert got.exchanges == (1,)
    assert door.asked == [0.0]


async def test_a_refused_request_is_charged_again():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {Kind.TOKEN: Rate(count=2, seconds=60)}), Door(clock, 429, retry_after="1")

        await all_at_once(clock, through(pacer, door), through(pacer, door))

    assert most_in_a_window(door.asked, 60) <= 2


async def test_who_is_cancelled_while_another_goes_ahead_leaves_the_door_as_it_was():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}), Door(clock, 429, retry_after="7")
        async with clock.running():
            crowd = [asyncio.ensure_future(running(clock, through(pacer, door))) for _ in range(4)]
            for _ in range(20):
                await asyncio.sleep(0)
            for task in crowd:
                task.cancel()
            await asyncio.gather(*crowd, return_exceptions=True)

        (late,) = await all_at_once(clock, through(pacer, door))

    assert late.status == 200


async def test_room_that_was_given_back_is_not_used_when_its_window_is_over():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {Kind.AUTHORIZE: TEN_A_MINUTE}), Door(clock)
        request = through(pacer, door, Kind.AUTHORIZE)

        async def gives_back_what_another_sleeps_for():
            lane = pacer._lane(Kind.AUTHORIZE, None)
            taken = [await lane.take() for _ in range(10)]
            for _ in range(10):
                await asyncio.sleep(0)
            lane.give_back(taken[0])

        await all_at_once(clock, gives_back_what_another_sleeps_for, *[request] * 21)

    assert len(door.asked) == 21
    assert most_in_a_window(door.asked, 60) == 10
