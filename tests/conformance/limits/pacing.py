"""A rate-limited endpoint, and checks that send to it at once through a pacer."""

import asyncio

from core_worlds import answer

from oauth_litmus.limits.rates import Kind, Rate

TEN_A_MINUTE = Rate(count=10, seconds=60)


class Endpoint:
    """An endpoint that answers with these statuses in turn, then with 200. It records when each request arrived.

    `late` holds the seconds that the first requests take to arrive.
    """

    def __init__(self, clock, *statuses, late=(), **headers):
        self.clock = clock
        self.late = list(late)
        self.statuses = list(statuses)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.asked = []
        self.begun = clock.now()

    async def __call__(self):
        if self.late:
            await self.clock.until(self.clock.now() + self.late.pop(0))
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


def through(pacer, endpoint, kind=Kind.TOKEN, source=None, **how):
    return lambda: pacer.paced(kind, source, endpoint, **how)
