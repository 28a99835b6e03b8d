"""The history of one login: how often each step was taken, and how often each form was answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from oauth_litmus.browser.forms import Form
    from oauth_litmus.browser.pages import Page

MOST_ANSWERS = 3
"""How often a guess may answer one form in one login."""


@dataclass
class Trail:
    """The history of one login. A driver writes it; messages and the preflight read it."""

    taken: Counter[int] = field(default_factory=Counter[int])
    """How often each step of the script was taken, by its number from 1."""
    trouble: str = ""
    """Why the step for the last page could not be taken."""
    stuck: str = ""
    """Where and why the login is stuck, in words; empty while it goes on."""
    last_page: Page | None = None
    """The last page that the driver saw."""
    _answered: Counter[tuple[object, ...]] = field(default_factory=Counter["tuple[object, ...]"])

    def may_answer(self, page: Page, form: Form) -> bool:
        """Whether a guess may answer this form again: a form with a password only once, to avoid a locked account."""
        has_password = any(field.type == "password" for field in form.fields)
        return self._answered[_key(page, form)] < (1 if has_password else MOST_ANSWERS)

    def answered(self, page: Page, form: Form) -> None:
        """Record that a form was answered."""
        self._answered[_key(page, form)] += 1

    def came_back(self, page: Page) -> bool:
        """Whether this page shows a form with a password that was answered already."""
        return any(self._answered[_key(page, form)] and not self.may_answer(page, form) for form in page.forms)


def _key(page: Page, form: Form) -> tuple[object, ...]:
    # Leave out the path of the page: a server shows a refused form again at the URL to which it was submitted.
    shown = tuple(sorted(field.name for field in form.fields if field.type != "hidden"))
    return (urlsplit(page.url).netloc, urlsplit(form.action).path, shown)
