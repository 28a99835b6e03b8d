"""The interface of a login driver, and the drivers that need no extra package."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from oauth_litmus.browser.choice import Choice, choose
from oauth_litmus.login.leg import Carrier
from oauth_litmus.login.script import Script, StepFails, submission
from oauth_litmus.login.stuck import stuck_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.browser.pages import Page, Submission
    from oauth_litmus.browser.trail import Trail


class LoginDriver(Protocol):
    """The interface of a login driver. One driver serves all logins of a run, many of them concurrently."""

    @property
    def name(self) -> str:
        """The name of the driver on the command line."""
        ...

    @property
    def walks(self) -> bool:
        """Whether the suite itself performs the login, so that checks can judge its requests and cookies."""
        ...

    def press(self, page: Page, trail: Trail) -> Submission | None:
        """Return the submission by which a person goes on from this page; None if there is none for this driver."""
        ...


@dataclass(frozen=True)
class RedirectsDriver:
    """Follows redirects with the browser model; on pages it takes the steps of the profile, or else guesses."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    approve: bool = True
    script: Script = field(default_factory=Script)
    name: str = "redirects"
    walks: bool = True

    def press(self, page: Page, trail: Trail) -> Submission | None:
        """Return the submission of the script for this page, or else a guess at the form and button of a person."""
        return press(page, trail, self.script, self.fields, approve=self.approve)


@dataclass(frozen=True)
class NoLogin:
    """The driver `none`: no login is possible, so the checks judge only requests that need none."""

    name: str = "none"
    walks: bool = False

    def press(self, page: Page, trail: Trail) -> Submission | None:
        """Return None: this driver submits no form."""
        del page, trail
        return None


def press(
    page: Page, trail: Trail, script: Script, fields: Mapping[str, str], *, approve: bool = True
) -> Submission | None:
    """Return the submission of the script for this page, or else a guess; `trail` records it, or why there is none."""
    trail.last_page, trail.trouble = page, ""
    step = script.step_for(page, trail)
    values = dict(fields)
    if step is not None:
        trail.taken[step.number] += 1
        try:
            sent = submission(step, page)
        except StepFails as failure:
            trail.trouble = str(failure)
            return None
        if sent is not None:
            return sent
        values |= step.values
    chosen = guess(page, trail, values, approve=approve)
    if chosen is None:
        if step is not None:
            trail.trouble = f"{step.shown} names nothing to click, and no form of the page can be sent as it is"
        return None
    trail.answered(page, chosen.form)
    return chosen.submission()


def guess(page: Page, trail: Trail, values: Mapping[str, str], *, approve: bool = True) -> Choice | None:
    """Guess the form and button of a person, among the forms that this login may still answer."""
    return choose([form for form in page.forms if trail.may_answer(page, form)], values, approve=approve)


def why_stuck(driver: LoginDriver, page: Page, trail: Trail) -> str:
    """Say why a login does not go on from this page, for an operator who can add a step to the profile."""
    script = getattr(driver, "script", None)
    return stuck_at(
        page, trail, script if isinstance(script, Script) else Script(), in_browser=isinstance(driver, Carrier)
    )
