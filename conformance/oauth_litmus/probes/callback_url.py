"""Reads and changes the parameters of the callback URL, with which the upstream sends the browser back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

if TYPE_CHECKING:
    from oauth_litmus.oauth.attempt import Attempt

_OF_THE_UPSTREAM = frozenset({"code", "iss", "scope", "error"})
_SHORTEST_BINDING = 16


def binding_parameters(held: Attempt) -> dict[str, str]:
    """The callback parameters that bind it to one login: all with a long value, except the upstream's own."""
    own = parse_qsl(urlsplit(held.callback_url or "").query)
    return {name: value for name, value in own if name not in _OF_THE_UPSTREAM and len(value) >= _SHORTEST_BINDING}


def parameter(url: str | None, name: str) -> str | None:
    """The last value of a query parameter; None if the URL does not have it."""
    return dict(parse_qsl(urlsplit(url or "").query, keep_blank_values=True)).get(name)


def with_parameter(url: str, name: str, value: str | None) -> str:
    """Return the URL with one parameter replaced in its position, or removed (None)."""
    parts = urlsplit(url)
    pairs = [(key, old if key != name else value) for key, old in parse_qsl(parts.query, keep_blank_values=True)]
    return urlunsplit(parts._replace(query=urlencode([(key, new) for key, new in pairs if new is not None])))
