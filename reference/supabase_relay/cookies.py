"""Cookies: names, attributes, and a limit on their number; their prefix binds them to the host (RFC 6265bis)."""

import secrets
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from supabase_relay.opaque_tokens import hash_of

STATE_PREFIX = "__Host-relay-login-"
MAX_ALIVE = 5

_MAX_PRESENTED = 100


def state_cookie_name(state: str) -> str:
    """Return the cookie name of one pending login; logins in two tabs have different names."""
    return STATE_PREFIX + hash_of("state", f"cookie:{state}")[:22]


def new_browser_secret() -> str:
    """Create the cookie value that identifies a browser: 256 random bits."""
    return secrets.token_urlsafe(32)


def presented(request: Request, name: str) -> str | None:
    """Return the value of a cookie; None if it is missing, or if two have this name, because one may be planted."""
    values = [value for known, value in _pairs(request) if known == name]
    return values[0] if len(values) == 1 else None


def cookie_attributes() -> str:
    """Return the attributes of every cookie.

    SameSite is Lax, because the redirect back from Supabase is a top-level navigation that another site starts.
    Browsers do not send Strict cookies with it.
    """
    return "Path=/; Secure; HttpOnly; SameSite=Lax"


def set_cookie(response: Response, name: str, value: str, max_age: int) -> None:
    """Set a cookie for `max_age` seconds."""
    response.headers.append("set-cookie", f"{name}={value}; Max-Age={max(1, max_age)}; {cookie_attributes()}")


def delete_cookie(response: Response, name: str) -> None:
    """Delete a cookie; browsers require the attributes with which it was set."""
    response.headers.append(
        "set-cookie", f"{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; {cookie_attributes()}"
    )


def delete_oldest(request: Request, response: Response, *, prefix: str, keep: str, alive: int = MAX_ALIVE) -> None:
    """Delete the oldest cookies with `prefix`, so that at most `alive` remain, `keep` included.

    Browsers send older cookies first (RFC 6265 section 5.4).
    """
    names = [name for name in dict.fromkeys(known for known, _ in _pairs(request)) if name.startswith(prefix)]
    for name in oldest([name for name in names if name != keep], alive - 1):
        delete_cookie(response, name)


def oldest(names: Sequence[str], kept: int) -> Sequence[str]:
    """Return all names except the last `kept`; `names` starts with the oldest."""
    return names[: max(0, len(names) - kept)]


def _pairs(request: Request) -> list[tuple[str, str]]:
    chunks = [chunk for line in request.headers.getlist("cookie") for chunk in line.split(";")]
    pairs = (chunk.strip().partition("=") for chunk in chunks[:_MAX_PRESENTED])
    return [(name, value) for name, _, value in pairs]
