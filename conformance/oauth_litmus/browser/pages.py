"""Read an HTML page as a person sees it: its text, links and forms, and the target of a meta refresh."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from bs4.element import CData, NavigableString, Tag
from soupsieve import SelectorSyntaxError

from oauth_litmus.browser.choice import choose
from oauth_litmus.browser.forms import Button, Field, Form, Option, Submission
from oauth_litmus.browser.hypertext import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bs4 import BeautifulSoup

__all__ = ["Button", "Field", "Form", "Link", "Option", "Page", "Submission", "choose_form", "mentions", "read_page"]

_REFRESH = re.compile(r"\s*[0-9.]+\s*(?:[;,\s]\s*(?:url\s*=\s*)?(?P<url>.*))?", re.IGNORECASE | re.DOTALL)
_UNSEEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CONTROLS = ("input", "button", "select", "textarea")
_HEADINGS = tuple(f"h{level}" for level in range(1, 7))
_MOST = 1000
"""How many elements of one kind (links, forms, controls, headings) are read; no page for people has more."""
_PARTS = 200
"""How many nodes below an element are read for its label."""
_ENCTYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


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
    owned = _controls_by_form(soup)
    forms, links = tuple(_forms(url, base, soup, owned)), tuple(_links(base, soup))
    refresh = _meta_refresh(url, base, soup)
    headings = tuple(_label(tag) for tag in _tags(soup, *_HEADINGS))
    buttons = tuple(_script_buttons(soup, owned))
    said = _label(title) if title else ""
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
    while found is not None and found.name not in ("a", "form", *_CONTROLS):
        found = found.parent if isinstance(found.parent, Tag) else None  # e.g. an icon inside a button
    if found is None:
        return None
    if found.name == "a":
        url = _absolute(base, _attribute(found, "href"))
        return Link(url, _label(found)) if url else None
    owned = _controls_by_form(soup)
    tags = _sending_forms(base, page.url, soup)
    for (tag, _), form in zip(tags, page.forms, strict=True):
        own = [control for control in _own_controls(owned, tag) if _submits(control)]
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


def _tags(soup: BeautifulSoup, *names: str) -> list[Tag]:
    """Return the first tags with these names; `find_all` with several names takes ten times as long."""
    return [tag for tag in soup.descendants if isinstance(tag, Tag) and tag.name in names][:_MOST]


def _base(url: str, soup: BeautifulSoup) -> str:
    tag = soup.find("base", href=True)
    return (_absolute(url, _attribute(tag, "href")) if tag else None) or url


def _absolute(base: str, reference: str) -> str | None:
    """Resolve `reference` as browsers do: trim white space, remove tabs and line ends; None if it is not a URL."""
    try:
        resolved = urljoin(base, re.sub(r"[\t\r\n]", "", reference.strip()))
        urlsplit(resolved)
    except ValueError:
        return None
    return resolved


def _forms(url: str, base: str, soup: BeautifulSoup, owned: dict[int, list[Tag]]) -> Iterator[Form]:
    for tag, action in _sending_forms(base, url, soup):
        own = _own_controls(owned, tag)
        enctype = _attribute(tag, "enctype").strip().lower()
        yield Form(
            action=action,
            method="POST" if _attribute(tag, "method").strip().lower() == "post" else "GET",
            enctype=enctype if enctype in _ENCTYPES else _ENCTYPES[0],
            fields=tuple(field for control in own for field in _fields(control)),
            buttons=tuple(_button(control, base) for control in own if _submits(control)),
            purpose=" ".join(_attribute(tag, name) for name in ("role", "id", "name", "class", "aria-label")).strip(),
        )


def _sending_forms(base: str, url: str, soup: BeautifulSoup) -> list[tuple[Tag, str]]:
    """Return the forms that send a request, each with its absolute action; `dialog` forms send none."""
    found: list[tuple[Tag, str]] = []
    for tag in _tags(soup, "form"):
        action = _absolute(base, _attribute(tag, "action")) if _attribute(tag, "action").strip() else url
        if action is not None and _attribute(tag, "method").strip().lower() != "dialog":
            found.append((tag, action))
    return found


def _own_controls(owned: dict[int, list[Tag]], form: Tag) -> list[Tag]:
    return [control for control in owned.get(id(form), []) if not _is_disabled(control)]


def _controls_by_form(soup: BeautifulSoup) -> dict[int, list[Tag]]:
    """Return the controls of each form, by `id()` of its tag: controls inside it, and controls that name it in `form`."""
    by_id = {_attribute(tag, "id"): tag for tag in reversed(_tags(soup, "form")) if tag.has_attr("id")}
    owned: dict[int, list[Tag]] = {}
    for control in _tags(soup, *_CONTROLS):
        named = _attribute(control, "form")
        owner = by_id.get(named) if named else control.find_parent("form")
        if owner is not None:
            owned.setdefault(id(owner), []).append(control)
    return owned


def _is_disabled(control: Tag) -> bool:
    return control.has_attr("disabled") or control.find_parent("fieldset", disabled=True) is not None


def _type(control: Tag) -> str:
    return _attribute(control, "type").strip().lower()


def _submits(control: Tag) -> bool:
    if control.name == "button":
        return _type(control) not in ("button", "reset")
    return control.name == "input" and _type(control) in ("submit", "image")


def _script_buttons(soup: BeautifulSoup, owned: dict[int, list[Tag]]) -> Iterator[str]:
    in_forms = {id(control) for controls in owned.values() for control in controls}
    for tag in _tags(soup, "button"):
        if id(tag) not in in_forms or not _submits(tag):
            yield _label(tag) or _attribute(tag, "aria-label")


def _button(control: Tag, base: str) -> Button:
    own = _label(control) if control.name == "button" else _attribute(control, "value")
    label = own or next((text for name in ("aria-label", "title", "alt") if (text := _attribute(control, name))), "")
    action, method = _attribute(control, "formaction"), _attribute(control, "formmethod").strip().lower()
    return Button(
        name=_attribute(control, "name") or None,
        value=_attribute(control, "value"),
        label=label,
        formaction=_absolute(base, action) if action.strip() else None,
        formmethod=method.upper() if method in ("get", "post") else None,
        is_image=_type(control) == "image",
    )


def _fields(control: Tag) -> Iterator[Field]:
    name, required = _attribute(control, "name"), control.has_attr("required")
    if not name or control.name == "button":
        return
    if control.name == "select":
        yield from _select(control, name, required)
    elif control.name == "textarea":
        yield Field(name, "textarea", control.get_text().removeprefix("\n"), required)
    elif (kind := _type(control) or "text") not in ("submit", "image", "button", "reset", "file"):
        ticked = kind in ("checkbox", "radio")
        value = "on" if ticked and not control.has_attr("value") else _attribute(control, "value")
        yield Field(name, kind, value, required, ticked and control.has_attr("checked"))


def _select(control: Tag, name: str, required: bool) -> Iterator[Field]:
    tags = [tag for tag in control.find_all("option") if not tag.has_attr("disabled")]
    options = tuple(_option(tag) for tag in tags)
    selected = [option for tag, option in zip(tags, options, strict=True) if tag.has_attr("selected")]
    if not control.has_attr("multiple"):
        selected = selected[-1:] or list(options[:1])
    yield from (Field(name, "select", option.value, required, options=options) for option in selected)


def _option(tag: Tag) -> Option:
    # Without an end tag, an option ends at the next option; html.parser nests the next one instead.
    own = [text for text in tag.find_all(string=True) if text.find_parent("option") is tag]
    label = " ".join(" ".join(own).split())
    return Option(_attribute(tag, "value") if tag.has_attr("value") else label, label)


def _links(base: str, soup: BeautifulSoup) -> Iterator[Link]:
    for tag in _tags(soup, "a"):
        url = _absolute(base, _attribute(tag, "href")) if tag.has_attr("href") else None
        if url is not None and urlsplit(url).scheme != "javascript":
            yield Link(url, _label(tag))


def _meta_refresh(url: str, base: str, soup: BeautifulSoup) -> str | None:
    for tag in _tags(soup, "meta"):
        match = _REFRESH.fullmatch(_attribute(tag, "content"))
        if match is None or _attribute(tag, "http-equiv").strip().lower() != "refresh":
            continue
        target = (match["url"] or "").strip()
        if target[:1] in ("'", '"'):
            target = target[1:].partition(target[0])[0]
        return _absolute(base, target) if target else url
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
        or _UNSEEN_STYLE.search(_attribute(tag, "style")) is not None
    )


def _label(tag: Tag) -> str:
    """Return the text of a link or button; an unclosed element contains the rest of the page, so read only its beginning."""
    parts = islice(tag.descendants, _PARTS)
    return " ".join(" ".join(part for part in parts if type(part) is NavigableString).split())


def _attribute(tag: Tag, name: str) -> str:
    value = tag.get(name)
    return value if isinstance(value, str) else " ".join(value or ())
