"""Choose the form and button that a person would press to go on or to refuse, by the words on the buttons."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from oauth_litmus.browser.forms import Button, Form, Submission


class Meaning(Enum):
    """The purpose of a button. The value is its score for a person who wants to go on."""

    APPROVE = 50
    GO_ON = 40
    SENDS_ITSELF = 20
    UNCLEAR = 10
    ASIDE = 0
    REFUSE = -1


_WORDS: tuple[tuple[Meaning, re.Pattern[str]], ...] = (
    (
        Meaning.ASIDE,
        re.compile(
            r"\b(search|log ?out|sign ?out|languages?|locale|reset|forgot(ten)?|sign ?up|register|create (an )?account"
            r"|subscribe|newsletter|resend|theme|cookies|another account|different account|switch (account|user))\b"
        ),
    ),
    (
        Meaning.REFUSE,
        re.compile(
            r"\b(den(y|ied)|cancel(led)?|no|not|reject(ed)?|declined?|refused?|disallow|disagree|abort|don t|dont|never"
            r"|back|false)\b"
        ),
    ),
    (
        Meaning.APPROVE,
        re.compile(
            r"\b(allow|approved?|accept(ed)?|authori[sz]ed?|grant(ed)?|agreed?|consent|confirm(ed)?|yes|permit|true)\b"
        ),
    ),
    (
        Meaning.GO_ON,
        re.compile(r"\b(continue|next|proceed|sign ?in|log ?in|submit|ok|okay|verify|connect|go|done|enter|send)\b"),
    ),
)
_SOMETHING_ELSE = re.compile(r"\b(all|not you)\b|^(go )?back$|^never$")
_ASIDE_PURPOSE = re.compile(r"\b(search|log ?out|sign ?out|languages?|locale|newsletter|theme)\b")
_ASIDE_FIELDS = frozenset({"q", "query", "search", "s", "lang", "language", "locale", "ui locales", "theme"})


@dataclass(frozen=True, repr=False)
class Choice:
    """A form, the values for its fields, and the button to press (None: the form is submitted without a button)."""

    form: Form
    values: Mapping[str, str]
    button: Button | None

    def submission(self) -> Submission:
        """Return the submission that a browser would send."""
        return self.form.fill(self.values, self.button)


def choose(forms: Iterable[Form], values: Mapping[str, str], *, approve: bool) -> Choice | None:
    """Choose the form and button of a person who fills in `values` and goes on, or refuses; None if no button fits.

    To go on, a form that has fields for `values` comes before one that has none; then a button that approves comes
    before one that continues. Forms that still need typing are skipped, and so are search, logout and language forms.
    Required boxes are ticked. To refuse, only a button that says so is pressed; one beside an approving button is
    preferred to one without.
    """
    best: tuple[int, Form, Button | None] | None = None
    for form in forms:
        for button, meaning in _ways_on(form):
            worth = _worth_of_going_on(form, meaning, values) if approve else _worth_of_refusing(form, button, meaning)
            if worth > 0 and (best is None or worth > best[0]):
                best = (worth, form, button)
    if best is None:
        return None
    _, form, button = best
    return Choice(form, {**_ticks(form), **values} if approve else values, button)


def meaning_of(button: Button) -> Meaning:
    """Return what pressing the button means, by its label, or else by its value, or else by its name."""
    for text in (button.label, button.value, button.name or ""):
        words = _words(text)
        for meaning, pattern in _WORDS:
            if pattern.search(words):
                return meaning
    return Meaning.UNCLEAR


def _ways_on(form: Form) -> Iterator[tuple[Button | None, Meaning]]:
    if form.buttons:
        yield from ((button, meaning_of(button)) for button in form.buttons)
    else:
        yield None, Meaning.SENDS_ITSELF


def refuses_something_else(button: Button) -> bool:
    """Whether a refusing button refuses something other than the client: it leads back, or refuses cookies or the account."""
    return _SOMETHING_ELSE.search(_words(button.label or button.value or button.name or "")) is not None


def _worth_of_refusing(form: Form, button: Button | None, meaning: Meaning) -> int:
    if meaning is not Meaning.REFUSE or button is None or _is_aside(form):
        return 0
    if refuses_something_else(button):
        return 1
    beside = any(meaning_of(other) in (Meaning.APPROVE, Meaning.GO_ON) for other in form.buttons)
    return 3 if beside else 2


def _worth_of_going_on(form: Form, meaning: Meaning, values: Mapping[str, str]) -> int:
    if meaning.value <= 0 or form.missing(values) or _is_aside(form):
        return 0
    typed = [field for field in form.fields if field.is_typed]
    is_blank = bool(typed) and not any(values.get(field.name) or field.value for field in typed)
    if is_blank and meaning is not Meaning.APPROVE:
        return 0
    known = sum(1 for field in form.fields if field.name in values and field.type != "hidden")
    return meaning.value + 100 * known + (5 if form.method == "POST" else 0)


def _is_aside(form: Form) -> bool:
    if any(field.type == "password" for field in form.fields):
        return False
    path = form.action.partition("?")[0].rpartition("/")[2]
    if _ASIDE_PURPOSE.search(_words(f"{form.purpose} {path}")):
        return True
    shown = [field for field in form.fields if field.type != "hidden"]
    return bool(shown) and all(field.type == "search" or _words(field.name) in _ASIDE_FIELDS for field in shown)


def _ticks(form: Form) -> dict[str, str]:
    """Return ticks for the required fields that are not ticked yet: each box, and the first button of each radio group."""
    ticks: dict[str, str] = {}
    for field in form.fields:
        if field.type == "checkbox" and field.required and not field.checked:
            ticks[field.name] = field.value
    checked = {field.name for field in form.fields if field.type == "radio" and field.checked}
    for field in form.fields:
        if field.type == "radio" and field.required and field.name not in checked:
            ticks.setdefault(field.name, field.value)
    return ticks


def _words(text: str) -> str:
    """Split text into lower-case words with single spaces: `btnSignIn`, `sign-in` and `Sign in` all contain `sign in`."""
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return re.sub(r"[\W_]+", " ", separated).strip().lower()
