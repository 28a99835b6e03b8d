"""Legs of a login that the walk cannot perform itself, and the interface of a driver that can."""

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
    """One navigation to make. `initiator` is the URL of the page that began it; redirects keep it."""

    url: str
    method: str = "GET"
    body: tuple[tuple[str, str], ...] = ()
    initiator: str | None = None


@dataclass(frozen=True)
class Leg:
    """A part of a login: pages of another site, or one page of the server under test that needs a real browser."""

    step: Step
    """The navigation with which the leg begins."""
    page: Answer | None
    """The server's answer to `step`, to be shown unchanged; None if the driver must send `step` itself."""
    ends_at: Callable[[str], bool] = field(repr=False)
    """Whether a navigation to this URL ends the leg. The driver must not send it: the suite does, or its client would."""
    home: frozenset[str]
    """The origins of the server under test."""
    browser: Browser = field(repr=False)
    """The cookies of the server; the driver adds the cookies that a script of the page sets."""
    trail: Trail = field(repr=False)
    check: str = ""
    """The id of the check that logs in."""

    @property
    def at_home(self) -> bool:
        """Whether the leg is a page of the server under test."""
        return self.page is not None


@runtime_checkable
class Carrier(Protocol):
    """The further methods of a login driver that can perform legs."""

    def turn(self) -> AbstractAsyncContextManager[object]:
        """Return a context that a login holds from its first request on, so that it cannot expire while it waits half-way."""
        ...

    def takes(self, leg: Leg) -> bool:
        """Whether the driver takes this leg."""
        ...

    async def carry(self, leg: Leg) -> Step | None:
        """Perform the leg, and return the navigation that ends it, unsent; None if it gets stuck, explained in `trail.stuck`."""
        ...


@runtime_checkable
class Closing(Protocol):
    """The further method of a login driver that holds resources open."""

    async def close(self) -> None:
        """Release the resources at the end of the run."""
        ...
