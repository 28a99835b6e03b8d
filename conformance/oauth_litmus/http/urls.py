"""Helpers that extend URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def with_query(url: str, parameters: Mapping[str, str] | Sequence[tuple[str, str]] | None) -> str:
    """Append parameters to the query of a URL; existing parameters are kept (OAuth 2.1 sections 3.1 and 3.2)."""
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(parameters)}" if parameters else url
