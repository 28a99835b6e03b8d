"""One leg of a login in Chromium: show the page, take steps or guess, and wait for the next navigation."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from playwright.async_api import Error

from oauth_litmus.browser.pages import read_page
from oauth_litmus.http.transcript import PREFLIGHT
from oauth_litmus.login.browser_cookies import hand_in, take_back
from oauth_litmus.login.browser_input import fill_in, press_button, press_what
from oauth_litmus.login.drivers import guess
from oauth_litmus.login.interception import Interception
from oauth_litmus.login.manual import say
from oauth_litmus.login.script import StepFails
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from playwright.async_api import BrowserContext
    from playwright.async_api import Page as Window

    from oauth_litmus.browser.pages import Page
    from oauth_litmus.login.leg import Leg, Step
    from oauth_litmus.login.script import Script, ScriptedStep
    from oauth_litmus.target.login_settings import BrowserSettings

_LOOKS_EVERY = 0.1
_QUIET = 2_000
"""Milliseconds to wait until a page stops loading; a page that never stops is then used as it is."""
_LOOKS_BEFORE_A_GUESS = 3
"""How often in a row a page must look the same before a guess, because a script may still be building it."""


class Visit:
    """The windows of one leg, from its beginning to its end."""

    def __init__(
        self,
        context: BrowserContext,
        leg: Leg,
        script: Script,
        fields: Mapping[str, str],
        settings: BrowserSettings,
        headers: Mapping[str, str],
    ) -> None:
        self._context, self._leg, self._script, self._settings = context, leg, script, settings
        self._fields = dict(fields)
        self._interception = Interception(leg, headers)
        self._windows: list[Window] = []
        self._looks: tuple[object, int] = (None, 0)
        self._guessed: object = None

    async def go(self) -> Step | None:
        """Continue until a navigation ends the leg, and return it; None if the leg makes no progress in the allowed time."""
        window = await self._context.new_page()
        self._windows.append(window)
        await self._interception.watch(window)
        self._context.on("page", self._opened)
        if self._leg.at_home:
            await hand_in(self._leg, window)
        try:
            await window.goto(self._leg.step.url, wait_until="load", timeout=self._settings.patience * 1000)
        except Error as error:
            if not await self._ended(within=1.0):
                self._leg.trail.stuck = f"cannot open a page of the login: {str(error).splitlines()[0]}"
                return None
        if not await self._until_it_ends():
            return None
        await self._interception.finished()
        if self._leg.at_home:
            await take_back(self._leg, self._context)
        return self._interception.ended.result()

    async def photograph(self, path: Path) -> None:
        """Take a screenshot of the newest window, with all fields covered that can hold typed text."""
        window = self._window()
        typed = window.locator("input:not([type=submit]):not([type=button]), textarea")
        await window.screenshot(path=path, mask=[typed])

    def _opened(self, window: Window) -> None:
        self._windows.append(window)
        self._watching = asyncio.ensure_future(self._interception.watch(window))

    def _window(self) -> Window:
        open_windows = [window for window in self._windows if not window.is_closed()]
        return (open_windows or self._windows)[-1]

    async def _ended(self, *, within: float) -> bool:
        await asyncio.wait([self._interception.ended], timeout=within)
        return self._interception.ended.done()

    async def _until_it_ends(self) -> bool:
        clock = asyncio.get_running_loop().time
        patience = self._settings.patience
        helped = not (self._settings.headed and self._leg.check == PREFLIGHT and self._settings.minutes_for_a_person)
        until = clock() + patience
        while not await self._ended(within=_LOOKS_EVERY):
            if await self._act():
                until = clock() + patience
            elif clock() >= until and not helped:
                helped = True
                until = clock() + self._settings.minutes_for_a_person * 60
                say(
                    f"Please continue the login in the browser window within {counted(self._settings.minutes_for_a_person, 'minute')}."
                )
            elif clock() >= until:
                return False
        return True

    async def _act(self) -> bool:
        """Take a step, or guess once the page is stable; return whether the login made progress."""
        window = self._window()
        try:
            page = await self._read(window)
        except Error:
            return False  # the window is navigating to another page
        self._leg.trail.last_page = page
        look = (page.url, page.forms, page.script_buttons, page.title)
        changed = look != self._looks[0]
        self._looks = (look, 1 if changed else self._looks[1] + 1)
        step = self._script.step_for(page, self._leg.trail)
        if step is not None:
            return await self._take(window, step, page)
        if self._looks[1] < _LOOKS_BEFORE_A_GUESS or look == self._guessed:
            return changed
        return await self._guess(window, page, look)

    async def _read(self, window: Window) -> Page:
        page = read_page(window.url, await window.content())
        if self._looks[1] or not page.has_script:
            return page
        # A script changes the page after it has loaded; a button that is pressed earlier may have no effect.
        await _until_quiet(window)
        return read_page(window.url, await window.content())

    async def _take(self, window: Window, step: ScriptedStep, page: Page) -> bool:
        trail = self._leg.trail
        try:
            await fill_in(window, step.values, step.shown)
            if step.click is not None:
                await press_what(window, step.click, step.shown)
            elif (chosen := guess(page, trail, {**self._fields, **step.values})) is not None:
                await press_button(window, page, chosen)
            else:
                raise StepFails(f"{step.shown} names nothing to click, and no form of the page can be sent as it is")
        except (StepFails, Error) as failure:
            # The page may not be ready yet, so try again; the last trouble is reported when the time is up.
            trail.trouble = str(failure).splitlines()[0]
            return False
        trail.taken[step.number] += 1
        trail.trouble = ""
        self._looks = (None, 0)
        return True

    async def _guess(self, window: Window, page: Page, look: object) -> bool:
        chosen = guess(page, self._leg.trail, self._fields)
        if chosen is None:
            return False
        self._guessed = look
        try:
            await fill_in(
                window,
                {
                    field.name: chosen.values[field.name]
                    for field in chosen.form.fields
                    if field.name in chosen.values and field.type != "hidden"
                },
                "the guess",
            )
            await press_button(window, page, chosen)
        except (StepFails, Error):
            return False
        self._leg.trail.answered(page, chosen.form)
        self._looks = (None, 0)
        return True


async def _until_quiet(window: Window) -> None:
    try:
        await window.wait_for_load_state("networkidle", timeout=_QUIET)
    except Error:
        return
