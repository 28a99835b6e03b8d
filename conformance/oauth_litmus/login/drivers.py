"""Ways to get a person through the login."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from oauth_litmus.login.pages import Page, Submission, choose_form

if TYPE_CHECKING:
    from collections.abc import Mapping


class LoginDriver(Protocol):
    """What the walk asks of a driver."""

    @property
    def name(self) -> str:
        """What the command line calls it."""
        ...

    @property
    def walks(self) -> bool:
        """Whether the suite itself goes through the login, so that browser legs can be judged."""
        ...

    def press(self, page: Page) -> Submission | None:
        """What a person would send on this page to go on; None if there is nothing, or this driver does not go on."""
        ...


@dataclass(frozen=True)
class RedirectsDriver:
    """Follows redirects with the browser model, and submits consent and login forms with fields from the profile."""

    fields: Mapping[str, str] = field(default_factory=dict[str, str])
    approve: bool = True
    name: str = "redirects"
    walks: bool = True

    def press(self, page: Page) -> Submission | None:
        """The form and button that a person would press."""
        return choose_form(page, self.fields, approve=self.approve)


@dataclass(frozen=True)
class NoLogin:
    """No login is available: everything up to it is judged, and nothing after it."""

    name: str = "none"
    walks: bool = False

    def press(self, page: Page) -> Submission | None:
        """Nothing."""
        return None
