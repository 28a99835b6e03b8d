"""Chromium's own protocol to one window, with types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.async_api import Page as Window


class DevTools(Protocol):
    """A session with one window."""

    async def send(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Have a command carried out; raises playwright's Error where it is refused."""
        ...

    def on(self, event: str, f: Callable[[dict[str, Any]], None]) -> None:
        """Hear of events."""
        ...

    async def detach(self) -> None:
        """End the session."""
        ...


async def devtools_of(window: Window) -> DevTools:
    """A session with this window."""
    return cast("DevTools", await window.context.new_cdp_session(window))
