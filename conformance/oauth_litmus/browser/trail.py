"""What was done on the pages of one login so far: how often each step was taken, and each form answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from oauth_litmus.browser.forms import Form
    from oauth_litmus.browser.pages import Page

MOST_ANSWERS = 3
"""How often one form is answered by guess in one login."""


@dataclass
class Trail:
    """The memory of one login. A driver writes into it; messages and the preflight read from it."""

    taken: Counter[int] = field(default_factory=Counter[int])
    """How often each step of the script was taken, by its number from 1."""
    trouble: str = ""
    """Why a step whose page came could not be taken."""
    stuck: str = ""
    """Where and why the login does not go on, in words; empty while it does."""
    last_page: Page | None = None
    """The newest page at which the driver looked."""
    _answered: Counter[tuple[object, ...]] = field(default_factory=Counter["tuple[object, ...]"])

    def may_answer(self, page: Page, form: Form) -> bool:
        """Whether a guess may answer this form once more: one with a password once only, or accounts get locked."""
        has_password = any(field.type == "password" for field in form.fields)
        return self._answered[_key(page, form)] < (1 if has_password else MOST_ANSWERS)

    def answered(self, page: Page, form: Form) -> None:
        """Note that a form was answered."""
        self._answered[_key(page, form)] += 1

    def came_back(self, page: Page) -> bool:
        """Whether this page shows a form with a password that was answered already."""
        return any(self._answered[_key(page, form)] and not self.may_answer(page, form) for form in page.forms)


def _key(page: Page, form: Form) -> tuple[object, ...]:
    # The page's own path is left out: a refused form comes back at the address that it was sent to.
    shown = tuple(sorted(field.name for field in form.fields if field.type != "hidden"))
    return (urlsplit(page.url).netloc, urlsplit(form.action).path, shown)
