"""HTML forms as data, and the submission that a browser makes of a filled form (HTML, "form submission")."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE_END = re.compile(r"\r\n|\r|\n")
_TICKED = frozenset({"on", "true", "yes", "1"})


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a `select` element."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Field:
    """A control that a form sends: `type` is the input's type, `select` or `textarea`.

    `checked` counts only for checkboxes and radio buttons. A select sends its `value`; a select that takes several
    values appears once for each selected value.
    """

    name: str
    type: str
    value: str = ""
    required: bool = False
    checked: bool = False
    options: tuple[Option, ...] = ()

    @property
    def is_sent(self) -> bool:
        """Whether a submission without further input contains the field."""
        return self.checked if self.type in ("checkbox", "radio") else True

    @property
    def is_typed(self) -> bool:
        """Whether a person types the value: the field is not hidden, a checkbox, a radio button or a select."""
        return self.type not in ("hidden", "checkbox", "radio", "select")


@dataclass(frozen=True, slots=True)
class Button:
    """A submit button: its label, its name and value, and its own action and method, if it overrides those of the form."""

    name: str | None
    value: str
    label: str
    formaction: str | None = None
    formmethod: str | None = None
    is_image: bool = False

    def entries(self) -> list[tuple[str, str]]:
        """Return the name-value pairs that the button adds to the submission."""
        if self.is_image:
            prefix = f"{self.name}." if self.name else ""
            return [(f"{prefix}x", "0"), (f"{prefix}y", "0")]
        return [(self.name, self.value)] if self.name else []


@dataclass(frozen=True, slots=True)
class Submission:
    """A request that a form makes. `method` is GET or POST; for GET, the body replaces the query of `url`."""

    url: str
    method: str
    body: list[tuple[str, str]] = field(repr=False)
    follows_link: bool = False
    """Whether the person followed a link instead of a form: the request goes to `url` unchanged."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form: `action` is absolute, `method` GET or POST, fields and buttons in the order of the page.

    `purpose` joins the attributes that hint at the purpose of the form: role, id, name, class and label.
    """

    action: str
    method: str
    enctype: str
    fields: tuple[Field, ...]
    buttons: tuple[Button, ...]
    purpose: str = ""

    def missing(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Return the names of fields that a person must still type: empty, not in `values`, and required or a password."""
        return tuple(
            field.name
            for field in self.fields
            if field.is_typed
            and not (values.get(field.name) or field.value)
            and (field.required or field.type == "password")
        )

    def fill(self, values: Mapping[str, str], button: Button | None = None) -> Submission:
        """Return the submission of a browser after a person filled in `values` and pressed `button` (None: no button).

        A value is typed into a text field; in a select it selects the option with that value or label, among radio
        buttons the one with that value. A checkbox is ticked by its own value or by on, true, yes or 1, and cleared by
        any other value. Values for hidden fields, for unknown names and for choices that are not offered are ignored.
        """
        filled = [_filled(field, values[field.name]) if field.name in values else field for field in self.fields]
        chosen = {field.name for field in filled if field.type == "radio" and field.value == values.get(field.name)}
        body = [
            (field.name, _LINE_END.sub("\r\n", field.value))
            for field in filled
            if (field.value == values[field.name] if field.name in chosen else field.is_sent)
        ]
        url, method = self.action, self.method
        if button is not None:
            body += button.entries()
            url, method = button.formaction or url, button.formmethod or method
        return Submission(url, method, body)


def _filled(field: Field, value: str) -> Field:
    if field.type == "checkbox":
        return replace(field, checked=value == field.value or value.lower() in _TICKED)
    if field.type == "select":
        option = next((option for option in field.options if value in (option.value, option.label)), None)
        return replace(field, value=option.value) if option else field
    return field if field.type in ("radio", "hidden") else replace(field, value=value)
