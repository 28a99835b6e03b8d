"""Explain on which page a login is stuck, what the page offers, and how to write a step for it; show no field values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauth_litmus.browser.pages import Page
    from oauth_litmus.browser.trail import Trail
    from oauth_litmus.login.script import Script

_MOST = 8
_LONGEST = 40


def stuck_at(page: Page, trail: Trail, script: Script, *, in_browser: bool = False) -> str:
    """Say why the login does not go on from this page, and suggest a remedy."""
    said = [f"stuck at {described(page)}"]
    if trail.trouble:
        said.append(trail.trouble)
    elif trail.came_back(page):
        said.append("its form came back after it was answered once: are the credentials right?")
    elif not in_browser and (page.script_buttons or (page.has_script and not page.forms)):
        said.append("this page needs its script, which only --login browser runs")
    if not trail.trouble:
        said.append(f"add a step for this page to the profile: {step_for(page)}")
    untaken = never_taken(trail, script)
    return "; ".join([*said, *([untaken] if untaken else [])]) + " (docs/login.md)"


def never_taken(trail: Trail, script: Script) -> str:
    """Name the steps whose page never appeared; empty if there is none."""
    steps = script.never_taken(trail)
    if not steps:
        return ""
    names = ", ".join(step.shown for step in steps)
    return f"the page of {names} never appeared: correct its `match`, or set `optional = true`"


def described(page: Page) -> str:
    """Describe a page by address, title, fields, buttons and links."""
    parts = urlsplit(page.url)
    fields = dict.fromkeys(
        f"{field.name} ({field.type})" if field.type in ("password", "select", "checkbox", "radio") else field.name
        for form in page.forms
        for field in form.fields
        if field.type != "hidden"
    )
    buttons = dict.fromkeys(button.label or button.value for form in page.forms for button in form.buttons)
    seen = {
        "fields": fields,
        "buttons": [_quoted(label) for label in buttons if label],
        "buttons that need a script": [_quoted(label) for label in page.script_buttons if label],
        "links": [_quoted(link.text) for link in page.links if link.text],
    }
    has = "; ".join(f"{what} {_few(names)}" for what, names in seen.items() if names) or "no form, button or link"
    title = f" {_quoted(page.title)}" if page.title else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{title}, with {has}"


def step_for(page: Page) -> str:
    """Return a draft of a step for this page."""
    path = urlsplit(page.url).path
    members = [f'match = {{ url = "*{path}*" }}']
    form = next((form for form in page.forms if any(field.is_typed for field in form.fields)), None)
    typed = [field for field in form.fields if field.is_typed] if form else []
    open_fields = [f'{_key(field.name)} = "…"' for field in typed if field.type != "password"]
    secret_fields = [f'{_key(field.name)} = "ENVIRONMENT_VARIABLE"' for field in typed if field.type == "password"]
    if open_fields:
        members.append(f"fill = {{ {', '.join(open_fields[:_MOST])} }}")
    if secret_fields:
        members.append(f"fill_secret = {{ {', '.join(secret_fields)} }}")
    buttons = [button.label or button.value for form in page.forms for button in form.buttons]
    click = next(filter(None, [*buttons, *page.script_buttons]), "…")
    members.append(f"click = {json.dumps(_short(click), ensure_ascii=False)}")
    return f"[[login.steps]] {', '.join(members)}"


def _few(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - _MOST} more" if len(every) > _MOST else ""
    return ", ".join(every[:_MOST]) + more


def _quoted(text: str) -> str:
    return repr(_short(text))


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)
