"""The delay that a server asks for in Retry-After (RFC 9110 section 10.2.3)."""

from __future__ import annotations

from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer


def retry_after(answer: Answer) -> float | None:
    """Return the seconds of Retry-After (RFC 9110 section 10.2.3); None if the header is absent or malformed.

    An HTTP-date is compared with the Date of the answer, or with its time of arrival if it has no Date (RFC 9110
    section 6.6.1).
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
    """Parse an HTTP-date into Unix seconds; it is always in GMT, even if it does not say so (RFC 9110 section 5.6.7)."""
    return parsedate_to_datetime(http_date).replace(tzinfo=UTC).timestamp()
