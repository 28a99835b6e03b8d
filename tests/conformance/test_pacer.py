"""Budgets: what is declared is kept, what is not is learnt from a 429, and nobody hammers a closed door."""

import asyncio
from dataclasses import replace
from email.utils import formatdate

import httpx
import pytest
from core_worlds import answer, stepped_clock
from hypothesis import given, settings
from hypothesis import strategies as st

from oauth_litmus.clock import WallClock
from oauth_litmus.lane import FIRST_OF_ALL, retry_after
from oauth_litmus.pacer import Pacer
from oauth_litmus.rates import Kind, Rate
from oauth_litmus.verdict import Blocked

TEN_A_MINUTE = Rate(count=10, seconds=60)


class Door:
    """A server that answers with these statuses in turn, and then with 200; it remembers when it was asked."""

    def __init__(self, clock, *statuses, **headers):
        self.clock = clock
        self.statuses = list(statuses)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.asked = []
        self.begun = clock.now()

    async def __call__(self):
        self.asked.append(round(self.clock.now() - self.begun, 3))
        status = self.statuses.pop(0) if self.statuses else 200
        await asyncio.sleep(0)
        return answer(status, headers=self.headers, number=len(self.asked), at=self.clock.now())


def most_in_a_window(instants, seconds):
    return max(sum(1 for other in instants if instant <= other < instant + seconds) for instant in instants)


async def running(clock, act):
    async with clock.running():
        return await act()


async def all_at_once(clock, *acts):
    return await asyncio.gather(*(running(clock, act) for act in acts), return_exceptions=True)


def through(pacer, door, kind=Kind.TOKEN, source=None, **how):
    return lambda: pacer.paced(kind, source, door, **how)


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


# A declared rate


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
        pacer, door = Pacer(clock, {Kind.TOKEN: TEN_A_MINUTE}), Door(clock)

        await all_at_once(clock, *[through(pacer, door)] * 11)

    assert door.asked == [0.0] * 10 + [60.5]


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


# A rate that is learnt


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


# Failures at the token endpoint, and races


async def test_failures_have_a_budget_of_their_own():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}, Rate(count=2, seconds=60)), Door(clock, 400, 401)

        async def one_after_the_other():
            for _ in range(3):
                await pacer.paced(Kind.TOKEN, None, door)

        await all_at_once(clock, one_after_the_other)

    assert door.asked == [0.0, 0.0, 60.5]


async def test_failures_elsewhere_are_no_failures_of_the_token_endpoint():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}, Rate(count=1, seconds=60)), Door(clock, 400, 401, 400)

        async def one_after_the_other():
            for kind in (Kind.RESOURCE, Kind.REGISTER, Kind.AUTHORIZE, Kind.TOKEN):
                await pacer.paced(kind, None, door)

        await all_at_once(clock, one_after_the_other)

    assert door.asked == [0.0] * 4


async def test_both_budgets_of_the_token_endpoint_hold_together():
    with stepped_clock() as clock:
        pacer = Pacer(clock, {Kind.TOKEN: Rate(count=2, seconds=10)}, Rate(count=1, seconds=60))
        door = Door(clock, 400)

        async def one_after_the_other():
            await pacer.paced(Kind.TOKEN, None, door)
            await all_at_once(clock, *[through(pacer, door)] * 4)

        await one_after_the_other()

    assert door.asked[1] == 60.5
    assert most_in_a_window(door.asked, 10) <= 2


async def test_a_race_begins_when_there_is_room_for_all_of_its_losers():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}, Rate(count=20, seconds=60)), Door(clock, 400)
        begun = clock.now()
        async with clock.running():
            await pacer.paced(Kind.TOKEN, None, door)
            await pacer.before_race(Kind.TOKEN, None, 19)
            assert clock.now() == begun

            await pacer.before_race(Kind.TOKEN, None, 2)

            assert clock.now() == pytest.approx(begun + 60.5, abs=1e-3)


