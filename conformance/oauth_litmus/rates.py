"""Rates as operators write them: `10/60` is ten requests in sixty seconds."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

_WRITTEN = re.compile(r"\s*(\d+)\s*/\s*(\d+(?:\.\d+)?)\s*s?\s*")


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


WrittenRate = Annotated[Rate, BeforeValidator(_read)]
"""A rate in a TOML file or on the command line."""
