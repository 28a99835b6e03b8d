"""The parts of a profile that describe the login: fields, the script of steps, and the browser."""

import os
import re
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class ProfileError(Exception):
    """Raised when a profile cannot be used; the message names the key and the allowed values."""


class Section(BaseModel):
    """A table of the profile; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def from_environment(variable: str) -> str:
    """Return the value of an environment variable that a profile names.

    Raises:
        ProfileError: the variable is not set.
    """
    value = os.environ.get(variable)
    if value is None:
        raise ProfileError(f"the profile names the environment variable {variable}, which is not set")
    return value


def _filled(fields: dict[str, str], secret_fields: dict[str, str]) -> dict[str, str]:
    return {**fields, **{name: from_environment(variable) for name, variable in secret_fields.items()}}


class Match(Section):
    """The conditions for the page of a step; all conditions that are given must hold."""

    url: str | None = None
    """The whole URL, with `*` and `?` as wildcards."""
    url_regex: str | None = None
    """A regular expression that matches part of the URL."""
    title: str | None = None
    heading: str | None = None
    """`title`, `heading` and `text` match a part of the title, of a heading, or of the visible text.

    Case and white space do not matter.
    """
    text: str | None = None
    selector: str | None = None
    """A CSS selector that matches an element of the page."""

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("is empty: give at least one of url, url_regex, title, heading, text, selector")
        try:
            re.compile(self.url_regex or "")
        except re.error as error:
            raise ValueError(f"url_regex is not a regular expression: {error}") from error
        return self


class Click(Section):
    """The button or link to press. A plain string in the profile means `text`, the words on a button or link."""

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
        """A phrase that says which button or link is missing."""
        if self.selector:
            return f"nothing that the selector {self.selector!r} finds"
        what = "button" if self.button else "link" if self.link else "button or link"
        return f"no {what} {self.button or self.link or self.text!r}"


class LoginStep(Section):
    """One step of a login: the page, the values to fill in, and the button or link to press."""

    name: str | None = None
    match: Match
    fill: dict[str, str] = {}
    """Values by field name."""
    fill_secret: dict[str, str] = {}
    """Names of environment variables that hold the values, by field name."""
    click: Click | None = None
    """The button or link to press; by default the driver chooses a button of the form."""
    optional: bool = False
    """Whether a login may succeed without this page."""
    times: Annotated[int, Field(ge=1)] = 1
    """How often the step may be taken in one login."""

    def values(self) -> dict[str, str]:
        """Return all values to fill in, with secrets read from the environment.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return _filled(self.fill, self.fill_secret)


class BrowserSettings(Section):
    """The browser that the driver `browser` starts, and its options."""

    executable: str | None = None
    """The path of a Chromium; without `executable` and `channel`, Playwright's own Chromium is used."""
    channel: str | None = None
    """An installed browser, by the name that Playwright uses: `chrome`, `msedge`, `chromium`."""
    args: tuple[str, ...] = ()
    """Arguments for the browser; most containers need `--no-sandbox`."""
    headed: bool = False
    state: str | None = None
    """A file that keeps the session at the login provider between runs (mode 0600)."""
    screenshots: str | None = None
    """A folder for screenshots of pages on which a login gets stuck; typed values are covered."""
    patience: Annotated[float, Field(gt=0)] = 10.0
    """Seconds to wait until a page continues, or shows the elements that a step needs."""
    minutes_for_a_person: Annotated[float, Field(ge=0)] = 5.0
    """Minutes during which a person may help with the first login, if the browser is `headed`."""
    pages: Annotated[int, Field(ge=1, le=24)] = 2
    """How many logins run in the browser at once."""


class Login(Section):
    """How the suite performs a login."""

    driver: str | None = None
    """`redirects`, `browser`, `manual`, `none`, the name of an installed driver, or `package:object`."""
    fields: dict[str, str] = {}
    """Values for form fields of the login pages, by field name."""
    secret_fields: dict[str, str] = {}
    """Names of environment variables that hold values for form fields, by field name."""
    max_logins: Annotated[int, Field(ge=0)] = 3
    """How many logins the `manual` driver may ask a person for."""
    steps: tuple[LoginStep, ...] = ()
    """The script of the login; on a page that no step matches, the driver guesses."""
    browser: BrowserSettings = BrowserSettings()

    def values(self) -> dict[str, str]:
        """Return all field values, with secrets read from the environment.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return _filled(self.fields, self.secret_fields)

    def secrets(self) -> list[tuple[str, str]]:
        """Return the name and value of each field that a login fills in, including the steps.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return [pair for values in (self.values(), *(step.values() for step in self.steps)) for pair in values.items()]

    def secret_names(self) -> set[str]:
        """Return the names of the fields whose values come from the environment."""
        return {name for fields in (self.secret_fields, *(step.fill_secret for step in self.steps)) for name in fields}


class HandedInToken(Section):
    """An access token from the operator, for the checks of the protected resource if the suite cannot log in."""

    access_token_env: str | None = None
    """The environment variable that holds the token."""
    access_token_file: str | None = None
    """The file that holds the token."""

    @property
    def is_given(self) -> bool:
        """Whether the operator provided a token."""
        return bool(self.access_token_env or self.access_token_file)

    def value(self) -> str | None:
        """Return the token; None if none is provided.

        Raises:
            ProfileError: the variable is not set, the file cannot be read, or its content cannot be a token.
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
    """Return the text without white space around it, if it is a `b64token` (RFC 6750 section 2.1)."""
    token = text.strip()
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", token):
        # Do not quote the text: it may still be a secret.
        raise ProfileError(f"{where} holds no access token: a token is one word of letters, digits and -._~+/")
    return token
