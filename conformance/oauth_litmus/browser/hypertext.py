"""Parses HTML of any size and shape in a second or two, and never into more elements than a page for people has."""

from __future__ import annotations

import time
import warnings
from functools import lru_cache
from html.parser import HTMLParser

from bs4 import BeautifulSoup
from bs4.exceptions import ParserRejectedMarkup

MOST_ELEMENTS = 5_000
"""Elements that are read: a megabyte of `<a>` would become half a gigabyte of objects."""
_MOST_EVENTS = 10 * MOST_ELEMENTS
"""Elements, references and pieces of text between them."""
_LONGEST = 0.5
"""Seconds of computing after which the rest is left."""
_PIECE = 16_384
_LAST_WORDS = 4_096
"""Characters without an end (`<a href="…` with nothing after it) that are read all the same, as in a page that was cut."""


def parsed(html: str) -> BeautifulSoup:
    """The page as far as its measure goes; an empty one if no parser takes it."""
    # The first of two attributes of one name counts, as in browsers; html.parser alone would take the last.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            readable = html[: _readable(html)]
            return BeautifulSoup(readable, "html.parser", on_duplicate_attribute="ignore", multi_valued_attributes=None)
        except (ParserRejectedMarkup, AssertionError, RecursionError):
            return BeautifulSoup("", "html.parser")


class _Scout(HTMLParser):
    """Goes ahead and counts."""

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
    """How many characters can be parsed at once.

    `html.parser` starts over at each `<` of what has no end, and takes hours for a megabyte of `<a <a <a`. So a page is
    fed to it in pieces, it waits for the end of what it cannot read yet, and what it still waits for in the end is left.
    Several look at one page, hence the cache.
    """
    if len(html) <= _LAST_WORDS:
        return len(html)
    scout, ends, fed = _Scout(), time.process_time() + _LONGEST, 0
    while fed < len(html) and not scout.is_tired and time.process_time() < ends:
        scout.feed(html[fed : fed + _PIECE])
        fed += _PIECE
    ended = fed >= len(html)
    return min(fed, len(html)) - (0 if ended and len(scout.rawdata) <= _LAST_WORDS else len(scout.rawdata))
