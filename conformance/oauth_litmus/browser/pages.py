"""Read an HTML page as a person sees it: its text, links and forms, and the target of a meta refresh."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bs4.element import CData, NavigableString, Tag
from soupsieve import SelectorSyntaxError

from oauth_litmus.browser.choice import choose
from oauth_litmus.browser.elements import absolute_url, attribute, label_of, tags_named
from oauth_litmus.browser.form_reading import (
    CONTROLS,
    controls_by_form,
    forms_of,
    own_controls,
    script_buttons,
    sending_forms,
    submits,
)
from oauth_litmus.browser.forms import Button, Field, Form, Option, Submission
from oauth_litmus.browser.hypertext import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bs4 import BeautifulSoup

__all__ = ["Button", "Field", "Form", "Link", "Option", "Page", "Submission", "choose_form", "mentions", "read_page"]

_REFRESH = re.compile(r"\s*[0-9.]+\s*(?:[;,\s]\s*(?:url\s*=\s*)?(?P<url>.*))?", re.IGNORECASE | re.DOTALL)
_UNSEEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HEADINGS = tuple(f"h{level}" for level in range(1, 7))


@dataclass(frozen=True, slots=True)
class Link:
    """A link: its absolute URL and its text."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page as data: `text` is the visible text with single spaces; `meta_refresh` is an absolute URL."""

    url: str
    title: str = ""
    text: str = ""
    forms: tuple[Form, ...] = ()
    links: tuple[Link, ...] = ()
    meta_refresh: str | None = None
    headings: tuple[str, ...] = ()
    script_buttons: tuple[str, ...] = ()
    """The labels of buttons that submit no form, so that only a script can handle them."""
    html: str = field(default="", repr=False, compare=False)

    @property
    def has_script(self) -> bool:
        """Whether the page has scripts, so that it may behave differently from its markup."""
        return "<script" in self.html.lower()


def read_page(url: str, html: str) -> Page:
    """Read any string as the page at `url`; never raises. Scripts do not run, so their effects are not seen."""
    soup = parsed(html)
    base = _base(url, soup)
    title = soup.find("title")
    owned = controls_by_form(soup)
    forms, links = tuple(forms_of(url, base, soup, owned)), tuple(_links(base, soup))
    refresh = _meta_refresh(url, base, soup)
    headings = tuple(label_of(tag) for tag in tags_named(soup, *_HEADINGS))
    buttons = tuple(script_buttons(soup, owned))
    said = label_of(title) if title else ""
    return Page(url, said, _visible_text(soup), forms, links, refresh, headings, buttons, html)


def found_by(page: Page, selector: str) -> bool:
    """Whether a CSS selector matches an element of the page; a malformed selector matches none."""
    return _found(parsed(page.html), selector) is not None


def pressable(page: Page, selector: str) -> Link | tuple[Form, Button | None] | None:
    """Return the link, or the form and its button, that a CSS selector matches; None if it matches neither.

    For a selector that matches a form, the button is the form's first one, or None.
    """
    soup = parsed(page.html)
    found = _found(soup, selector)
    base = _base(page.url, soup)
    while found is not None and found.name not in ("a", "form", *CONTROLS):
        found = found.parent if isinstance(found.parent, Tag) else None  # e.g. an icon inside a button
    if found is None:
        return None
    if found.name == "a":
        url = absolute_url(base, attribute(found, "href"))
        return Link(url, label_of(found)) if url else None
    owned = controls_by_form(soup)
    tags = sending_forms(base, page.url, soup)
    for (tag, _), form in zip(tags, page.forms, strict=True):
        own = [control for control in own_controls(owned, tag) if submits(control)]
        if tag is found:
            return form, next(iter(form.buttons), None)
        if any(control is found for control in own):
            return form, form.buttons[[control is found for control in own].index(True)]
    return None


def _found(soup: BeautifulSoup, selector: str) -> Tag | None:
    try:
        return soup.select_one(selector)
    except SelectorSyntaxError:
        return None


def choose_form(page: Page, fields: Mapping[str, str], *, approve: bool = True) -> Submission | None:
    """Return the submission by which a person goes on, or refuses if `approve` is False; None if no form fits.

    `fields` are values by field name, such as the user name and password of the profile.
    """
    chosen = choose(page.forms, fields, approve=approve)
    return chosen.submission() if chosen else None


def mentions(page: Page, text: str) -> bool:
    """Whether the visible text of the page contains `text`; case and white space do not matter."""
    # Remove all white space, because inline tags may split a name.
    return "".join(text.split()).casefold() in "".join(page.text.split()).casefold()


def _base(url: str, soup: BeautifulSoup) -> str:
    tag = soup.find("base", href=True)
    return (absolute_url(url, attribute(tag, "href")) if tag else None) or url


def _links(base: str, soup: BeautifulSoup) -> Iterator[Link]:
    for tag in tags_named(soup, "a"):
        url = absolute_url(base, attribute(tag, "href")) if tag.has_attr("href") else None
        if url is not None and urlsplit(url).scheme != "javascript":
            yield Link(url, label_of(tag))


def _meta_refresh(url: str, base: str, soup: BeautifulSoup) -> str | None:
    for tag in tags_named(soup, "meta"):
        match = _REFRESH.fullmatch(attribute(tag, "content"))
        if match is None or attribute(tag, "http-equiv").strip().lower() != "refresh":
            continue
        target = (match["url"] or "").strip()
        if target[:1] in ("'", '"'):
            target = target[1:].partition(target[0])[0]
        return absolute_url(base, target) if target else url
    return None


def _visible_text(soup: BeautifulSoup) -> str:
    """Return the text of the page without its head and hidden elements."""
    parts: list[str] = []
    open_tags = [iter(soup.contents)]
    while open_tags:
        for child in open_tags[-1]:
            if isinstance(child, Tag):
                if not _is_unseen(child):
                    open_tags.append(iter(child.contents))
                    break
            elif type(child) in (NavigableString, CData):
                parts.append(str(child))
        else:
            open_tags.pop()
    return " ".join(" ".join(parts).split())


def _is_unseen(tag: Tag) -> bool:
    return (
        tag.name in ("head", "title", "script", "style", "template")
        or tag.has_attr("hidden")
        or _UNSEEN_STYLE.search(attribute(tag, "style")) is not None
    )
