"""Parse HTML of any size and shape within a second or two, and into a limited number of elements."""

from __future__ import annotations

import time
import warnings
from functools import lru_cache
from html.parser import HTMLParser

from bs4 import BeautifulSoup
from bs4.exceptions import ParserRejectedMarkup

MOST_ELEMENTS = 5_000
"""The most elements that are read: a megabyte of `<a>` would become half a gigabyte of objects."""
_MOST_EVENTS = 10 * MOST_ELEMENTS
"""The most elements, references and pieces of text that are read, together."""
_LONGEST = 0.5
"""Seconds of CPU time after which the rest of a page is not read."""
_PIECE = 16_384
_LAST_WORDS = 4_096
"""The longest unfinished tag (`<a href="…` at the end of a cut page) that is still read, in characters."""


def parsed(html: str) -> BeautifulSoup:
    """Parse a page up to the limits above; return an empty page if the parser rejects it."""
    # Of a repeated attribute the first counts, as in browsers; html.parser by default takes the last.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            readable = html[: _readable(html)]
            return BeautifulSoup(readable, "html.parser", on_duplicate_attribute="ignore", multi_valued_attributes=None)
        except (ParserRejectedMarkup, AssertionError, RecursionError):
            return BeautifulSoup("", "html.parser")


class _Scout(HTMLParser):
    """Counts the elements and events of a page before the real parser reads it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.elements = 0
        self.events = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements += 1
        self.events += 1

    def handle_data(self, data: str) -> None:
        self.events += 1

    def handle_entityref(self, name: str) -> None:
        self.events += 1

    def handle_charref(self, name: str) -> None:
        self.events += 1

    @property
    def is_tired(self) -> bool:
        return self.elements > MOST_ELEMENTS or self.events > _MOST_EVENTS


@lru_cache(maxsize=4)
def _readable(html: str) -> int:
    """Return how many characters of a page can be parsed at once.

    `html.parser` restarts at each `<` of an unfinished tag, and takes hours for a megabyte of `<a <a <a`. So this function
    feeds it the page in pieces; the parser keeps an unfinished tag for the next piece, and a tag that is still unfinished
    at the end is dropped. The result is cached because several callers read one page.
    """
    if len(html) <= _LAST_WORDS:
        return len(html)
    scout, ends, fed = _Scout(), time.process_time() + _LONGEST, 0
    while fed < len(html) and not scout.is_tired and time.process_time() < ends:
        scout.feed(html[fed : fed + _PIECE])
        fed += _PIECE
    ended = fed >= len(html)
    return min(fed, len(html)) - (0 if ended and len(scout.rawdata) <= _LAST_WORDS else len(scout.rawdata))
