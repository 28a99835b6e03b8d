"""The order of the requests that wait for a rate limit."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from oauth_litmus.limits.priority import URGENT

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable, Sequence

_WINDOWS_A_RACE_WAITS = 3
"""Windows for which a race lets single requests go first."""


class Turn(IntEnum):
    """The groups of waiting requests, the first one first.

    A single request often holds a grant that expires while it waits. A race may need a whole window.
    """

    FIRST = 0
    NEXT = 1
    ANY = 2
    PATIENT_RACE = 3


@dataclass(order=True)
class Ticket:
    """Requests that wait together: one, or those of a race."""

    turn: Turn
    rank: int
    number: int
    """Tickets of one turn and rank go in the order in which they came."""
    count: int = field(compare=False)
    since: float = field(compare=False)
    """When the waiting began, in Unix seconds."""
    asked_rank: int = field(compare=False)
    """The rank with which the ticket was made. A promotion does not change it."""
    admitted_at: float | None = field(default=None, compare=False)
    alone: bool = field(default=False, compare=False)
    """Whether it was admitted as the only request, to see whether the server accepts requests again."""
    nudge: asyncio.Future[None] | None = field(default=None, compare=False)


def turn_of(rank: int, count: int) -> Turn:
    """The group of a new ticket."""
    if rank <= URGENT:
        return Turn.FIRST if count == 1 else Turn.NEXT
    return Turn.ANY if count == 1 else Turn.PATIENT_RACE


def promote_overdue(tickets: Iterable[Ticket], now: float, window: float, *, singles: bool) -> None:
    """Move tickets that have waited long to the group `NEXT`, in the order in which they came.

    Args:
        tickets: the waiting tickets.
        now: the present instant.
        window: seconds of the limit's window.
        singles: whether single requests are overdue after one window. A race is overdue after three.
    """
    for ticket in tickets:
        patience = _WINDOWS_A_RACE_WAITS if ticket.turn is Turn.PATIENT_RACE else 1 if singles else math.inf
        if ticket.turn > Turn.NEXT and ticket.since < now - patience * window:
            ticket.turn, ticket.rank = Turn.NEXT, URGENT


def next_ticket(
    tickets: Sequence[Ticket],
    now: float,
    free_at: Callable[[Ticket], float],
    fits_before: Callable[[Ticket, float], bool],
) -> Ticket | None:
    """The ticket that may go now: the first one, or a single request that does not delay a race.

    Args:
        tickets: the waiting tickets.
        now: the present instant.
        free_at: when there is room for a ticket.
        fits_before: whether one more request fits before a race that begins at an instant.
    """
    first = min(tickets, default=None)
    if first is None:
        return None
    begins = free_at(first)
    if begins <= now:
        return first
    if first.count == 1 or begins == math.inf or not fits_before(first, begins):
        return None
    single = min((ticket for ticket in tickets if ticket.count == 1), default=None)
    return single if single is not None and free_at(single) <= now else None
