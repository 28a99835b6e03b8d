"""The pacer learns from a 429: the rate, and when to retry (RFC 9110 section 10.2.3)."""

import asyncio
import math
from dataclasses import replace
from email.utils import formatdate

import httpx
import pytest
from core_worlds import answer, stepped_clock
from pacing import Endpoint, all_at_once, running, through

from oauth_litmus.http.retry_after import retry_after
from oauth_litmus.limits.pacer import Pacer
from oauth_litmus.limits.rates import Kind, Rate


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
async def test_an_undeclared_limit_is_learned_from_its_first_429(fixed):
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


async def test_slow_traffic_before_the_429_does_not_lower_the_learned_rate():
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
def test_retry_after_is_seconds_or_a_date_relative_to_the_date_of_the_answer(value, date, seconds):
    headers = {name: text for name, text in (("retry-after", value), ("date", date)) if text is not None}
    received = httpx.Headers([(name.encode(), text.encode()) for name, text in headers.items()])

    assert retry_after(replace(answer(429), headers=received)) == seconds


async def test_a_second_429_soon_after_the_first_does_not_make_the_learned_rate_tiny():
    with stepped_clock() as clock:
        pacer, endpoint = Pacer(clock, {}), Endpoint(clock, *[200] * 40, 429, 200, 200, 429, retry_after="20")

        async def busy():
            for _ in range(44):
                await pacer.paced(Kind.TOKEN, None, endpoint)

        await running(clock, busy)

    assert pacer.learnt()[Kind.TOKEN].count >= 20


async def test_a_wrong_declared_rate_is_corrected_at_the_first_429():
    with stepped_clock() as clock:
        pacer, limiter = Pacer(clock, {Kind.TOKEN: Rate(count=100, seconds=60)}), Limiter(clock, 10, 60)

        await all_at_once(clock, *[through(pacer, limiter)] * 30)

    assert pacer.learnt()[Kind.TOKEN].count == 10


async def test_late_answers_still_show_the_whole_window():
    with stepped_clock() as clock:
        counted, refused = [], []

        async def ten_a_minute():
            now = clock.now()
            counted[:] = [instant for instant in counted if instant > now - 60]
            if len(counted) >= 10:
                refused.append(now)
                left = math.floor(counted[0] + 60 - now) + 1
                return answer(429, headers={"retry-after": str(left)}, at=now)
            counted.append(now)
            if now == begun:
                await clock.until(now + 0.9)
            return answer(at=clock.now())

        async def later():
            await clock.until(begun + 1.05)
            await pacer.paced(Kind.TOKEN, None, ten_a_minute)

        pacer, begun = Pacer(clock, {}), clock.now()
        await all_at_once(clock, through(pacer, ten_a_minute), *[later] * 44)

    assert [instant - begun for instant in refused if instant > begun + 10] == []
