"""Redirect URIs: check registered ones, compare requested ones, and add response parameters."""

import re
from collections.abc import Collection, Mapping, Sequence
from urllib.parse import parse_qsl, quote, urlencode

MAX_LENGTH = 2048

# Parameters of an authorization response; in a registered query they would make the response ambiguous (RFC 9207).
RESPONSE_PARAMETERS = frozenset({"code", "state", "iss", "error", "error_description", "error_uri"})

SCRIPT_SCHEMES = frozenset({"javascript", "data", "vbscript", "file", "blob", "about", "view-source", "ws", "wss"})

_URI_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()+,;=%]+")  # RFC 3986 without '#' and '*'
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.+)", re.DOTALL)
_HTTPS = re.compile(r"//([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?([/?].*)?")
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::([0-9]{1,5}))?((?:[/?].*)?)")
_PRIVATE_USE = re.compile(r"[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+")  # reverse-domain style, RFC 8252 section 7.1


def may_be_registered(uri: str, private_use_schemes: Collection[str] = ()) -> bool:
    """Whether a client may register `uri`: https, loopback http, or a private-use scheme (OAuth 2.1 section 2.3.1).

    `private_use_schemes` are schemes without a period that the operator allows nevertheless.
    """
    if len(uri) > MAX_LENGTH or not _URI_CHARACTERS.fullmatch(uri) or has_response_parameter(uri):
        return False
    match = _SCHEME.fullmatch(uri)
    if not match:
        return False
    scheme, rest = match[1], match[2]
    if scheme == "https":
        return is_host_address(rest)
    if scheme == "http":
        return is_loopback(uri)
    return is_private_use(scheme, private_use_schemes)


def is_host_address(rest: str) -> bool:
    """Whether the part after `https:` has a plain host, a valid port or none, and no user name or backslash."""
    match = _HTTPS.fullmatch(rest)
    return match is not None and _is_port(match[2])


def is_loopback(uri: str) -> bool:
    """Whether an http URI points to loopback; the whole authority is matched, because a prefix can deceive."""
    match = _LOOPBACK.fullmatch(uri)
    return match is not None and _is_port(match[2])


def is_private_use(scheme: str, admitted: Collection[str]) -> bool:
    """Whether an app may use `scheme` (RFC 8252 section 7.1)."""
    if scheme.lower() in SCRIPT_SCHEMES:
        return False
    return _PRIVATE_USE.fullmatch(scheme) is not None or scheme in admitted


def has_response_parameter(uri: str) -> bool:
    """Whether the query already has a parameter of the authorization response."""
    _, _, query = uri.partition("?")
    return any(name in RESPONSE_PARAMETERS for name, _ in parse_qsl(query, keep_blank_values=True))


def find_registered(requested: str | None, registered: Sequence[str]) -> str | None:
    """Return the redirect URI to use, or None; it is optional if exactly one is registered (OAuth 2.1 section 4.1.1)."""
    if requested is None:
        return registered[0] if len(registered) == 1 else None
    return requested if any(same_redirect_uri(requested, known) for known in registered) else None


def same_redirect_uri(requested: str, registered: str) -> bool:
    """Compare as strings, except for the port of loopback addresses (OAuth 2.1 sections 4.1.1 and 8.4.2)."""
    return requested == registered or same_but_for_loopback_port(requested, registered)


def same_but_for_loopback_port(requested: str, registered: str) -> bool:
    """Whether both are loopback URIs that differ at most in the port."""
    ours, theirs = _LOOPBACK.fullmatch(requested), _LOOPBACK.fullmatch(registered)
    if ours is None or theirs is None or not _is_port(ours[2]):
        return False
    return (ours[1], ours[3]) == (theirs[1], theirs[3])


def success_redirect(redirect_uri: str, *, code: str, state: str | None, issuer: str) -> str:
    """Build the URL of an authorization response (OAuth 2.1 section 4.1.2), with `iss` (RFC 9207)."""
    answer = {"code": code, "state": state, "iss": issuer}
    return append_to_query(redirect_uri, {name: value for name, value in answer.items() if value is not None})


def error_redirect(redirect_uri: str, *, error: str, description: str, state: str | None, issuer: str) -> str:
    """Build the URL of an authorization error response (OAuth 2.1 section 4.1.2.1), with `iss` (RFC 9207)."""
    answer = {"error": error, "error_description": description, "state": state, "iss": issuer}
    return append_to_query(redirect_uri, {name: value for name, value in answer.items() if value is not None})


def append_to_query(uri: str, parameters: Mapping[str, str]) -> str:
    """Append parameters to the registered query, which stays unchanged (OAuth 2.1 section 2.3)."""
    _, mark, query = uri.partition("?")
    separator = "?" if not mark else "" if not query or query.endswith("&") else "&"
    return uri + separator + urlencode(parameters, quote_via=quote, safe="")


def host_of(uri: str) -> str:
    """Return the recipient of the answer as the consent page shows it: the host, or the scheme of an app."""
    scheme, _, rest = uri.partition(":")
    if not rest.startswith("//"):
        return f"{scheme}:"
    authority = re.split(r"[/?]", rest[2:], maxsplit=1)[0]
    return authority if scheme in {"http", "https"} else f"{scheme}://{authority}"


def origin_of(uri: str) -> str:
    """Return the Content-Security-Policy source expression for the origin of `uri`; its scheme if it has none."""
    scheme, _, rest = uri.partition(":")
    if scheme not in {"http", "https"} or rest.startswith("//["):
        return f"{scheme}:"
    return f"{scheme}://" + re.split(r"[/?]", rest[2:], maxsplit=1)[0]


def _is_port(text: str | None) -> bool:
    return text is None or 0 < int(text) < 65_536
