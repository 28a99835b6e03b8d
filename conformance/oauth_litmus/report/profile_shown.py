"""A profile as a report may show it: what was declared, without a value that could be a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from oauth_litmus.target.profile import Profile

_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_ONLY_NAMES = (("login", "fields"), ("http", "headers"))
"""Tables whose values an operator may have filled with credentials: of these only the keys are shown."""


def profile_shown(profile: Profile) -> dict[str, object]:
    """The declared members of a profile; of secrets only the names of the environment variables."""
    shown = cast(
        "dict[str, object]", _without_credentials(profile.model_dump(mode="json", by_alias=True, exclude_unset=True))
    )
    for section, member in _ONLY_NAMES:
        table = cast("dict[str, object]", shown.get(section) or {})
        if isinstance(table.get(member), dict):
            table[member] = sorted(cast("dict[str, object]", table[member]))
    return shown


def without_userinfo(url: str) -> str:
    """A URL without user name and password."""
    return _USERINFO.sub("", url)


def _without_credentials(value: object) -> object:
    match value:
        case str():
            return without_userinfo(value)
        case dict():
            return {key: _without_credentials(member) for key, member in cast("dict[str, object]", value).items()}
        case list():
            return [_without_credentials(member) for member in cast("list[object]", value)]
        case _:
            return value
