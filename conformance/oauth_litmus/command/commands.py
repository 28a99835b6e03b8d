"""Sub-commands that extras add to `oauth-litmus`, found by entry point and loaded only when needed."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, cast

import typer

from oauth_litmus.command.reported_run import complain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GROUP = "oauth_litmus.commands"
EXTRA = "pip install 'oauth-litmus[reference]'"
_WRONG_USAGE = 2
_PASS_THROUGH: dict[str, object] = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def add_installed_commands(app: typer.Typer, arguments: Sequence[str]) -> None:
    """Add the installed commands that these arguments may call.

    Loading such a command imports a whole server, so a built-in command such as `run` must not load any.
    """
    found = {entry_point.name: entry_point for entry_point in entry_points(group=GROUP)}
    own = {command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands}
    first = next((argument for argument in arguments if not argument.startswith("-")), None)
    if first in own or "--version" in arguments:
        return
    wanted = [first] if first in found else list(found)
    for name in wanted:
        _add(app, found[name])


def _add(app: typer.Typer, entry_point: EntryPoint) -> None:
    try:
        command = cast("Callable[..., None]", entry_point.load())
    except ModuleNotFoundError as error:
        missing, ours = error.name or "", entry_point.module.partition(".")[0]
        if missing.partition(".")[0] in (ours, __package__):
            raise
        app.command(entry_point.name, help=f"Needs an extra: {EXTRA}", context_settings=_PASS_THROUGH)(
            _asks_for_extra(entry_point.name, missing)
        )
        return
    app.command(entry_point.name)(command)


def _asks_for_extra(name: str, missing: str) -> Callable[[], None]:
    def refuse() -> None:
        complain(f"`{name}` needs {missing}, which is not installed: {EXTRA}")
        raise typer.Exit(_WRONG_USAGE)

    return refuse
