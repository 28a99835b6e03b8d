"""The record of counted requests says when there is room for more."""

import pytest

from oauth_litmus.limits.rates import Rate
from oauth_litmus.limits.window import MARGIN, Window

THREE_A_MINUTE = Rate(count=3, seconds=60)


def window(*instants):
    counted = Window()
    for instant in instants:
        counted.count(instant)
    return counted


def test_an_empty_window_has_room_now():
    assert window().free_at(THREE_A_MINUTE, now=100, requests=1) <= 100


def test_a_full_window_has_room_when_its_first_request_leaves_it():
    assert window(10, 20, 30).free_at(THREE_A_MINUTE, now=40, requests=1) == 10 + 60 + MARGIN


def test_two_requests_wait_for_two_to_leave():
    assert window(10, 20, 30).free_at(THREE_A_MINUTE, now=40, requests=2) == 20 + 60 + MARGIN


def test_kept_places_count_as_taken():
    assert window(10).free_at(THREE_A_MINUTE, now=40, requests=1, kept=2) == 10 + 60 + MARGIN


def test_more_requests_than_a_window_allows_wait_until_it_is_empty():
    assert window(10, 20).free_at(THREE_A_MINUTE, now=40, requests=9) == 20 + 60 + MARGIN


def test_requests_of_an_earlier_window_do_not_count():
    assert window(10, 11, 12).free_at(THREE_A_MINUTE, now=100, requests=1) <= 100


def test_a_forgotten_request_leaves_room():
    counted = window(10, 20, 30)

    counted.forget(20)

    assert counted.free_at(THREE_A_MINUTE, now=40, requests=1) <= 40


def test_forgetting_an_unknown_request_changes_nothing():
    counted = window(10)

    counted.forget(11)

    assert list(counted.counted) == [10]


@pytest.mark.parametrize(("instant", "later"), [(5, 3), (10, 2), (30, 0)])
def test_requests_after_an_instant_are_counted(instant, later):
    assert window(10, 20, 30).since(instant) == later
