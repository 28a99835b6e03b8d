"""A typed interface to the Chrome DevTools Protocol of one window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Page as Window


class DevTools(Protocol):
    """A DevTools session with one window."""

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a command and return its result; raise playwright's `Error` if Chromium refuses it."""
        ...

    def on(self, event: str, f: Callable[[dict[str, Any]], None]) -> None:
        """Call `f` for each event of this name."""
        ...

    async def detach(self) -> None:
        """Close the session."""
        ...


async def devtools_of(window: Window) -> DevTools:
    """Open a DevTools session with this window."""
    return cast("DevTools", await window.context.new_cdp_session(window))
