"""The session at the login provider, saved to a file between runs, without the cookies of the server under test."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, cast

from oauth_litmus.http.sites import domain_matches
from oauth_litmus.target.login_settings import ProfileError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from playwright.async_api import StorageState

_OTHERS = 0o077


class StateFile:
    """The saved browser state. Only its owner may read the file, because its sessions are logged in."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> StorageState | None:
        """Return the saved state; None if the file does not exist yet.

        Raises:
            ProfileError: the file cannot be read, others may read it, or this driver did not write it.
        """
        try:
            mode = self.path.stat().st_mode
            kept = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ProfileError(f"cannot use the browser state {self.path}: {error}") from error
        if os.name == "posix" and mode & _OTHERS:
            raise ProfileError(f"the browser state {self.path} holds sessions, and others may read it: chmod 600 it")
        if not isinstance(kept, dict) or not isinstance(cast("dict[str, object]", kept).get("cookies"), list):
            raise ProfileError(f"the browser state {self.path} was not written by the login driver `browser`")
        return cast("StorageState", kept)

    def write(self, state: StorageState) -> None:
        """Save the state by an atomic replacement of the file, so that no reader sees half of it."""
        beginning = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(beginning, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(state, file)
        beginning.replace(self.path)


def without_cookies_of(hosts: Iterable[str], state: StorageState) -> StorageState:
    """Return the state without the cookies of these hosts."""
    own = tuple(hosts)
    kept = [
        cookie
        for cookie in state.get("cookies", [])
        if not any(domain_matches(host, cookie.get("domain", "").lstrip(".")) for host in own)
    ]
    return {**state, "cookies": kept}