async def test_a_race_lets_those_go_first_that_hold_a_code():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}, Rate(count=20, seconds=60)), Door(clock, *[400] * 10)
        begun, raced = clock.now(), []

        async def race():
            await pacer.before_race(Kind.TOKEN, None, 18, rank=1)
            raced.append(clock.now() - begun)

        await all_at_once(clock, *[through(pacer, door)] * 5, race, *[through(pacer, door, rank=2)] * 5)

    assert door.asked == [0.0] * 10
    assert raced == [pytest.approx(60.5, abs=1e-3)]


async def test_a_race_is_patient_for_three_windows_and_no_longer():
    with stepped_clock() as clock:
        pacer = Pacer(clock, {Kind.CALLBACK: Rate(count=4, seconds=60)})
        begun, raced = clock.now(), []

        async def busy():
            for _ in range(12):
                await pacer.paced(Kind.CALLBACK, None, Door(clock), rank=1)

        async def race():
            await pacer.before_race(Kind.CALLBACK, None, 4)
            raced.append(clock.now() - begun)

        await all_at_once(clock, busy, busy, busy, race)

    assert 180 <= raced[0] <= 300


async def test_whoever_holds_a_code_waits_no_longer_than_a_window_for_those_of_lower_rank():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {Kind.CALLBACK: Rate(count=2, seconds=60)}), Door(clock)
        begun, late = clock.now(), []

        async def busy():
            for _ in range(8):
                await pacer.paced(Kind.CALLBACK, None, door)

        async def last():
            await pacer.paced(Kind.CALLBACK, None, door, rank=9)
            late.append(clock.now() - begun)

        await all_at_once(clock, busy, busy, busy, last)

    assert late[0] <= 130


async def test_who_waited_for_an_instant_goes_before_a_race_that_did():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {Kind.TOKEN: Rate(count=4, seconds=60)}), Door(clock)
        order = []

        async def race():
            await pacer.before_race(Kind.TOKEN, None, 4, rank=FIRST_OF_ALL)
            order.append("race")

        async def single():
            await pacer.paced(Kind.TOKEN, None, door, rank=FIRST_OF_ALL)
            order.append("single")

        await all_at_once(clock, *[through(pacer, door)] * 4, race, single)

    assert order == ["single", "race"]


async def test_a_race_gives_back_the_room_of_those_who_did_not_fail():
    with stepped_clock() as clock:
        pacer = Pacer(clock, {}, Rate(count=20, seconds=60))
        begun = clock.now()
        async with clock.running():
            race = await pacer.before_race(Kind.TOKEN, None, 20)
            race.is_over([answer(200, at=begun)] * 15 + [answer(400, at=begun)] * 5)
            await pacer.before_race(Kind.TOKEN, None, 15)

            assert clock.now() == begun


def test_a_race_is_no_larger_than_a_declared_limit_lets_through():
    pacer = Pacer(WallClock(1), {Kind.TOKEN: Rate(count=12, seconds=60)}, Rate(count=5, seconds=60))

    assert pacer.most_at_once(Kind.TOKEN, None, 20) == 5


async def test_a_429_in_a_race_closes_the_kind_like_any_other():
    with stepped_clock() as clock:
        pacer, door = Pacer(clock, {}), Door(clock)
        async with clock.running():
            race = await pacer.before_race(Kind.TOKEN, None, 18)
            race.is_over([answer(429, headers={"retry-after": "5"}, at=clock.now())] * 18)

        (got,) = await all_at_once(clock, through(pacer, door))

    assert (got.status, door.asked) == (200, [5.5])


async def test_no_race_waits_for_a_door_that_is_closed_for_long():
    with stepped_clock() as clock:
        pacer = Pacer(clock, {})
        race = await running(clock, lambda: pacer.before_race(Kind.TOKEN, None, 2))
        race.is_over([answer(429, headers={"retry-after": "99999999999999999999"})])

        with pytest.raises(Blocked):
            await running(clock, lambda: pacer.before_race(Kind.TOKEN, None, 2))


# What a 429 teaches


