"""Read the forms of an HTML page: fields, buttons, and what a form would send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bs4.element import Tag

from oauth_litmus.browser.elements import absolute_url, attribute, label_of, tags_named
from oauth_litmus.browser.forms import Button, Field, Form, Option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bs4 import BeautifulSoup

CONTROLS = ("input", "button", "select", "textarea")
_ENCTYPES = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def forms_of(url: str, base: str, soup: BeautifulSoup, owned: dict[int, list[Tag]]) -> Iterator[Form]:
    """Read every form of a page that a browser would send over HTTP."""
    for tag, action in sending_forms(base, url, soup):
        own = own_controls(owned, tag)
        enctype = attribute(tag, "enctype").strip().lower()
        yield Form(
            action=action,
            method="POST" if attribute(tag, "method").strip().lower() == "post" else "GET",
            enctype=enctype if enctype in _ENCTYPES else _ENCTYPES[0],
            fields=tuple(field for control in own for field in _fields(control)),
            buttons=tuple(_button(control, base) for control in own if submits(control)),
            purpose=" ".join(attribute(tag, name) for name in ("role", "id", "name", "class", "aria-label")).strip(),
        )


def sending_forms(base: str, url: str, soup: BeautifulSoup) -> list[tuple[Tag, str]]:
    """Return the forms that send a request, each with its absolute action; `dialog` forms send none."""
    found: list[tuple[Tag, str]] = []
    for tag in tags_named(soup, "form"):
        action = absolute_url(base, attribute(tag, "action")) if attribute(tag, "action").strip() else url
        if action is not None and attribute(tag, "method").strip().lower() != "dialog":
            found.append((tag, action))
    return found


def own_controls(owned: dict[int, list[Tag]], form: Tag) -> list[Tag]:
    """The controls of one form."""
    return [control for control in owned.get(id(form), []) if not _is_disabled(control)]


def controls_by_form(soup: BeautifulSoup) -> dict[int, list[Tag]]:
    """Return the controls of each form, by `id()` of its tag: controls inside it, and controls that name it in `form`."""
    by_id = {attribute(tag, "id"): tag for tag in reversed(tags_named(soup, "form")) if tag.has_attr("id")}
    owned: dict[int, list[Tag]] = {}
    for control in tags_named(soup, *CONTROLS):
        named = attribute(control, "form")
        owner = by_id.get(named) if named else control.find_parent("form")
        if owner is not None:
            owned.setdefault(id(owner), []).append(control)
    return owned


def _is_disabled(control: Tag) -> bool:
    return control.has_attr("disabled") or control.find_parent("fieldset", disabled=True) is not None


def _type(control: Tag) -> str:
    return attribute(control, "type").strip().lower()


def submits(control: Tag) -> bool:
    """Whether a control submits its form."""
    if control.name == "button":
        return _type(control) not in ("button", "reset")
    return control.name == "input" and _type(control) in ("submit", "image")


def script_buttons(soup: BeautifulSoup, owned: dict[int, list[Tag]]) -> Iterator[str]:
    """The labels of buttons that belong to no form."""
    in_forms = {id(control) for controls in owned.values() for control in controls}
    for tag in tags_named(soup, "button"):
        if id(tag) not in in_forms or not submits(tag):
            yield label_of(tag) or attribute(tag, "aria-label")


def _button(control: Tag, base: str) -> Button:
    own = label_of(control) if control.name == "button" else attribute(control, "value")
    label = own or next((text for name in ("aria-label", "title", "alt") if (text := attribute(control, name))), "")
    action, method = attribute(control, "formaction"), attribute(control, "formmethod").strip().lower()
    return Button(
        name=attribute(control, "name") or None,
        value=attribute(control, "value"),
        label=label,
        formaction=absolute_url(base, action) if action.strip() else None,
        formmethod=method.upper() if method in ("get", "post") else None,
        is_image=_type(control) == "image",
    )


def _fields(control: Tag) -> Iterator[Field]:
    name, required = attribute(control, "name"), control.has_attr("required")
    if not name or control.name == "button":
        return
    if control.name == "select":
        yield from _select(control, name, required)
    elif control.name == "textarea":
        yield Field(name, "textarea", control.get_text().removeprefix("\n"), required)
    elif (kind := _type(control) or "text") not in ("submit", "image", "button", "reset", "file"):
        ticked = kind in ("checkbox", "radio")
        value = "on" if ticked and not control.has_attr("value") else attribute(control, "value")
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
    return Option(attribute(tag, "value") if tag.has_attr("value") else label, label)
