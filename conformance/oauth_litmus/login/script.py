"""The script of a login: find the step for the current page, and make the submission of that step."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from oauth_litmus.browser.forms import Submission
from oauth_litmus.browser.pages import Link, found_by, mentions, pressable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from oauth_litmus.browser.forms import Button, Form
    from oauth_litmus.browser.pages import Page
    from oauth_litmus.browser.trail import Trail
    from oauth_litmus.target.login_settings import Click, LoginStep, Match


class StepFails(Exception):
    """Raised when the page of a step lacks the field, button or link of the step; the message names it."""


@dataclass(frozen=True)
class ScriptedStep:
    """A declared step with its number, from 1, and with its secret values from the environment."""

    number: int
    declared: LoginStep
    values: Mapping[str, str] = field(repr=False)

    @property
    def shown(self) -> str:
        """The name of the step in messages."""
        return f"step {self.number}" + (f" ({self.declared.name!r})" if self.declared.name else "")

    @property
    def click(self) -> Click | None:
        """The button or link that the step presses."""
        return self.declared.click


@dataclass(frozen=True)
class Script:
    """The declared steps of a login, in order."""

    steps: tuple[ScriptedStep, ...] = ()

    @classmethod
    def of(cls, declared: Iterable[LoginStep]) -> Script:
        """Make the script of a profile.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return cls(tuple(ScriptedStep(number, step, step.values()) for number, step in enumerate(declared, 1)))

    def step_for(self, page: Page, trail: Trail) -> ScriptedStep | None:
        """Return the first step that matches this page and may still be taken in this login."""
        for step in self.steps:
            if trail.taken[step.number] < step.declared.times and matches(step.declared.match, page):
                return step
        return None

    def never_taken(self, trail: Trail) -> tuple[ScriptedStep, ...]:
        """Return the steps that are not optional and whose page did not appear."""
        return tuple(step for step in self.steps if not step.declared.optional and not trail.taken[step.number])


def matches(match: Match, page: Page) -> bool:
    """Whether all given conditions hold for this page."""
    return all(
        (
            match.url is None or fnmatchcase(page.url, match.url),
            match.url_regex is None or re.search(match.url_regex, page.url) is not None,
            match.title is None or _says(page.title, match.title),
            match.heading is None or any(_says(heading, match.heading) for heading in page.headings),
            match.text is None or mentions(page, match.text),
            match.selector is None or found_by(page, match.selector),
        )
    )


def submission(step: ScriptedStep, page: Page) -> Submission | None:
    """Return the submission of the step on this page; None if the step names no button or link, so the caller chooses.

    Raises:
        StepFails: the page lacks a field, button or link of the step.
    """
    missing = [name for name in step.values if not any(_has_field(form, name) for form in page.forms)]
    if missing:
        raise StepFails(f"{step.shown} fills in {', '.join(missing)}, which no form of the page has")
    if step.click is None:
        return None
    pressed = _pressed(step, step.click, page)
    if pressed is None:
        raise StepFails(f"{step.shown} found its page, which has {step.click.shown}")
    if isinstance(pressed, Link):
        return Submission(pressed.url, "GET", [], follows_link=True)
    form, button = pressed
    return form.fill(step.values, button)


def _pressed(step: ScriptedStep, click: Click, page: Page) -> Link | tuple[Form, Button | None] | None:
    if click.selector:
        return pressable(page, click.selector)
    for exactly in (True, False):
        for form, button in _buttons(page, step.values):
            if click.link:
                break
            if _is_called((button.label, button.value), click.text or click.button or "", exactly=exactly):
                return form, button
        for link in () if click.button else page.links:
            if _is_called((link.text,), click.text or click.link or "", exactly=exactly):
                return link
    return None


def _buttons(page: Page, values: Mapping[str, str]) -> Iterator[tuple[Form, Button]]:
    """Yield every button; forms with the most fields for the values come first."""
    fitting = sorted(page.forms, key=lambda form: -sum(_has_field(form, name) for name in values))
    for form in fitting:
        yield from ((form, button) for button in form.buttons)


def _has_field(form: Form, name: str) -> bool:
    return any(field.name == name for field in form.fields)


def _is_called(said: Iterable[str], wanted: str, *, exactly: bool) -> bool:
    return any(_plain(text) == _plain(wanted) if exactly else _says(text, wanted) for text in said if text)


def _says(text: str, wanted: str) -> bool:
    return _plain(wanted) in _plain(text)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
