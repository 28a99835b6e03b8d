"""The order of waiting requests: by group, rank and arrival, with promotion of requests that wait long."""

import math

import pytest

from oauth_litmus.limits.ordering import Ticket, Turn, next_ticket, promote_overdue, turn_of
from oauth_litmus.limits.priority import DUE_NOW, URGENT

ROOM_NOW, NO_ROOM = 0.0, math.inf


def ticket(number, rank=0, count=1, since=0.0):
    return Ticket(turn_of(rank, count), rank, number, count, since, rank)


def order(*tickets):
    return [each.number for each in sorted(tickets)]


def test_the_lowest_rank_goes_first_and_equal_ranks_by_arrival():
    assert order(ticket(0, rank=5), ticket(1, rank=3), ticket(2, rank=3)) == [1, 2, 0]


def test_urgent_single_requests_go_before_urgent_races_and_these_before_all_others():
    tickets = ticket(0, count=9), ticket(1, rank=0), ticket(2, rank=URGENT, count=9), ticket(3, rank=URGENT)

    assert order(*tickets) == [3, 2, 1, 0]


def test_a_request_that_is_due_now_goes_before_an_urgent_one():
    assert order(ticket(0, rank=URGENT), ticket(1, rank=DUE_NOW)) == [1, 0]


@pytest.mark.parametrize(("since", "turn"), [(100.0, Turn.PATIENT_RACE), (99.0, Turn.NEXT)])
def test_a_race_is_promoted_after_three_windows(since, turn):
    race = ticket(0, count=9, since=since)

    promote_overdue([race], now=280.0, window=60.0, singles=False)

    assert race.turn is turn


@pytest.mark.parametrize(("singles", "turn"), [(False, Turn.ANY), (True, Turn.NEXT)])
def test_a_single_request_is_promoted_after_one_window_where_grants_expire(singles, turn):
    single = ticket(0, rank=7, since=0.0)

    promote_overdue([single], now=61.0, window=60.0, singles=singles)

    assert single.turn is turn


def test_promoted_requests_go_in_the_order_in_which_they_came():
    early, late = ticket(0, rank=9), ticket(1, rank=2)

    promote_overdue([late, early], now=61.0, window=60.0, singles=True)

    assert order(late, early) == [0, 1]


def test_a_promotion_does_not_change_the_rank_that_was_asked_for():
    single = ticket(0, rank=7)

    promote_overdue([single], now=61.0, window=60.0, singles=True)

    assert single.asked_rank == 7


def test_nothing_goes_when_nothing_waits():
    assert next_ticket([], 0.0, lambda each: ROOM_NOW, lambda race, begins: True) is None


def test_the_first_ticket_goes_when_there_is_room():
    first, second = ticket(0, rank=1), ticket(1, rank=2)

    assert next_ticket([second, first], 0.0, lambda each: ROOM_NOW, lambda race, begins: True) is first


def test_a_single_request_does_not_pass_another_one():
    first, second = ticket(0, rank=1), ticket(1, rank=2)
    room = {0: 5.0, 1: ROOM_NOW}

    assert next_ticket([first, second], 0.0, lambda each: room[each.number], lambda race, begins: True) is None


@pytest.mark.parametrize(
    ("fits", "begins", "goes"),
    [
        pytest.param(True, 5.0, True, id="it fits before the race"),
        pytest.param(False, 5.0, False, id="it would delay the race"),
        pytest.param(True, NO_ROOM, False, id="a trial request is pending"),
    ],
)
def test_a_single_request_passes_a_waiting_race_if_it_fits(fits, begins, goes):
    race, single = ticket(0, rank=URGENT, count=9), ticket(1, rank=4)
    room = {0: begins, 1: ROOM_NOW}

    chosen = next_ticket([race, single], 0.0, lambda each: room[each.number], lambda race, begins: fits)

    assert chosen is (single if goes else None)
