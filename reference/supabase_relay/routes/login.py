"""The login endpoints: start and consent before the login at Supabase, callback after it."""

import time
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from supabase_relay.client_authentication import find_client
from supabase_relay.consent import consent_needed, consent_page, csrf_token_matches, remember
from supabase_relay.cookies import delete_cookie, new_browser_secret, state_cookie_name
from supabase_relay.errors import PageError, UpstreamRefused, UpstreamUnavailable
from supabase_relay.logs import event
from supabase_relay.opaque_tokens import family_of_session, fingerprint, hash_of, new_token
from supabase_relay.parameters import Parameters, read_form, read_query
from supabase_relay.redirect_uris import error_redirect, success_redirect
from supabase_relay.relay import Relay
from supabase_relay.responses import redirect
from supabase_relay.routes.pending import (
    presented_secret,
    require_pending_login,
    require_same_browser,
    set_state_cookie,
)
from supabase_relay.routes.requests import is_speculative, limit, relay_of
from supabase_relay.storage.records import Code, Family, PendingLogin
from supabase_relay.upstream import UpstreamSession

_TOGETHER = ("code", "error", "state")


async def start(request: Request) -> Response:
    """GET /auth/start/{state}: bind the browser, then ask for consent or redirect to Supabase."""
    relay = relay_of(request)
    await limit(request, "start")
    if is_speculative(request):
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    state: str = request.path_params["state"]
    login = await require_pending_login(relay, state)
    browser_secret = await bind_browser(relay, request, state, login)
    if consent_needed(relay, request, login):
        client = await find_client(relay.clients, login.client_id)
        if client is None:
            raise PageError("The registration of the application has expired.")
        response = consent_page(relay, client, login, state=state, browser_secret=browser_secret)
    else:
        response = await go_upstream(relay, state, login)
    set_state_cookie(request, response, login, state=state, browser_secret=browser_secret)
    return response


async def bind_browser(relay: Relay, request: Request, state: str, login: PendingLogin) -> str:
    """Return the browser's secret: a new one at the first visit, later the one in its cookie.

    Raises `PageError` if the login belongs to another browser.
    """
    if login.browser is not None:
        return require_same_browser(login, presented_secret(request, state))
    browser_secret = new_browser_secret()
    owner = await relay.pending_logins.bind_browser(state, hash_of("browser", browser_secret))
    return require_same_browser(login.model_copy(update={"browser": owner}), browser_secret)


async def go_upstream(relay: Relay, state: str, login: PendingLogin) -> Response:
    """Record the approval and redirect the browser to Supabase, with the relay's own challenge."""
    if not await relay.pending_logins.approve(state):
        raise PageError("This login has expired. Please start again in the application.")
    redirect_to = f"{relay.settings.callback_url}?{urlencode({'state': state})}"
    return redirect(relay.supabase.authorize_url(redirect_to, login.upstream_challenge))


async def consent(request: Request) -> Response:
    """POST /auth/consent: accept the user's decision from the page that this browser was shown."""
    relay = relay_of(request)
    form = await read_form(request)
    state = form.get("state") or ""
    login = await require_pending_login(relay, state)
    browser_secret = require_same_browser(login, presented_secret(request, state))
    if not csrf_token_matches(form.get("csrf_token"), browser_secret, state):
        raise PageError("This decision did not come from the page that you were shown.", status=403)
    if form.get("decision") == "allow":
        response = await go_upstream(relay, state, login)
        remember(relay, request, response, login)
        return response
    return await deny(relay, state)


async def deny(relay: Relay, state: str) -> Response:
    """End the login, because the user denied it, and send an error to the client."""
    login = await take_login(relay, state)
    return finished(state, refusal(relay, login, "access_denied", "the user denied the request"))


async def callback(request: Request) -> Response:
    """GET /auth/callback: check state and cookie, take the login once, then redeem Supabase's code."""
    relay = relay_of(request)
    await limit(request, "callback")
    if is_speculative(request):
        return Response(status_code=204, headers={"Cache-Control": "no-store"})
    query = read_query(request)
    require_one_outcome(query)
    state = callback_state(request, query)
    login = await require_pending_login(relay, state)
    require_same_browser(login, presented_secret(request, state))
    require_approval(login)
    login = await take_login(relay, state)
    return finished(state, await outcome(relay, query, login))


