"""Browser input: type into the fields of a window, and press buttons and links by their text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oauth_litmus.login.script import StepFails

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from playwright.async_api import Locator
    from playwright.async_api import Page as Window

    from oauth_litmus.browser.choice import Choice
    from oauth_litmus.browser.pages import Page
    from oauth_litmus.target.login_settings import Click

_AT_MOST = 3_000
"""Milliseconds to wait until a visible element can be used."""
_TICKED = frozenset({"on", "true", "yes", "1"})


async def fill_in(window: Window, values: Mapping[str, str], who: str) -> None:
    """Type or select each value in the field with that name, id, label or placeholder.

    Raises:
        StepFails: no visible field matches.
    """
    for name, value in values.items():
        quoted = json.dumps(name)
        by_name = window.locator(f"[name={quoted}], [id={quoted}]")
        found = await _first_seen([by_name, window.get_by_label(name), window.get_by_placeholder(name)])
        if found is None:
            raise StepFails(f"{who} fills in {name}, but no field of the page has that name")
        await _put(window, found, name, value)


async def press_what(window: Window, click: Click, who: str) -> None:
    """Press the button or link that a step names.

    Raises:
        StepFails: no visible element matches.
    """
    found = await _first_seen(_candidates(window, click))
    if found is None:
        raise StepFails(f"{who} found its page, which has {click.shown}")
    await found.click(timeout=_AT_MOST)


async def press_button(window: Window, page: Page, choice: Choice) -> None:
    """Press the chosen button, or submit the form if no button was chosen."""
    form = window.locator("form:not([method=dialog])").nth(page.forms.index(choice.form))
    button = choice.button
    if button is None:
        await form.evaluate("form => form.requestSubmit()")
        return
    by_value = form.locator(f"[name={json.dumps(button.name or '')}][value={json.dumps(button.value)}]")
    named = [form.get_by_role("button", name=button.label, exact=True)] if button.label else []
    submits = form.locator("button:not([type=button]):not([type=reset]), input[type=submit], input[type=image]")
    found = await _first_seen([*([by_value] if button.name else []), *named, submits])
    await (found or submits.first).click(timeout=_AT_MOST)


def _candidates(window: Window, click: Click) -> Iterable[Locator]:
    if click.selector:
        yield window.locator(click.selector)
        return
    text = click.text or click.button or click.link or ""
    for exact in (True, False):
        if not click.link:
            yield window.get_by_role("button", name=text, exact=exact)
        if not click.button:
            yield window.get_by_role("link", name=text, exact=exact)
    if click.text:
        yield window.get_by_text(text)


async def _first_seen(candidates: Iterable[Locator]) -> Locator | None:
    for candidate in candidates:
        seen = candidate.filter(visible=True)
        if await seen.count():
            return seen.first
    return None


async def _put(window: Window, field: Locator, name: str, value: str) -> None:
    kind = str(await field.evaluate("field => field.tagName === 'SELECT' ? 'select' : field.type || ''"))
    if kind == "select":
        await field.select_option(value, timeout=_AT_MOST)
    elif kind == "checkbox":
        own = str(await field.get_attribute("value") or "on")
        await field.set_checked(value == own or value.lower() in _TICKED, timeout=_AT_MOST)
    elif kind == "radio":
        await window.locator(f"[name={json.dumps(name)}][value={json.dumps(value)}]").check(timeout=_AT_MOST)
    else:
        await field.fill(value, timeout=_AT_MOST)
