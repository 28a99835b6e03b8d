"""Rate limits as operators write them: `10/60` means ten requests in sixty seconds."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable

_WRITTEN = re.compile(r"\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)\s*s?\s*")


class Kind(StrEnum):
    """The kind of rate limit that a request counts against."""

    REGISTER = "register"
    AUTHORIZE = "authorize"
    START = "start"
    """The first URL of the authorization server to which an authorization request leads."""
    LOGIN = "login"
    """The pages between that URL and the callback."""
    CALLBACK = "callback"
    """The URL to which the upstream provider sends the browser back."""
    TOKEN = "token"
    RESOURCE = "resource"


class Rate(BaseModel):
    """A rate of `count` requests in `seconds` seconds."""

    model_config = ConfigDict(frozen=True)

    count: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Parse `N/SECONDS`.

        Raises:
            ValueError: the text does not have this form, or a number is zero.
        """
        match = _WRITTEN.fullmatch(text)
        if match is None or not int(match[1]) or not float(match[2]):
            raise ValueError(f"a rate is written N/SECONDS, as in 10/60; got {text!r}")
        return cls(count=int(match[1]), seconds=float(match[2]))

    def __str__(self) -> str:
        return f"{self.count}/{self.seconds:g}"


def _read(value: object) -> object:
    return Rate.parse(value) if isinstance(value, str) else value


def limits(written: Iterable[str]) -> dict[Kind, Rate]:
    """Parse limits of the command line, written `KIND=N/SECONDS`.

    Raises:
        ValueError: a limit does not have this form, or its kind is unknown.
    """
    found: dict[Kind, Rate] = {}
    for text in written:
        kind, _, rate = text.partition("=")
        try:
            found[Kind(kind.strip())] = Rate.parse(rate)
        except ValueError as error:
            raise ValueError(
                f"{text!r} is not a rate limit: write KIND=N/SECONDS, as in token=30/60; kinds: {', '.join(Kind)}"
            ) from error
    return found


WrittenRate = Annotated[Rate, BeforeValidator(_read)]
"""A rate in a TOML file or on the command line."""
