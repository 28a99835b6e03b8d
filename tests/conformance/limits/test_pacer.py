"""Declared limits are kept, in order of priority."""

import asyncio

from core_worlds import answer, stepped_clock
from hypothesis import given, settings
from hypothesis import strategies as st
from pacing import TEN_A_MINUTE, Endpoint, all_at_once, most_in_a_window, running, through

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


async def test_room_that_was_just_given_is_used_at_once():
    clock = Ticking(slots=1)
    pacer, endpoint = Pacer(clock, {Kind.TOKEN: TEN_A_MINUTE}), Endpoint(clock)

    await all_at_once(clock, *[through(pacer, endpoint)] * 3)

    assert len(endpoint.asked) == 3


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 7), seconds=st.integers(1, 90), requests=st.integers(1, 25), pause=st.integers(0, 40))
def test_no_window_holds_more_requests_than_declared(count, seconds, requests, pause):
    async def scenario():
        with stepped_clock() as clock:
            pacer, endpoint = Pacer(clock, {Kind.TOKEN: Rate(count=count, seconds=seconds)}), Endpoint(clock)

            async def later():
                await clock.until(clock.now() + pause)
                await pacer.paced(Kind.TOKEN, None, endpoint)

            half = requests // 2
            await all_at_once(clock, *[through(pacer, endpoint)] * (requests - half), *[later] * half)
            return endpoint.asked

    asked = asyncio.run(scenario())
    assert len(asked) == requests
    assert most_in_a_window(asked, seconds) <= count


async def test_requests_wait_only_when_the_declared_limit_is_used_up():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.AUTHORIZE: TEN_A_MINUTE}), Endpoint(clock)

        await all_at_once(clock, *[through(pacer, endpoint, kind=Kind.AUTHORIZE)] * 11)

    assert endpoint.asked == [0.0] * 10 + [60.5]


async def test_a_slow_request_counts_from_its_answer_on():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.REGISTER: TEN_A_MINUTE}), Endpoint(clock, late=[3] * 10)

        await all_at_once(clock, *[through(pacer, endpoint, Kind.REGISTER)] * 15)

    assert most_in_a_window(endpoint.asked, 60) == 10


async def test_a_request_without_an_answer_counts_when_it_ends():
    with stepped_clock() as clock:
        pacer, asked = Pacer(clock, {Kind.REGISTER: Rate(count=1, seconds=60)}), []

        async def breaks_off():
            await clock.until(clock.now() + (0 if asked else 3))
            asked.append(clock.now())
            raise Blocked("the connection broke off")

        await all_at_once(clock, *[lambda: pacer.paced(Kind.REGISTER, None, breaks_off)] * 2)

    assert asked[1] - asked[0] >= 60


async def test_each_kind_has_its_own_limit():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.TOKEN: Rate(count=1, seconds=60)}), Endpoint(clock)

        await all_at_once(clock, through(pacer, endpoint), through(pacer, endpoint, Kind.REGISTER))

    assert endpoint.asked == [0.0, 0.0]


async def test_each_source_address_has_its_own_limit():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.TOKEN: Rate(count=1, seconds=60)}), Endpoint(clock)

        await all_at_once(clock, through(pacer, endpoint), through(pacer, endpoint, source="127.2.0.1"))

    assert endpoint.asked == [0.0, 0.0]


async def test_a_login_by_hand_counts_too():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.LOGIN: Rate(count=1, seconds=60)}), Endpoint(clock)

        async def by_hand():
            await pacer.charge(Kind.LOGIN, None)

        await all_at_once(clock, by_hand, through(pacer, endpoint, Kind.LOGIN))

    assert endpoint.asked == [60.5]
    assert pacer.spent[Kind.LOGIN] == 2


async def test_the_lowest_rank_goes_first():
    with stepped_clock() as clock:
        pacer, order = Pacer(clock, {Kind.AUTHORIZE: Rate(count=1, seconds=60)}), []

        def ranked(rank):
            async def send():
                order.append(rank)
                return answer(200, at=clock.now())

            return lambda: pacer.paced(Kind.AUTHORIZE, None, send, rank=rank)

        await all_at_once(clock, *[ranked(rank) for rank in (5, 3, 9, 1, 7)])

    assert order == [5, 1, 3, 7, 9]


async def test_a_cancelled_request_does_not_hold_up_the_queue():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.TOKEN: Rate(count=1, seconds=60)}), Endpoint(clock)
        async with clock.running():
            crowd = [asyncio.ensure_future(running(clock, through(pacer, endpoint))) for _ in range(5)]
            for _ in range(20):
                await asyncio.sleep(0)
            crowd[1].cancel()
            crowd[3].cancel()
            await clock.for_result_of(asyncio.gather(*crowd, return_exceptions=True))

    assert endpoint.asked == [0.0, 60.5, 121.0]


async def test_returned_room_is_not_used_after_its_window():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.AUTHORIZE: TEN_A_MINUTE}), Endpoint(clock)
        request = through(pacer, endpoint, Kind.AUTHORIZE)

        async def gives_back_what_another_sleeps_for():
            lane = pacer._lane(Kind.AUTHORIZE, None)
            taken = [await lane.take() for _ in range(10)]
            for _ in range(10):
                await asyncio.sleep(0)
            lane.give_back(taken[0])

        await all_at_once(clock, gives_back_what_another_sleeps_for, *[request] * 21)

    assert len(endpoint.asked) == 21
    assert most_in_a_window(endpoint.asked, 60) == 10
