"""The cookies of the login: one per pending login, bound to the host, and never more than a few alive (RFC 6265bis)."""

import secrets
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from supabase_relay.opaque_tokens import hash_of

STATE_PREFIX = "__Host-relay-login-"
MAX_ALIVE = 5

_MAX_PRESENTED = 100


def state_cookie_name(state: str) -> str:
    """The name of the cookie of one pending login, so that two tabs do not overwrite each other."""
    return STATE_PREFIX + hash_of("state", f"cookie:{state}")[:22]


def new_browser_secret() -> str:
    """The value that makes a browser known again: 256 random bits."""
    return secrets.token_urlsafe(32)


def presented(request: Request, name: str) -> str | None:
    """The value of a cookie; None also where two of the name arrive, since one of them was planted."""
    values = [value for known, value in _pairs(request) if known == name]
    return values[0] if len(values) == 1 else None


def cookie_attributes() -> str:
    """What every cookie of the relay has.

    Lax, not Strict: the way back from Supabase is a top-level navigation that another site began, and browsers
    leave Strict cookies out of it.
    """
    return "Path=/; Secure; HttpOnly; SameSite=Lax"


def set_cookie(response: Response, name: str, value: str, max_age: int) -> None:
    """Set a cookie for `max_age` seconds."""
    response.headers.append("set-cookie", f"{name}={value}; Max-Age={max(1, max_age)}; {cookie_attributes()}")


def delete_cookie(response: Response, name: str) -> None:
    """Delete a cookie: with the attributes it was set with, or browsers keep it."""
    response.headers.append(
        "set-cookie", f"{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; {cookie_attributes()}"
    )


def delete_oldest(request: Request, response: Response, *, prefix: str, keep: str, alive: int = MAX_ALIVE) -> None:
    """Make room for the cookie `keep`. Browsers send older cookies first (RFC 6265 section 5.4)."""
    names = [name for name in dict.fromkeys(known for known, _ in _pairs(request)) if name.startswith(prefix)]
    for name in oldest([name for name in names if name != keep], alive - 1):
        delete_cookie(response, name)


def oldest(names: Sequence[str], kept: int) -> Sequence[str]:
    """The names that must go so that only the youngest `kept` stay."""
    return names[: max(0, len(names) - kept)]


def _pairs(request: Request) -> list[tuple[str, str]]:
    chunks = [chunk for line in request.headers.getlist("cookie") for chunk in line.split(";")]
    pairs = (chunk.strip().partition("=") for chunk in chunks[:_MAX_PRESENTED])
    return [(name, value) for name, _, value in pairs]
