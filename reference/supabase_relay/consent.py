"""Consent: the user approves a client before the login goes on, or anyone could register one and collect codes.

A relay that logs in through one upstream client would otherwise be a confused deputy (MCP security best practices).
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
    """What this browser approved, sealed in its cookie; `until` is in Unix seconds."""

    client_id: str
    redirect_uri: str
    scope: str
    until: float


def consent_needed(relay: Relay, request: Request, login: PendingLogin) -> bool:
    """Whether to ask: always, unless this browser approved this very client, redirect URI and scope."""
    remembered = remembered_consent(relay, request, login.client_id)
    return remembered is None or not covers(remembered, login, time.time())


def remembered_consent(relay: Relay, request: Request, client_id: str) -> RememberedConsent | None:
    """What the browser's cookie for that client says, if the operator allows remembering."""
    if not relay.settings.remember_consent_ttl:
        return None
    sealed = presented(request, consent_cookie_name(client_id))
    return relay.sealer.open(sealed, RememberedConsent) if sealed else None


def covers(remembered: RememberedConsent, login: PendingLogin, now: float) -> bool:
    """Whether an earlier approval is one of this login: same client, same place, no more scope."""
    return (
        now < remembered.until
        and remembered.client_id == login.client_id
        and remembered.redirect_uri == login.redirect_uri
        and set(login.scope.split()) <= set(remembered.scope.split())
    )


def remember(relay: Relay, request: Request, response: Response, login: PendingLogin) -> None:
    """Keep the approval in the browser, for as long as the operator allows."""
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
    """One cookie per client."""
    return CONSENT_PREFIX + hash_of("browser", f"consent:{client_id}")[:22]


def csrf_token(browser_secret: str, state: str) -> str:
    """A token that only the page shown to this browser, for this login, can carry."""
    return hmac.new(browser_secret.encode(), f"consent:{state}".encode(), hashlib.sha256).hexdigest()


def csrf_token_matches(token: str | None, browser_secret: str, state: str) -> bool:
    """Whether the form was the one that this browser was shown."""
    return hmac.compare_digest((token or "").encode(), csrf_token(browser_secret, state).encode())


def consent_page(relay: Relay, client: Client, login: PendingLogin, *, state: str, browser_secret: str) -> Response:
    """The page that names the client, where the answer goes, and what it may do."""
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
    """Where the form may lead, redirects included, as Chromium judges them.

    The way goes through Supabase, a provider that only Supabase knows (https), and back to the client.
    """
    upstream = urlsplit(relay.settings.supabase_url or "")
    ours = ("'self'", f"{upstream.scheme}://{upstream.netloc}", "https:")
    return " ".join(dict.fromkeys((*ours, origin_of(login.redirect_uri))))