class Limiter:
    """A server with a sliding or a fixed window that says truly when to come again."""

    def __init__(self, clock, count, seconds, *, fixed=False):
        self.clock, self.count, self.seconds, self.fixed = clock, count, seconds, fixed
        self.admitted, self.refused = [], 0

    async def __call__(self):
        await asyncio.sleep(0)
        now = self.clock.now()
        since = now // self.seconds * self.seconds if self.fixed else now - self.seconds
        within = [instant for instant in self.admitted if (instant >= since if self.fixed else instant > since)]
        if len(within) < self.count:
            self.admitted.append(now)
            return answer(200, at=now)
        self.refused += 1
        left = (since if self.fixed else within[0]) + self.seconds - now
        return answer(429, headers={"retry-after": str(max(1, round(left + 0.5)))}, at=now)


@pytest.mark.parametrize("fixed", [False, True], ids=["sliding", "fixed"])
async def test_a_limit_that_nobody_declared_is_learnt_at_its_first_refusal(fixed):
    with stepped_clock() as clock:
        pacer, limiter = Pacer(clock, {}), Limiter(clock, 10, 60, fixed=fixed)

        async def one_after_the_other():
            for _ in range(3):
                await pacer.paced(Kind.TOKEN, None, limiter)

        got = await all_at_once(clock, *[one_after_the_other] * 20)

    assert not [each for each in got if isinstance(each, BaseException)]
    assert len(limiter.admitted) == 60
    assert limiter.refused <= 20  # those that were under way when it was met: none after that
    assert pacer.learnt()[Kind.TOKEN].count == 10
    assert limiter.admitted[-1] - limiter.admitted[0] < 7 * 62


async def test_traffic_that_was_slow_at_first_does_not_make_the_learnt_rate_slow():
    with stepped_clock() as clock:
        pacer, limiter = Pacer(clock, {}), Limiter(clock, 10, 60)

        async def trickle():
            for _ in range(30):
                await clock.until(clock.now() + 30)
                await pacer.paced(Kind.TOKEN, None, limiter)
            await clock.for_result_of(asyncio.gather(*(running(clock, through(pacer, limiter)) for _ in range(15))))

        async with clock.running():
            await clock.for_result_of(running(clock, trickle))

    rate = pacer.learnt()[Kind.TOKEN]
    assert 8 <= rate.count <= 10
    assert rate.seconds <= 60


# Retry-After


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("0", None, 0.0),
        ("120", None, 120.0),
        (" 7 ", None, 7.0),
        (formatdate(1_000_060, usegmt=True), formatdate(1_000_000, usegmt=True), 60.0),
        (formatdate(1_000_000, usegmt=True), formatdate(1_000_060, usegmt=True), 0.0),
        (None, None, None),
        ("", None, None),
        ("-1", None, None),
        ("1.5", None, None),
        ("soon", None, None),
        ("\N{ARABIC-INDIC DIGIT THREE}", None, None),
        (formatdate(1_000_060, usegmt=True), None, 1_000_060.0),
        ("Mon, 01 Jan 99999999999999 00:00:00 GMT", formatdate(0, usegmt=True), None),
        ("Mon, 01 Jan 2024 00:00:00 -0000", formatdate(0, usegmt=True), 1_704_067_200.0),
    ],
)
def test_retry_after_is_seconds_or_a_date_against_the_answers_own(value, date, seconds):
    headers = {name: text for name, text in (("retry-after", value), ("date", date)) if text is not None}
    received = httpx.Headers([(name.encode(), text.encode()) for name, text in headers.items()])

    assert retry_after(replace(answer(429), headers=received)) == seconds


@pytest.mark.parametrize(("text", "rate"), [("10/60", (10, 60.0)), (" 5 / 0.5 s ", (5, 0.5)), ("1/1s", (1, 1.0))])
def test_rates_are_written_as_operators_do(text, rate):
    read = Rate.parse(text)

    assert (read.count, read.seconds) == rate


@pytest.mark.parametrize("text", ["", "10", "0/60", "10/0", "-1/60", "10/60m", "ten/60", "10/60/1"])
def test_what_is_no_rate_is_said(text):
    with pytest.raises(ValueError, match="a rate is written N/SECONDS, as in 10/60"):
        Rate.parse(text)


def test_a_rate_is_shown_as_it_is_written():
    assert str(Rate.parse("10/60")) == "10/60"


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
