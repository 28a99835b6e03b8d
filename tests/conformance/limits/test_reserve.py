"""Places of a window are kept for urgent requests and for requests that are due now."""

import pytest

from oauth_litmus.limits.priority import DUE_NOW, URGENT
from oauth_litmus.limits.rates import Rate
from oauth_litmus.limits.reserve import places_kept

THIRTY_A_MINUTE = Rate(count=30, seconds=60)


@pytest.mark.parametrize(
    ("rank", "kept"),
    [
        pytest.param(DUE_NOW, 0, id="due now: uses the whole window"),
        pytest.param(URGENT, 3, id="urgent: leaves one tenth"),
        pytest.param(0, 6, id="ordinary: leaves two tenths"),
    ],
)
def test_a_single_request_leaves_places_by_its_rank(rank, kept):
    assert places_kept(THIRTY_A_MINUTE, rank, requests=1) == kept


def test_a_race_leaves_places_even_if_it_is_urgent():
    assert places_kept(THIRTY_A_MINUTE, URGENT, requests=10) == 6


def test_a_race_of_nearly_a_whole_window_leaves_no_places():
    assert places_kept(THIRTY_A_MINUTE, 0, requests=25) == 0


def test_a_small_limit_has_no_reserve():
    assert places_kept(Rate(count=9, seconds=60), 0, requests=1) == 0
