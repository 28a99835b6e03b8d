"""Consent: the user must approve a client before the login continues.

Clients can register freely, and all of them log in through one client at Supabase. Without consent, an attacker could
register a client and collect codes: the relay would be a confused deputy (MCP security best practices).
"""

import hashlib
import hmac
import time
from urllib.parse import urlsplit

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from supabase_relay.cookies import delete_oldest, presented, set_cookie
from supabase_relay.opaque_tokens import hash_of
from supabase_relay.redirect_uris import host_of, origin_of
from supabase_relay.relay import Relay
from supabase_relay.responses import page
from supabase_relay.storage.records import Client, PendingLogin

CONSENT_PREFIX = "__Host-relay-consent-"

_REMEMBERED_CLIENTS = 10


class RememberedConsent(BaseModel):
    """An approval that the browser keeps, encrypted in a cookie; `until` is in Unix seconds."""

    client_id: str
    redirect_uri: str
    scope: str
    until: float


def consent_needed(relay: Relay, request: Request, login: PendingLogin) -> bool:
    """Whether to ask the user: yes, unless this browser has approved this client, redirect URI and scope."""
    remembered = remembered_consent(relay, request, login.client_id)
    return remembered is None or not covers(remembered, login, time.time())


def remembered_consent(relay: Relay, request: Request, client_id: str) -> RememberedConsent | None:
    """Return the approval in the browser's cookie for that client; None without a cookie, or if remembering is off."""
    if not relay.settings.remember_consent_ttl:
        return None
    sealed = presented(request, consent_cookie_name(client_id))
    return relay.sealer.open(sealed, RememberedConsent) if sealed else None


def covers(remembered: RememberedConsent, login: PendingLogin, now: float) -> bool:
    """Whether an earlier approval covers this login: the client and redirect URI are equal, the scope is no wider."""
    return (
        now < remembered.until
        and remembered.client_id == login.client_id
        and remembered.redirect_uri == login.redirect_uri
        and set(login.scope.split()) <= set(remembered.scope.split())
    )


def remember(relay: Relay, request: Request, response: Response, login: PendingLogin) -> None:
    """Store the approval in a cookie, for as long as the operator allows."""
    ttl = relay.settings.remember_consent_ttl
    if not ttl:
        return
    name = consent_cookie_name(login.client_id)
    content = RememberedConsent(
        client_id=login.client_id, redirect_uri=login.redirect_uri, scope=login.scope, until=time.time() + ttl
    )
    delete_oldest(request, response, prefix=CONSENT_PREFIX, keep=name, alive=_REMEMBERED_CLIENTS)
    set_cookie(response, name, relay.sealer.seal(content), ttl)


def consent_cookie_name(client_id: str) -> str:
    """Return the cookie name of one client's approval."""
    return CONSENT_PREFIX + hash_of("browser", f"consent:{client_id}")[:22]


def csrf_token(browser_secret: str, state: str) -> str:
    """Return the CSRF token of the consent page for this browser and login."""
    return hmac.new(browser_secret.encode(), f"consent:{state}".encode(), hashlib.sha256).hexdigest()


def csrf_token_matches(token: str | None, browser_secret: str, state: str) -> bool:
    """Whether the form comes from the page that this browser was shown."""
    return hmac.compare_digest((token or "").encode(), csrf_token(browser_secret, state).encode())


def consent_page(relay: Relay, client: Client, login: PendingLogin, *, state: str, browser_secret: str) -> Response:
    """Render the page that shows the client, the recipient of the answer, and the requested scopes."""
    return page(
        "consent.html",
        form_action=form_action(relay, login),
        client_name=client.client_name,
        client_id=client.client_id,
        redirect_host=host_of(login.redirect_uri),
        scopes=login.scope.split(),
        provider=relay.settings.supabase_provider,
        action=f"{relay.settings.issuer}/auth/consent",
        state=state,
        csrf_token=csrf_token(browser_secret, state),
    )


def form_action(relay: Relay, login: PendingLogin) -> str:
    """Return the CSP sources for the form, including its redirects, because Chromium checks these as well.

    The redirects go to Supabase, to a login provider that only Supabase knows (https), and back to the client.
    """
    upstream = urlsplit(relay.settings.supabase_url or "")
    ours = ("'self'", f"{upstream.scheme}://{upstream.netloc}", "https:")
    return " ".join(dict.fromkeys((*ours, origin_of(login.redirect_uri))))
