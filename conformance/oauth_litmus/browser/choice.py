"""Which form and button a person presses to go on, or to refuse, judged by what the buttons say."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from oauth_litmus.browser.forms import Button, Form, Submission


class Meaning(Enum):
    """What a button is for. The value is its worth to a person who wants to go on."""

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
    """A form, what is put into it, and the button that is pressed (None: the form sends itself)."""

    form: Form
    values: Mapping[str, str]
    button: Button | None

    def submission(self) -> Submission:
        """What a browser sends then."""
        return self.form.fill(self.values, self.button)


def choose(forms: Iterable[Form], values: Mapping[str, str], *, approve: bool) -> Choice | None:
    """What a person does who fills in `values` and goes on, or refuses; None if there is nothing to press for that.

    To go on, a form in which `values` belong comes before one in which they do not, and then a button that approves
    before one that continues; a form that still needs typing, and search, logout and language forms, are left alone.
    Boxes that must be ticked are ticked. To refuse, only a button that says so is pressed, and one beside an approval
    rather than one that stands alone.
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
    """What pressing the button means: by its label, or else by its value, or else by its name."""
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
    """Whether a refusing button leads back, or refuses cookies or the person who is signed in."""
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
    """Required boxes and radio groups that nobody ticked yet: every such box, the first button of each such group."""
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
    """Lower-case words with one space between: `btnSignIn`, `sign-in` and `Sign in` all hold `sign in`."""
    separated = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return re.sub(r"[\W_]+", " ", separated).strip().lower()
