"""The requests that a rate limit counts, as far as the suite knows."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauth_litmus.limits.rates import Rate

MARGIN = 0.5
"""Seconds added to a window, because the target's clock and ours may differ."""
_REMEMBERED = 2_000
"""Counted requests that are kept: more than any limit allows in its window."""


class Window:
    """The instants at which requests were counted, in Unix seconds, oldest first."""

    def __init__(self) -> None:
        self.counted: deque[float] = deque(maxlen=_REMEMBERED)

    def count(self, instant: float, requests: int = 1) -> None:
        """Count requests at an instant."""
        self.counted.extend([instant] * requests)

    def forget(self, instant: float, requests: int = 1) -> None:
        """Stop counting requests that were counted at an instant."""
        for _ in range(requests):
            if instant in self.counted:
                self.counted.remove(instant)

    def since(self, instant: float) -> int:
        """How many requests were counted after an instant."""
        return sum(1 for counted in self.counted if counted > instant)

    def free_at(self, rate: Rate, now: float, requests: int, kept: int = 0) -> float:
        """When there is room for so many requests, if `kept` places stay free; an instant in the past means now.

        More requests than a whole window allows may go when the window is empty.
        """
        length = rate.seconds + MARGIN
        recent = [counted for counted in self.counted if counted > now - length]
        surplus = len(recent) - max(0, rate.count - kept - requests)
        return recent[min(surplus, len(recent)) - 1] + length if recent and surplus > 0 else 0.0
