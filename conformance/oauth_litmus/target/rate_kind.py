"""Which rate limit a URL of the server counts against."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.limits.rates import Kind

if TYPE_CHECKING:
    from oauth_litmus.target.server import Server

_ENDPOINTS = {
    "authorization": Kind.AUTHORIZE,
    "registration": Kind.REGISTER,
    "token": Kind.TOKEN,
    "revocation": Kind.TOKEN,
}
_SHORTEST_IDENTIFIER = 16


def kind_of(server: Server, url: str, otherwise: Kind) -> Kind:
    """The kind of request by whose rate limit this URL counts; `otherwise` if the URL is unknown."""
    where = _authority_and_path(url)
    for name, kind in _ENDPOINTS.items():
        if where == _authority_and_path(server.endpoint(name)):
            return kind
    if where == _authority_and_path(server.seen.callback_url):
        return Kind.CALLBACK
    if _same_but_for_an_identifier(where, _authority_and_path(server.seen.start_url)):
        return Kind.START
    return otherwise


def _authority_and_path(url: str | None) -> tuple[str, str]:
    """The authority and path of a URL; both empty if there is no URL or it cannot be parsed."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return "", ""
    return parts.netloc.lower(), parts.path


def _same_but_for_an_identifier(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two URLs differ only in a last path segment that identifies a login."""
    if not one[0] or one[0] != other[0]:
        return False
    folder = one[1].rpartition("/")[0]
    other_folder, _, other_last = other[1].rpartition("/")
    return one == other or (folder == other_folder and len(other_last) >= _SHORTEST_IDENTIFIER)
