"""Elements of an HTML page: their attributes, labels and URLs."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from bs4.element import NavigableString, Tag

if TYPE_CHECKING:
    from bs4 import BeautifulSoup

MOST_ELEMENTS = 1000
"""How many elements of one kind (links, forms, controls, headings) are read; no page for people has more."""
MOST_PARTS = 200
"""How many nodes below an element are read for its label."""


def tags_named(soup: BeautifulSoup, *names: str) -> list[Tag]:
    """Return the first tags with these names; `find_all` with several names takes ten times as long."""
    return [tag for tag in soup.descendants if isinstance(tag, Tag) and tag.name in names][:MOST_ELEMENTS]


def absolute_url(base: str, reference: str) -> str | None:
    """Resolve `reference` as browsers do: trim white space, remove tabs and line ends; None if it is not a URL."""
    try:
        resolved = urljoin(base, re.sub(r"[\t\r\n]", "", reference.strip()))
        urlsplit(resolved)
    except ValueError:
        return None
    return resolved


def label_of(tag: Tag) -> str:
    """Return the text of a link or button; an unclosed element contains the rest of the page, so read only its beginning."""
    parts = islice(tag.descendants, MOST_PARTS)
    return " ".join(" ".join(part for part in parts if type(part) is NavigableString).split())


def attribute(tag: Tag, name: str) -> str:
    """The value of an attribute; empty if it is missing."""
    value = tag.get(name)
    return value if isinstance(value, str) else " ".join(value or ())
