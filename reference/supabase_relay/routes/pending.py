"""Checks that bind a pending login to one browser: its state, cookie and lifetime."""

import hmac
import re
import time

from starlette.requests import Request
from starlette.responses import Response

from supabase_relay.cookies import STATE_PREFIX, delete_oldest, presented, set_cookie, state_cookie_name
from supabase_relay.errors import PageError
from supabase_relay.opaque_tokens import hash_of
from supabase_relay.relay import Relay
from supabase_relay.storage.records import PendingLogin

_STATE = re.compile(r"[A-Za-z0-9_-]{43}")
_GONE = "This login is unknown, expired or already finished. Please start again in the application."
_STRANGER = "This login was started in another browser. Please start again in the application."


async def require_pending_login(relay: Relay, state: str | None) -> PendingLogin:
    """Return the pending login with this state; raises `PageError`."""
    login = await relay.pending_logins.find(state) if state and _STATE.fullmatch(state) else None
    if login is None:
        raise PageError(_GONE)
    refuse_expired_login(login, time.time())
    return login


def refuse_expired_login(login: PendingLogin, now: float) -> None:
    """Refuse an expired login, even if the store still has its record; its lifetime is never extended."""
    if now >= login.expires_at:
        raise PageError(_GONE)


def require_same_browser(login: PendingLogin, browser_secret: str | None) -> str:
    """Require the cookie of this login and return its value; raises `PageError`.

    A callback in another browser is a login CSRF (OAuth 2.1 section 7.1).
    """
    if browser_secret is None or not is_browser_of(login.browser, browser_secret):
        raise PageError(_STRANGER)
    return browser_secret


def is_browser_of(browser: str | None, browser_secret: str) -> bool:
    """Whether the login is bound to this value of the cookie."""
    return hmac.compare_digest(hash_of("browser", browser_secret), browser or "")


def presented_secret(request: Request, state: str) -> str | None:
    """Return the value of the cookie of that login, if the browser sends it."""
    return presented(request, state_cookie_name(state))


def set_state_cookie(
    request: Request, response: Response, login: PendingLogin, *, state: str, browser_secret: str
) -> None:
    """Set the cookie for the rest of the login's lifetime, and delete the oldest login cookies if there are too many."""
    name = state_cookie_name(state)
    delete_oldest(request, response, prefix=STATE_PREFIX, keep=name)
    set_cookie(response, name, browser_secret, remaining_seconds(login, time.time()))


def remaining_seconds(login: PendingLogin, now: float) -> int:
    """Return the rest of the login's lifetime in whole seconds."""
    return int(login.expires_at - now)
