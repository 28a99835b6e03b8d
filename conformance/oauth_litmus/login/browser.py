"""The `browser` driver: Chromium, driven by Playwright, for login pages that need scripts.

The suite itself still sends the navigations to the server under test.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from playwright.async_api import Error, async_playwright

from oauth_litmus.http.sites import host_of
from oauth_litmus.http.transcript import PREFLIGHT
from oauth_litmus.login.browser_state import StateFile, without_cookies_of
from oauth_litmus.login.drivers import press, why_stuck
from oauth_litmus.login.script import Script
from oauth_litmus.login.visit import Visit
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from playwright.async_api import Browser as Chromium
    from playwright.async_api import BrowserContext, Playwright, ProxySettings, StorageState

    from oauth_litmus.browser.pages import Page, Submission
    from oauth_litmus.browser.trail import Trail
    from oauth_litmus.login.leg import Leg, Step
    from oauth_litmus.target.login_settings import BrowserSettings
    from oauth_litmus.target.profile import Profile

_MOST_SCREENSHOTS = 20
_SCRIPTED = re.compile(rb"<script|\son[a-z]+\s*=", re.IGNORECASE)


class BrowserDriver:
    """Sends plain forms of the server as `redirects` does, and opens all other pages in Chromium."""

    name = "browser"
    walks = True

    def __init__(
        self,
        settings: BrowserSettings,
        *,
        script: Script | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
    ) -> None:
        self.settings = settings
        self.script = script or Script()
        self._fields = dict(fields or {})
        self._headers = dict(headers or {})
        self._proxy = proxy
        self._file = StateFile(Path(settings.state)) if settings.state else None
        self._state: StorageState | None = self._file.read() if self._file else None
        self._needed: set[tuple[str, str]] = set()
        self._screenshots = 0
        self._starting = asyncio.Lock()
        self._turns = asyncio.Semaphore(settings.pages)
        self._playwright: Playwright | None = None
        self._chromium: Chromium | None = None
        self._failure = ""

    @classmethod
    def of(cls, profile: Profile) -> BrowserDriver:
        """Make the driver that a profile describes.

        Raises:
            ProfileError: an environment variable is not set, or the saved state cannot be used.
        """
        login = profile.login
        return cls(
            login.browser,
            script=Script.of(login.steps),
            fields=login.values(),
            headers=profile.http.all_headers(),
            proxy=profile.http.proxy,
        )

    def press(self, page: Page, trail: Trail) -> Submission | None:
        """Return the submission for a page that needs no browser: by the script, or else by a guess at a person's choice."""
        return press(page, trail, self.script, self._fields)

    def turn(self) -> asyncio.Semaphore:
        """Return the semaphore that limits how many logins run in the browser at once."""
        return self._turns

    def takes(self, leg: Leg) -> bool:
        """Whether to open the leg in Chromium: every page of another site, but few pages of the server itself.

        A page of the server must have scripts, and the first login must have needed Chromium for it.
        """
        if leg.page is None:
            return True
        first = leg.check == PREFLIGHT or _place(leg) in self._needed
        return first and _SCRIPTED.search(leg.page.body) is not None

    async def carry(self, leg: Leg) -> Step | None:
        """Open the leg's page in Chromium and continue until a navigation ends the leg.

        Raises:
            Blocked: the browser does not start, or stopped working.
        """
        async with self._context() as context:
            visit = Visit(context, leg, self.script, self._fields, self.settings, self._headers)
            try:
                onwards = await visit.go()
                if onwards is not None:
                    await self._keep(context, leg)
                elif not leg.trail.stuck:
                    page = leg.trail.last_page
                    leg.trail.stuck = why_stuck(self, page, leg.trail) if page else leg.trail.trouble
                if onwards is None and self.settings.screenshots:
                    await self._photograph(visit, leg)
            except Error as error:
                raise Blocked(f"the browser stopped working: {_first_line(error)}") from error
            return onwards

    async def close(self) -> None:
        """Close the browser."""
        if self._chromium is not None:
            await self._chromium.close()
        if self._playwright is not None:
            await self._playwright.stop()
        self._chromium = self._playwright = None

    @asynccontextmanager
    async def _context(self) -> AsyncGenerator[BrowserContext]:
        """Open a separate browser context, with the saved session at the login provider."""
        chromium = await self._started()
        # A service worker could send requests that the interception does not see.
        context = await chromium.new_context(storage_state=self._state, service_workers="block")
        try:
            yield context
        finally:
            await context.close()

    async def _started(self) -> Chromium:
        async with self._starting:
            if self._failure:
                raise Blocked(self._failure)
            if self._chromium is None:
                self._playwright = self._playwright or await async_playwright().start()
                try:
                    self._chromium = await self._launch(self._playwright)
                except Error as error:
                    self._failure = _why_not_started(error)
                    raise Blocked(self._failure) from error
            return self._chromium

    async def _launch(self, playwright: Playwright) -> Chromium:
        settings = self.settings
        proxy: ProxySettings | None = {"server": self._proxy} if self._proxy else None
        return await playwright.chromium.launch(
            executable_path=settings.executable,
            channel=settings.channel,
            args=list(settings.args),
            headless=not settings.headed,
            # Playwright disables the sandbox by default; pages of other sites need it.
            chromium_sandbox="--no-sandbox" not in settings.args,
            proxy=proxy,
        )

    async def _keep(self, context: BrowserContext, leg: Leg) -> None:
        if leg.at_home:
            self._needed.add(_place(leg))
        state = await context.storage_state(indexed_db=True)
        # Each login starts without cookies of the server; the walk keeps those.
        self._state = without_cookies_of({host_of(origin) for origin in leg.home}, state)
        if self._file is not None:
            self._file.write(self._state)

    async def _photograph(self, visit: Visit, leg: Leg) -> None:
        if self._screenshots >= _MOST_SCREENSHOTS:
            return
        self._screenshots += 1
        folder = Path(self.settings.screenshots or "")
        name = f"{re.sub('[^A-Za-z0-9-]', '', leg.check) or 'login'}-{self._screenshots}.png"
        try:
            await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            await visit.photograph(folder / name)
            leg.trail.stuck += f"; a screenshot of the page is {name} in {folder}"
        except (Error, OSError) as error:
            leg.trail.stuck += f"; no screenshot of the page: {_first_line(error)}"


def _place(leg: Leg) -> tuple[str, str]:
    parts = urlsplit(leg.step.url)
    return parts.netloc, parts.path


def _why_not_started(error: Error) -> str:
    said = str(error)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if "sandbox" in said.lower():
        return (
            "the browser does not start: its sandbox is not available here. In a container that protects nothing else, "
            'disable the sandbox: `[login.browser] args = ["--no-sandbox"]`'
        )
    if "executable doesn't exist" in said.lower() or "is not found" in said.lower():
        return (
            f"the browser does not start: {lines[0]}. Name any Chromium: `[login.browser] executable = "
            '"/usr/bin/chromium"`, or `channel = "chrome"` (docs/login.md)'
        )
    return f"the browser does not start: {next(iter(lines), 'it gives no reason')}"


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
