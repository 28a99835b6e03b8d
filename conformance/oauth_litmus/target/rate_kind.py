"""To which limit of the server a request is charged, as far as its address tells."""

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
    """What a request to this URL of the server is charged to; `otherwise` where nothing is known of the address."""
    where = _place(url)
    for name, kind in _ENDPOINTS.items():
        if where == _place(server.endpoint(name)):
            return kind
    if where == _place(server.seen.callback_url):
        return Kind.CALLBACK
    if _same_but_for_an_identifier(where, _place(server.seen.start_url)):
        return Kind.START
    return otherwise


def _place(url: str | None) -> tuple[str, str]:
    """Authority and path; no URL, and one that cannot be read, is nowhere."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return "", ""
    return parts.netloc.lower(), parts.path


def _same_but_for_an_identifier(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether a place is another one whose last segment names one login, whatever stands there in its stead."""
    if not one[0] or one[0] != other[0]:
        return False
    folder = one[1].rpartition("/")[0]
    other_folder, _, other_last = other[1].rpartition("/")
    return one == other or (folder == other_folder and len(other_last) >= _SHORTEST_IDENTIFIER)
