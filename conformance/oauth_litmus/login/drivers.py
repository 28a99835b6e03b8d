"""Ways to get a person through the login: what the walk asks of a driver, and those that need nothing installed."""

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
    """What the walk asks of a driver. One driver serves every login of a run, many of them at one moment."""

    @property
    def name(self) -> str:
        """What the command line calls it."""
        ...

    @property
    def walks(self) -> bool:
        """Whether the suite itself goes through the login, so that browser legs can be judged."""
        ...

    def press(self, page: Page, trail: Trail) -> Submission | None:
        """What a person would send on this page to go on; None if there is nothing, or this driver does not go on."""
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
        """What the script says for this page, or else the form and button that a person would press."""
        return press(page, trail, self.script, self.fields, approve=self.approve)


@dataclass(frozen=True)
class NoLogin:
    """No login is available: everything up to it is judged, and nothing after it."""

    name: str = "none"
    walks: bool = False

    def press(self, page: Page, trail: Trail) -> Submission | None:
        """Nothing."""
        del page, trail
        return None


def press(
    page: Page, trail: Trail, script: Script, fields: Mapping[str, str], *, approve: bool = True
) -> Submission | None:
    """What is sent from this page by the script, or else by guess; `trail` remembers it, and says why nothing is."""
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
    """What a person would press on this page, of what may still be answered in this login."""
    return choose([form for form in page.forms if trail.may_answer(page, form)], values, approve=approve)


def why_stuck(driver: LoginDriver, page: Page, trail: Trail) -> str:
    """Why a login does not go on from this page, in words for whoever can write a step."""
    script = getattr(driver, "script", None)
    return stuck_at(
        page, trail, script if isinstance(script, Script) else Script(), in_browser=isinstance(driver, Carrier)
    )
