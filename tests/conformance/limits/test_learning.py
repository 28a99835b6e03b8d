"""A 429 shows the rate of an undeclared limit, and tightens a known one."""

import pytest

from oauth_litmus.limits.learning import Refusal, rate_learned
from oauth_litmus.limits.rates import Rate


def refusal(at=30.0, known=None, accepting_since=-600.0):
    return Refusal(at, known, accepting_since)


def test_the_accepted_requests_of_the_window_are_the_limit():
    assert rate_learned([1, 2, 3, 4, 5], refusal(), retry_after=31) == Rate(count=5, seconds=60)


def test_nothing_is_learned_if_no_request_was_accepted():
    assert rate_learned([], refusal(known=Rate(count=7, seconds=60)), retry_after=60) == Rate(count=7, seconds=60)


def test_requests_of_an_earlier_window_do_not_count():
    assert rate_learned([1, 2, 100, 101], refusal(at=130.0), retry_after=30) == Rate(count=2, seconds=60)


@pytest.mark.parametrize(("first", "seconds"), [(1.0, 60), (3.5, 60), (20.0, 40)])
def test_a_window_that_is_nearly_a_common_one_is_that_one(first, seconds):
    assert rate_learned([first], refusal(at=30.0), retry_after=30) == Rate(count=1, seconds=seconds)


def test_a_known_rate_is_never_loosened():
    known = Rate(count=3, seconds=60)

    assert rate_learned([1, 2, 3, 4, 5], refusal(known=known), retry_after=31) == known


def test_a_known_rate_is_tightened():
    assert rate_learned([1, 2], refusal(known=Rate(count=9, seconds=60)), retry_after=31) == Rate(count=2, seconds=60)


def test_a_longer_retry_after_shows_a_longer_window():
    learned = rate_learned([1, 2], refusal(known=Rate(count=2, seconds=60)), retry_after=271)

    assert learned == Rate(count=2, seconds=300)


def test_a_refusal_soon_after_another_one_at_most_halves_the_known_rate():
    known = Rate(count=10, seconds=60)

    learned = rate_learned([25], refusal(at=30.0, known=known, accepting_since=20.0), retry_after=40)

    assert learned == Rate(count=5, seconds=60)
