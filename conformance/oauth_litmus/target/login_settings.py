"""What a profile declares of the login: fields, the script of steps, and the browser to drive."""

import os
import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ProfileError(Exception):
    """A profile that cannot be used; the message names the key as the operator wrote it, and what is allowed."""


class Section(BaseModel):
    """A table of the profile: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def from_environment(variable: str) -> str:
    """The value of an environment variable that a profile names.

    Raises:
        ProfileError: it is not set.
    """
    value = os.environ.get(variable)
    if value is None:
        raise ProfileError(f"the profile names the environment variable {variable}, which is not set")
    return value


def _filled(fields: dict[str, str], secret_fields: dict[str, str]) -> dict[str, str]:
    return {**fields, **{name: from_environment(variable) for name, variable in secret_fields.items()}}


class Match(Section):
    """On which page a step is taken: everything that is given must hold."""

    url: str | None = None
    """The whole URL, with `*` and `?` as wildcards."""
    url_regex: str | None = None
    """A regular expression that is found in the URL."""
    title: str | None = None
    heading: str | None = None
    """Part of the title, of a heading, of the visible text: case and white space do not matter."""
    text: str | None = None
    selector: str | None = None
    """A CSS selector that finds something on the page."""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("says nothing: give at least one of url, url_regex, title, heading, text, selector")
        try:
            re.compile(self.url_regex or "")
        except re.error as error:
            raise ValueError(f"url_regex is no regular expression: {error}") from error
        return self


class Click(Section):
    """What is pressed. A plain string in the profile is `text`: what a button or a link says."""

    text: str | None = None
    button: str | None = None
    link: str | None = None
    selector: str | None = None
    """A CSS selector of a button or a link."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: object) -> object:
        return {"text": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _means_one_thing(self) -> Self:
        if len([given for given in (self.text, self.button, self.link, self.selector) if given]) != 1:
            raise ValueError("give one of text, button, link and selector")
        return self

    @property
    def shown(self) -> str:
        """What is looked for, in words."""
        if self.selector:
            return f"nothing that the selector {self.selector!r} finds"
        what = "button" if self.button else "link" if self.link else "button or link"
        return f"no {what} {self.button or self.link or self.text!r}"


class LoginStep(Section):
    """One step of the way through a login: on this page, fill in this and press that."""

    name: str | None = None
    match: Match
    fill: dict[str, str] = {}
    """Values by field name."""
    fill_secret: dict[str, str] = {}
    """The same, with the value read from the environment variable that is named."""
    click: Click | None = None
    """Without it the form's own button is chosen."""
    optional: bool = False
    """Whether a login may well pass without this page."""
    times: Annotated[int, Field(ge=1)] = 1
    """How often the step may be taken in one login."""

    def values(self) -> dict[str, str]:
        """All values to fill in, secrets read from the environment.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return _filled(self.fill, self.fill_secret)


class BrowserSettings(Section):
    """Which browser the driver `browser` starts, and how."""

    executable: str | None = None
    """The path of any Chromium; without it and `channel`, the one that Playwright brought."""
    channel: str | None = None
    """An installed browser by Playwright's name for it: `chrome`, `msedge`, `chromium`."""
    args: tuple[str, ...] = ()
    """Arguments of the browser; in most containers it needs `--no-sandbox`."""
    headed: bool = False
    state: str | None = None
    """A file in which the session at the login provider is kept from run to run (mode 0600)."""
    screenshots: str | None = None
    """A folder for a picture of each page on which a login sticks; what is typed in is painted over."""
    patience: Annotated[float, Field(gt=0)] = 10.0
    """Seconds that a page may take until it goes on or offers what a step waits for."""
    minutes_for_a_person: Annotated[float, Field(ge=0)] = 5.0
    """How long, in a window that is shown, a person may help with the first login."""
    pages: Annotated[int, Field(ge=1, le=24)] = 2
    """Logins that are driven at one moment."""


class Login(Section):
    """How a person gets through the login."""

    driver: str | None = None
    """`redirects`, `browser`, `manual`, `none`, the name of an installed driver, or `package:object`."""
    fields: dict[str, str] = {}
    """Values for form fields of the login pages, by field name."""
    secret_fields: dict[str, str] = {}
    """The same, with the value read from the environment variable that is named."""
    max_logins: Annotated[int, Field(ge=0)] = 3
    """Logins that the `manual` driver may ask a person for."""
    steps: tuple[LoginStep, ...] = ()
    """What to do on which page; where no step fits, the driver guesses."""
    browser: BrowserSettings = BrowserSettings()

    def values(self) -> dict[str, str]:
        """All field values, secrets read from the environment.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return _filled(self.fields, self.secret_fields)

    def secrets(self) -> list[tuple[str, str]]:
        """Name and value of everything that is typed in on the way.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return [pair for values in (self.values(), *(step.values() for step in self.steps)) for pair in values.items()]

    def secret_names(self) -> set[str]:
        """The names of fields whose values come from the environment."""
        return {name for fields in (self.secret_fields, *(step.fill_secret for step in self.steps)) for name in fields}


class HandedInToken(Section):
    """An access token that somebody else got, for the checks of the protected resource where the suite cannot log in."""

    access_token_env: str | None = None
    """The environment variable that holds it."""
    access_token_file: str | None = None
    """The file that holds it."""

    @property
    def is_given(self) -> bool:
        """Whether there is one."""
        return bool(self.access_token_env or self.access_token_file)

    def value(self) -> str | None:
        """The token; None if none is handed in.

        Raises:
            ProfileError: the variable is not set, the file cannot be read, or what it holds can be no token.
        """
        if self.access_token_file:
            return _token(_content(Path(self.access_token_file)), f"the file {self.access_token_file}")
        if self.access_token_env:
            where = f"the environment variable {self.access_token_env}"
            return _token(from_environment(self.access_token_env), where)
        return None


def _content(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"cannot read the access token in {path}: {error}") from error


def _token(text: str, where: str) -> str:
    """The text as `b64token` (RFC 6750 section 2.1)."""
    token = text.strip()
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", token):
        # What it is instead is not said: it may be a secret all the same.
        raise ProfileError(f"{where} holds no access token: one is a single word of letters, digits and -._~+/")
    return token
