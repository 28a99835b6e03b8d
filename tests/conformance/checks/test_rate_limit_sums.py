"""How many requests a legal limiter admits in a burst, and what a limit's checks may push against."""

import pytest

from oauth_litmus.checks.rate_limit.sums import MOST_AT_ONCE, MOST_TO_RACE, Burst
from oauth_litmus.limits.rates import Rate
from oauth_litmus.probes.limited_actions import longest_window, rate_of
from oauth_litmus.target.discovery import Discovered
from oauth_litmus.target.profile import Profile
from oauth_litmus.target.server import Server
from oauth_litmus.verdict import Skipped

TEN_A_MINUTE = Rate(count=10, seconds=60)


def burst(took: float, rate: Rate = TEN_A_MINUTE) -> Burst:
    return Burst(rate, (), took)


def server(**limits: str) -> Server:
    return Server(Profile.model_validate({"limits": limits}), Discovered("", {}, None, "", ""))


def test_a_token_bucket_may_gain_what_time_gives_it():
    assert burst(0).allowed == 10
    assert burst(6).allowed == 11


@pytest.mark.parametrize(("took", "possible"), [(0.5, False), (29.0, False), (29.5, True), (60.0, True)])
def test_two_bursts_meet_two_edges_only_if_they_are_long(took, possible):
    # The second begins a window and a second after the end of the first: an edge in the first comes back before it.
    assert burst(took).may_meet_two_edges is possible


def test_the_largest_limit_that_is_raced_for_can_be_seen_to_slip():
    assert MOST_AT_ONCE > 1.2 * 2 * MOST_TO_RACE


def test_the_first_action_with_a_limit_is_pushed():
    assert rate_of(server(token="7/60"), "token_failures", "token") == ("token", Rate(count=7, seconds=60))


@pytest.mark.parametrize("limits", [{}, {"start": "201/60"}])
def test_without_a_limit_that_can_be_pushed_it_is_said_how_to_declare_one(limits):
    with pytest.raises(Skipped, match=r'as `\[limits\] start = "10/60"`'):
        rate_of(server(**limits), "start")


def test_the_longest_window_counts_where_all_are_awaited():
    assert longest_window(server(start="5/60", register="5/300")) == 300
    assert longest_window(server()) == 0
