"""The reserve of a window: places that are kept for requests that fail if they have to wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.limits.priority import DUE_NOW, URGENT

if TYPE_CHECKING:
    from oauth_litmus.limits.rates import Rate

_ONE_SHARE = 10
"""A share of the reserve is one tenth of a window. There are two shares."""
_SHARES = 2


def shares_kept(rank: int, requests: int) -> int:
    """How many shares of the reserve a request must leave free.

    One share is for urgent requests and requests that are due now, the other one only for those that are due now.
    """
    if requests > 1 or rank > URGENT:
        return _SHARES
    return 0 if rank == DUE_NOW else 1


def places_kept(rate: Rate, rank: int, requests: int) -> int:
    """How many places of a window a request must leave free.

    A race of nearly a whole window leaves none free, because it could never begin otherwise.
    """
    kept = shares_kept(rank, requests) * (rate.count // _ONE_SHARE)
    return kept if requests <= rate.count - _SHARES * kept else 0
