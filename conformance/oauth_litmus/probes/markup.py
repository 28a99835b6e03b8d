"""Detects injected markup and scripts in a page, and internals of the server in an answer."""

from __future__ import annotations

import re

from oauth_litmus.browser.hypertext import parsed

CALL = "litmus(1)"
"""The call that the suite's injected scripts contain; no server's own page contains it."""
MARKUP = f"\"' onfocus={CALL} x=\"'></script><script>{CALL}</script>"
IMAGE = f"<img src=x onerror={CALL}>"
SCRIPT_URL = f"javascript:{CALL}"
_FOLLOWED = ("href", "action", "formaction", "src")
_INTERNALS = re.compile(
    r"Traceback \(most recent call last\)|File \"[^\"]+\", line \d+|^[ \t]+at [\w$.<>]{1,200} ?\([^)\n]{0,400}?:\d+|SQLSTATE|WRONGTYPE"
    r"|\b(?:redis|psycopg2?|asyncpg|sqlalchemy|pymongo)\.[a-z.]{0,80}exceptions?\b",
    re.MULTILINE,
)


def injected(html: str, *, images: bool = False) -> str | None:
    """Describe the suite's markup that became part of the page; None if the page shows all of it as text.

    A script URL as the source of an image counts only with `images`, because no current browser runs it.
    """
    soup = parsed(html)
    if any(tag.get_text().strip() == CALL for tag in soup.find_all("script")):
        return "a script element"
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            text = str(value).strip().lower()
            if name.lower() in ("onfocus", "onerror") and "litmus" in text:
                return f"an attribute of <{tag.name}>"
            inert = tag.name == "img" and not images
            if name.lower() in _FOLLOWED and text.startswith(SCRIPT_URL) and not inert:
                return f"a script URL in <{tag.name} {name}>"
    return None


def internals(text: str) -> str | None:
    """Internals that an answer reveals: a traceback, or an error of the server's store; None if it reveals none."""
    found = _INTERNALS.search(text)
    return found[0].strip() if found else None
