"""After a 429 the pacer stays away, then sends one trial request at a time."""

import asyncio

from core_worlds import stepped_clock
from pacing import Endpoint, all_at_once, most_in_a_window, running, through

from oauth_litmus.limits.pacer import Pacer
from oauth_litmus.limits.rates import Kind, Rate
from oauth_litmus.verdict import Blocked


async def test_a_request_is_retried_after_its_retry_after():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock, 429, retry_after="7")

        (got,) = await all_at_once(clock, through(pacer, endpoint))

    assert (got.status, endpoint.asked) == (200, [0.0, 7.5])


async def test_a_429_without_retry_after_means_one_minute():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock, 429)

        await all_at_once(clock, through(pacer, endpoint))

    assert endpoint.asked == [0.0, 60.5]


async def test_after_a_429_all_requests_wait_until_the_trial_request_is_accepted():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock, 429, retry_after="7")

        async def after_the_refusal():
            await clock.until(clock.now() + 1)
            await pacer.paced(Kind.TOKEN, None, endpoint)

        await all_at_once(clock, through(pacer, endpoint), *[after_the_refusal] * 3)

    assert endpoint.asked == [0.0] + [7.5] * 4


async def test_a_request_that_was_already_waiting_stays_away_too():
    with stepped_clock() as clock:
        pacer = Pacer(clock, {Kind.TOKEN: Rate(count=1, seconds=10)})
        endpoint = Endpoint(clock, 200, 429, retry_after="60")

        await all_at_once(clock, *[through(pacer, endpoint)] * 3)

    assert endpoint.asked[:2] == [0.0, 10.5]
    assert min(endpoint.asked[2:]) == 71.0


async def test_only_one_trial_request_is_sent_at_a_time():
    with stepped_clock() as clock:
        under_way = []
        most = []

        class Crowded(Endpoint):
            async def __call__(self):
                under_way.append(1)
                most.append(len(under_way))
                try:
                    return await super().__call__()
                finally:
                    under_way.pop()

        pacer = Pacer(clock, {})
        endpoint = Crowded(clock, *[429] * 5, retry_after="7")
        await all_at_once(clock, *[through(pacer, endpoint)] * 5)

    assert most[:5] == [1, 2, 3, 4, 5]
    assert most[5] == 1


async def test_requests_refused_together_count_as_one_refusal():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock, *[429] * 5, retry_after="7")

        got = await all_at_once(clock, *[through(pacer, endpoint)] * 5)

    assert [each.status for each in got] == [200] * 5


async def test_three_refusals_in_a_row_end_the_kind():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock, *[429] * 9, retry_after="7")

        got = await all_at_once(clock, *[through(pacer, endpoint)] * 3)
        (late,) = await all_at_once(clock, through(pacer, endpoint))

    assert all(isinstance(each, Blocked) for each in [*got, late])
    assert "3 requests of kind token in a row were answered 429" in str(late)
    assert "--rate token=N/SECONDS" in str(late)
    assert endpoint.asked == [0.0, 0.0, 0.0, 7.5, 15.0]


async def test_an_accepted_request_resets_the_count_of_refusals():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock, 429, 429, 200, 429, 429, 200, retry_after="1")

        async def twice():
            return [await pacer.paced(Kind.TOKEN, None, endpoint) for _ in range(2)]

        (got,) = await all_at_once(clock, twice)

    assert [each.status for each in got] == [200, 200]


async def test_a_429_for_one_kind_does_not_stop_another_kind():
    with stepped_clock() as clock:
        pacer, shut, open_ = Pacer(clock, {}), Endpoint(clock, *[429] * 3), Endpoint(clock)

        await all_at_once(clock, through(pacer, shut), through(pacer, open_, Kind.REGISTER))

    assert open_.asked == [0.0]


async def test_a_very_long_retry_after_blocks_and_names_the_exchange():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock, 429, retry_after="86400")

        (got,) = await all_at_once(clock, through(pacer, endpoint))

    assert isinstance(got, Blocked)
    assert got.exchanges == (1,)
    assert endpoint.asked == [0.0]


async def test_the_retry_of_a_refused_request_counts_too():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {Kind.TOKEN: Rate(count=2, seconds=60)}), Endpoint(clock, 429, retry_after="1")

        await all_at_once(clock, through(pacer, endpoint), through(pacer, endpoint))

    assert most_in_a_window(endpoint.asked, 60) <= 2


async def test_cancelling_a_waiting_request_does_not_affect_the_trial_request():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock, 429, retry_after="7")
        async with clock.running():
            crowd = [asyncio.ensure_future(running(clock, through(pacer, endpoint))) for _ in range(4)]
            for _ in range(20):
                await asyncio.sleep(0)
            for task in crowd:
                task.cancel()
            await asyncio.gather(*crowd, return_exceptions=True)

        (late,) = await all_at_once(clock, through(pacer, endpoint))

    assert late.status == 200
