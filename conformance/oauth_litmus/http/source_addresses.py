"""Source addresses: on loopback every check can come from a 127.x.y.z of its own."""

from __future__ import annotations

import itertools
import secrets
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST = (2 << 16) + 1
"""127.2.0.1: away from 127.0.0.1, which servers trust as a proxy, and from 127.0.1.1, which hosts files use."""


SPREAD = 200 << 16
"""Addresses among which a run begins: windows of limits outlast a run, and the next one must not meet what it used."""


def loopback_addresses() -> Callable[[], str]:
    """A supply of addresses, each handed out once, and hardly ever those of another run."""
    numbers = itertools.count(FIRST + secrets.randbelow(SPREAD))

    def following() -> str:
        number = next(numbers)
        return f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"

    return following


def can_be_bound() -> bool:
    """Whether this system lets a socket come from any 127.x.y.z (Linux does; macOS does not without aliases)."""
    try:
        with socket.socket() as probe:
            probe.bind(("127.2.0.1", 0))
    except OSError:
        return False
    return True