def callback_state(request: Request, query: Parameters) -> str:
    """Return the state from the callback's query; a cookie cannot replace it."""
    return query.get("state") or ""


def require_one_outcome(query: Parameters) -> None:
    """Require either one code or one error."""
    query.refuse_repeated(_TOGETHER)
    if (query.get("code") is None) == (query.get("error") is None):
        raise PageError("The answer of the login service is invalid. Please start again in the application.")


def require_approval(login: PendingLogin) -> None:
    """Require that the user has approved this client, however the browser reached the callback."""
    if not login.approved:
        raise PageError("You have not approved the application yet. Please start again in the application.")


async def take_login(relay: Relay, state: str) -> PendingLogin:
    """Take the login out of the store; raises `PageError` if another callback has taken it."""
    login = await relay.pending_logins.take(state)
    if login is None:
        raise PageError("This login is already finished. Please start again in the application.")
    return login


def finished(state: str, url: str) -> Response:
    """Redirect the browser to the client and delete the cookie of this login."""
    response = redirect(url)
    delete_cookie(response, state_cookie_name(state))
    return response


async def outcome(relay: Relay, query: Parameters, login: PendingLogin) -> str:
    """Return the client's redirect URL with the result of the login: a code, or an error in the relay's own words."""
    auth_code = query.get("code")
    if auth_code is None:
        return denied_upstream(relay, login, query.get("error"))
    try:
        session = await relay.supabase.exchange(auth_code, login.upstream_verifier)
    except UpstreamRefused as refused:
        event("upstream_refused", action="login", reason=refused.reason)
        return refusal(relay, login, "access_denied", "the login service did not accept the login")
    except UpstreamUnavailable as failure:
        event("upstream_unavailable", action="login", reason=failure.reason)
        return refusal(relay, login, "temporarily_unavailable", "the login service did not answer as it should")
    return await granted(relay, login, session)


async def granted(relay: Relay, login: PendingLogin, session: UpstreamSession) -> str:
    """Issue a code for a verified session and return the client's redirect URL with it."""
    code = await issue_code(relay, login, session)
    if code is None:
        return refusal(relay, login, "server_error", "the login service repeated an earlier session")
    return success_redirect(login.redirect_uri, code=code, state=login.client_state, issuer=relay.settings.issuer)


def denied_upstream(relay: Relay, login: PendingLogin, error: str | None) -> str:
    """Translate Supabase's error to an OAuth error; omit its text, because an attacker may have written it."""
    known = {"access_denied": "the user denied the login", "temporarily_unavailable": "the login service is busy"}
    if error in known:
        return refusal(relay, login, error, known[error])
    return refusal(relay, login, "server_error", "the login service reported an error")


def refusal(relay: Relay, login: PendingLogin, error: str, description: str) -> str:
    """Return the client's redirect URL with an error."""
    return error_redirect(
        login.redirect_uri,
        error=error,
        description=description,
        state=login.client_state,
        issuer=relay.settings.issuer,
    )


async def issue_code(relay: Relay, login: PendingLogin, session: UpstreamSession) -> str | None:
    """Create the family of this session and its code; None if the session already has a family."""
    code = new_token(family_of_session(session.session_id))
    record = Code(
        secret_hash=hash_of("code", code),
        client_id=login.client_id,
        redirect_uri=login.redirect_uri,
        code_challenge=login.code_challenge,
        expires_at=time.time() + relay.settings.code_ttl,
    )
    family = Family(
        client_id=login.client_id,
        subject=session.subject,
        scope=login.scope,
        resource=login.resource,
        session_id=session.session_id,
        upstream=relay.sealer.seal(session.tokens),
    )
    issued = await relay.grants.issue_code(code, record, family, relay.settings.code_ttl)
    event("login_finished", family=fingerprint(code.family), client_id=login.client_id, issued=issued)
    return str(code) if issued else None
