"""The time, logins and bursts that the operator allows one run."""

from __future__ import annotations

from dataclasses import dataclass

ROOM_FOR_ANY_RUN = 3 * 3600.0
"""Seconds: a limit of ten logins per minute makes a whole run last 45 minutes."""
_SEVERAL_WAITS = 3


@dataclass(frozen=True)
class Budget:
    """The limits that the operator sets for this run."""

    max_wait: float = 60.0
    """Seconds that one check may wait until a lifetime or a window has ended."""
    burst: bool = False
    max_logins: int | None = None
    confirm: bool = True
    """Whether each red result is judged once more, alone, before it is reported."""
    max_time: float | None = None
    """Real seconds that the whole run may take."""

    @property
    def longest(self) -> float:
        """Seconds after which the run ends in any case: `max_time`, or enough for any ordinary run."""
        return ROOM_FOR_ANY_RUN + _SEVERAL_WAITS * self.max_wait if self.max_time is None else self.max_time
