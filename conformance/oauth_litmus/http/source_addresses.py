"""Source addresses: on loopback, every check can send from its own 127.x.y.z address."""

from __future__ import annotations

import itertools
import secrets
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = (2 << 16) + 1
"""127.2.0.1, which avoids 127.0.0.1 (servers may trust it as a proxy) and 127.0.1.1 (hosts files use it)."""


SPREAD = 200 << 16
"""The range for the random first address: a rate-limit window can outlast a run, so the next run needs other addresses."""


def loopback_addresses() -> Callable[[], str]:
    """Return a function that returns a new address at each call, rarely one that another run has used."""
    numbers = itertools.count(FIRST + secrets.randbelow(SPREAD))

    def following() -> str:
        number = next(numbers)
        return f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    return following


def can_be_bound() -> bool:
    """Whether a socket on this system may bind any 127.x.y.z (Linux allows it; macOS only with aliases)."""
    try:
        with socket.socket() as probe:
            probe.bind(("127.2.0.1", 0))
    except OSError:
        return False
    return True
