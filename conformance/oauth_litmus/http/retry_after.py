"""When a server asks a client to come back (RFC 9110 section 10.2.3)."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer


def retry_after(answer: Answer) -> float | None:
    """Seconds that a Retry-After asks for (RFC 9110 section 10.2.3), an HTTP-date read against the answer's own Date.

    Where there is no Date (RFC 9110 section 6.6.1), against the moment of its arrival. None if the header is absent or
    malformed.
    """
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        answered_at = _instant(answer.headers["date"]) if "date" in answer.headers else answer.received_at
        return max(0.0, _instant(value) - answered_at)
    except (ValueError, TypeError, OverflowError):
        return None


def _instant(http_date: str) -> float:
    """An HTTP-date in Unix seconds; it is in GMT whether or not it says so (RFC 9110 section 5.6.7)."""
    return parsedate_to_datetime(http_date).replace(tzinfo=UTC).timestamp()
