"""Stretches of a login on which the walk cannot go by itself, and what a driver has that can."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from oauth_litmus.browser.model import Browser
    from oauth_litmus.browser.trail import Trail
    from oauth_litmus.http.answer import Answer


@dataclass(frozen=True)
class Step:
    """One navigation to make. `initiator` is the page on which it began; redirects keep it."""

    url: str
    method: str = "GET"
    body: tuple[tuple[str, str], ...] = ()
    initiator: str | None = None


@dataclass(frozen=True)
class Leg:
    """A stretch of a login: through the pages of others, or over one of the server's own that takes a real browser."""

    step: Step
    """The navigation with which it begins."""
    page: Answer | None
    """The page of the server, which is to be shown as it came; None if `step` is still to be made."""
    ends_at: Callable[[str], bool] = field(repr=False)
    """Whether a navigation to this URL ends the leg. It must not be made: the suite makes it, or its client would."""
    home: frozenset[str]
    """The origins of the server under test."""
    browser: Browser = field(repr=False)
    """The cookies of the server; those that its page sets by script belong there too."""
    trail: Trail = field(repr=False)
    check: str = ""
    """The id of the check that logs in."""

    @property
    def at_home(self) -> bool:
        """Whether it is a page of the server under test that takes a real browser."""
        return self.page is not None


@runtime_checkable
class Carrier(Protocol):
    """What a login driver has besides, if it can go where the walk cannot."""

    def turn(self) -> AbstractAsyncContextManager[object]:
        """Held by a login from its first request on: one that had to wait half-way might end before its turn came."""
        ...

    def takes(self, leg: Leg) -> bool:
        """Whether it is worth trying."""
        ...

    async def carry(self, leg: Leg) -> Step | None:
        """Go on until a navigation ends the leg, and return that unmade; None if it sticks, said in `trail.stuck`."""
        ...


@runtime_checkable
class Closing(Protocol):
    """What a login driver has besides, if it holds something open."""

    async def close(self) -> None:
        """Let go of it, at the end of the run."""
        ...
