"""A burst begins in a window of its own: it waits for the end of those in which something was sent from its address."""

import pytest
from core_worlds import run_with, stepped_clock, target_of

from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.drivers import RedirectsDriver
from oauth_litmus.login.manual import ManualDriver
from oauth_litmus.probes.limited_actions import GUARD, windows_to_end

MINUTE = 60.0


async def waited(*kinds: Kind, separate_sources: bool = False, driver=None) -> float:
    """Seconds until the window is over of which one kind was sent half a minute ago, and another one just now."""
    with stepped_clock() as clock:
        run = run_with(clock=clock, driver=driver or RedirectsDriver())
        run.server.separate_sources = separate_sources
        now = clock.now()
        run.last_sent = {Kind.AUTHORIZE: now - 30, Kind.TOKEN: now}
        async with clock.running():
            await windows_to_end(target_of(run), MINUTE, *kinds)
        return clock.now() - now


@pytest.mark.parametrize(
    ("kinds", "seconds"), [((Kind.AUTHORIZE,), 30), ((Kind.TOKEN,), 60), ((Kind.AUTHORIZE, Kind.TOKEN), 60), ((), 60)]
)
async def test_it_waits_for_the_kinds_that_it_pushes(kinds, seconds):
    assert await waited(*kinds) == seconds + GUARD


async def test_what_was_never_sent_is_not_waited_for():
    assert await waited(Kind.REGISTER) == 0


async def test_who_has_an_address_of_its_own_waits_for_nothing():
    assert await waited(Kind.TOKEN, separate_sources=True) == 0


async def test_what_a_person_sends_is_not_seen_and_a_whole_window_is_waited_for():
    assert await waited(Kind.AUTHORIZE, driver=ManualDriver(1)) == MINUTE + GUARD
