"""A profile as a report may show it: the declared members, without any value that could be a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from oauth_litmus.target.profile import Profile

_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_ONLY_NAMES = (("login", "fields"), ("http", "headers"))
"""Tables in which an operator may have written credentials; the report shows only their keys."""


def profile_shown(profile: Profile) -> dict[str, object]:
    """Return the declared members of a profile; secrets appear only as names of environment variables."""
    shown = cast(
        "dict[str, object]", _without_credentials(profile.model_dump(mode="json", by_alias=True, exclude_unset=True))
    )
    for section, member in _ONLY_NAMES:
        table = cast("dict[str, object]", shown.get(section) or {})
        if isinstance(table.get(member), dict):
            table[member] = sorted(cast("dict[str, object]", table[member]))
    return shown


def without_userinfo(url: str) -> str:
    """Return the URL without user name and password."""
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
