"""A shared result is made once, by the first check that asks. If making it fails, every check that asks fails the same way."""

import asyncio

import pytest
from core_worlds import run_with, stepped_clock

from oauth_litmus.verdict import Blocked, NotApplicable


class Workshop:
    """Makes something slowly, and counts."""

    def __init__(self, run, fails=None):
        self.run = run
        self.fails = fails
        self.made = 0
        self.may_go_on = asyncio.Event()

    async def make(self):
        self.made += 1
        number = self.made
        await self.may_go_on.wait()
        if self.fails is not None:
            raise self.fails
        return f"thing {number}"

    async def ask(self, key="thing", asker=""):
        async with self.run.clock.running():
            return await self.run.shared.once(key, self.make, asker)


async def a_few_turns():
    for _ in range(10):
        await asyncio.sleep(0)


async def asked(workshop, times):
    asking = [asyncio.ensure_future(workshop.ask(asker=f"A-{number:02}")) for number in range(times)]
    await a_few_turns()
    workshop.may_go_on.set()
    return await asyncio.gather(*asking, return_exceptions=True)


async def test_many_who_ask_at_once_get_one_thing():
    workshop = Workshop(run_with())

    assert await asked(workshop, 30) == ["thing 1"] * 30
    assert workshop.made == 1


async def test_who_asks_later_gets_the_same():
    workshop = Workshop(run_with())
    await asked(workshop, 1)

    assert await workshop.ask() == "thing 1"


async def test_another_key_is_another_thing():
    workshop = Workshop(run_with())
    workshop.may_go_on.set()

    assert [await workshop.ask("a"), await workshop.ask("b")] == ["thing 1", "thing 2"]


@pytest.mark.parametrize("failure", [Blocked("refused"), NotApplicable("not offered"), RuntimeError("oops")])
async def test_every_check_gets_the_failure_and_none_tries_again(failure):
    workshop = Workshop(run_with(), failure)
    got = await asked(workshop, 3)

    with pytest.raises(type(failure), match=str(failure)):
        await workshop.ask()
    assert got == [failure] * 3
    assert workshop.made == 1


async def test_who_asked_is_remembered_in_order():
    workshop = Workshop(run_with())
    await asked(workshop, 3)

    assert workshop.run.shared.askers == {"thing": ["A-00", "A-01", "A-02"]}


async def test_one_who_is_cancelled_while_waiting_takes_nothing_from_the_others():
    workshop = Workshop(run_with())
    maker, impatient, patient = (asyncio.ensure_future(workshop.ask()) for _ in range(3))
    await a_few_turns()
    impatient.cancel()
    await a_few_turns()
    workshop.may_go_on.set()

    assert await asyncio.gather(maker, patient) == ["thing 1", "thing 1"]
    assert impatient.cancelled()


async def test_a_maker_that_is_cancelled_leaves_no_check_waiting():
    workshop = Workshop(run_with())
    maker, waiter = asyncio.ensure_future(workshop.ask()), asyncio.ensure_future(workshop.ask())
    await a_few_turns()
    maker.cancel()
    await asyncio.wait([maker, waiter], timeout=5)

    assert maker.cancelled()
    assert waiter.cancelled()
    assert workshop.run.clock.ready == 0


async def test_who_waits_for_what_another_makes_does_not_hold_the_clock():
    with stepped_clock() as clock:
        run = run_with(clock=clock)
        begun = clock.now()

        async def make():
            await clock.until(begun + 60)
            return "thing"

        async def ask():
            async with clock.running():
                return await run.shared.once("thing", make)

        assert await asyncio.wait_for(asyncio.gather(ask(), ask()), 5) == ["thing", "thing"]
