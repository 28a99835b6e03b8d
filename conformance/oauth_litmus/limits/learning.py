"""Learns an undeclared rate limit from a 429."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.limits.rates import Rate

if TYPE_CHECKING:
    from collections.abc import Iterable

_ROUNDING = 2.0
"""Seconds by which a Retry-After may exceed the rest of the window."""
_COMMON_WINDOWS = (60.0, 300.0, 600.0, 900.0, 3_600.0)


@dataclass(frozen=True)
class Refusal:
    """The first 429 of a series, and what was known before it."""

    at: float
    """When it arrived, in Unix seconds."""
    known: Rate | None
    """The rate that was declared, or learned before."""
    accepting_since: float
    """Since when the server had accepted requests again after an earlier series; 0 if there was none."""


def rate_learned(counted: Iterable[float], refusal: Refusal, retry_after: float) -> Rate | None:
    """The rate that a refusal shows: the requests that were accepted in the window that ends after `retry_after` seconds.

    Nothing is learned if no request was accepted. The result is never looser than what was known before.
    """
    counted = list(counted)
    ends = refusal.at + retry_after
    begun = next((instant for instant in counted if instant >= refusal.accepting_since), refusal.at)
    window = _likely_window(ends - begun, retry_after)
    count = sum(1 for instant in counted if instant > ends - window - _ROUNDING)
    if count == 0:
        return refusal.known
    if refusal.known is None:
        return Rate(count=count, seconds=window)
    return _tightened(refusal, count, window, retry_after)


def _likely_window(observed: float, retry_after: float) -> float:
    """The window in seconds: the observed one, or the common window that is only slightly longer."""
    common = next((window for window in _COMMON_WINDOWS if window >= retry_after - _ROUNDING), retry_after)
    window = max(1.0, min(observed, common))
    # The server counted the first requests before their answers arrived, so the observed window is a little short.
    return common if window > common - 2 * _ROUNDING else window


def _tightened(refusal: Refusal, count: int, window: float, retry_after: float) -> Rate:
    known = refusal.known
    if known is None:
        return Rate(count=count, seconds=window)
    longer = window if retry_after > known.seconds + _ROUNDING else known.seconds
    if refusal.accepting_since > refusal.at - known.seconds:
        # Few requests were sent since the last series of refusals, so a low count shows little about the limit.
        count = max(count, known.count // 2)
    return Rate(count=min(count, known.count), seconds=max(longer, known.seconds))
