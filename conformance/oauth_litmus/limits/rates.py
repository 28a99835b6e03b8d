"""Rates as operators write them: `10/60` is ten requests in sixty seconds."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Iterable

_WRITTEN = re.compile(r"\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)\s*s?\s*")


class Kind(StrEnum):
    """What a request is charged to."""

    REGISTER = "register"
    AUTHORIZE = "authorize"
    START = "start"
    """The first address of the authorization server to which an authorization request leads."""
    LOGIN = "login"
    """The pages between that one and the callback."""
    CALLBACK = "callback"
    """Where the upstream provider sends the browser back."""
    TOKEN = "token"
    RESOURCE = "resource"


class Rate(BaseModel):
    """So many requests in so many seconds."""

    model_config = ConfigDict(frozen=True)

    count: int
    seconds: float

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read `N/SECONDS`.

        Raises:
            ValueError: it is not of that form, or one of the numbers is zero.
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
    """Limits as the command line has them: `KIND=N/SECONDS`.

    Raises:
        ValueError: one is not of that form, or its kind is not known.
    """
    found: dict[Kind, Rate] = {}
    for text in written:
        kind, _, rate = text.partition("=")
        try:
            found[Kind(kind.strip())] = Rate.parse(rate)
        except ValueError as error:
            raise ValueError(
                f"{text!r} is no limit: write KIND=N/SECONDS, as in token=30/60; kinds: {', '.join(Kind)}"
            ) from error
    return found


WrittenRate = Annotated[Rate, BeforeValidator(_read)]
"""A rate in a TOML file or on the command line."""
