"""Priorities in a rate queue. The lowest number goes first; checks have zero or more."""

from __future__ import annotations

DUE_NOW = -2
"""A request whose check has waited long for this very instant. Some room of each window is kept for it."""
URGENT = -1
"""A request that fails if it has to wait, for example because its code expires."""
