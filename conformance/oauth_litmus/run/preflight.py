"""The preflight: one registration, login, refresh and resource call before all checks.

A stage that fails here becomes one diagnosis: the reason why every check that needs this stage is BLOCKED.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

from oauth_litmus.oauth.attempt import ending_of
from oauth_litmus.oauth.grants import Tokens
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.oauth.attempt import Attempt
    from oauth_litmus.oauth.clients import Client
    from oauth_litmus.oauth.handed_in import HandedIn


@dataclass(frozen=True)
class Readiness:
    """Which stages of an ordinary login work; a stage that fails has a sentence that says why."""

    registration: str = ""
    login: str = ""
    refresh: str = ""
    resource: str = ""

    @property
    def diagnosis(self) -> str:
        """The sentence of the first stage that fails; empty if every stage works."""
        return self.registration or self.login or self.refresh or self.resource


async def fly(target: Target) -> Readiness:
    """Perform one ordinary login and note the server's traits in `Server.seen`."""
    try:
        client = await target.clients.shared()
    except (Blocked, NotApplicable) as error:
        return Readiness(registration=f"no client: {error}", resource=await _call_with_handed_in(target))
    if not target.run.driver.walks and not target.run.by_hand:
        return Readiness(resource=await _call_with_handed_in(target))
    try:
        tokens = await _log_in(target, client)
    except (Blocked, Skipped, NotApplicable) as error:
        return Readiness(login=f"an ordinary login does not work: {error}")
    seen = target.server.seen
    seen.refresh_token = tokens.refresh_token is not None
    seen.expires_in = tokens.expires_in
    seen.access_token_is_jwt = _is_jwt(tokens.access_token)
    resource = await _call(target, tokens)
    return Readiness(refresh=await _refresh(target, tokens), resource=resource)


async def _log_in(target: Target, client: Client) -> Tokens:
    attempt = await _attempt(target, client)
    if attempt.code is None and not attempt.went_on and _without_resource(target):
        again = await _attempt(target, client)
        attempt = again if again.code is not None else attempt
        target.server.seen.resource_refused = again.code is not None
    answer = await target.tokens.redeem(target.authorization.code_of(attempt))
    if answer.error in ("invalid_target", "invalid_request") and _without_resource(target):
        again = await target.tokens.redeem(target.authorization.code_of(await _attempt(target, client)))
        answer = again if again.has_tokens else answer
        target.server.seen.resource_refused = again.has_tokens
    return target.tokens.read(answer, client, target.authorization.request(client).get("scope"))


def _without_resource(target: Target) -> bool:
    """Omit `resource` from now on, and return whether it was sent: a server may use another identifier (see RES-01)."""
    if target.server.resource_indicator is None:
        return False
    target.server.seen.resource_refused = True
    return True


async def _attempt(target: Target, client: Client) -> Attempt:
    """Log in with the cookies that a browser sends; if that fails, also with the cookies that a browser withholds.

    Raises:
        Blocked: the login depends on a cookie that browsers withhold, and no other check reports that.
    """
    attempt = await target.authorization.attempt(target.authorization.request(client))
    _note(target, attempt)
    lost = (*attempt.withheld, *(rejected.set_cookie.name for rejected in attempt.rejected))
    if attempt.code is None and lost:
        # The callback needs a cookie that a browser withholds. COOKIE-03, -04 and -06 report that defect; send the
        # cookie anyway, so that the other checks can judge the rest of the server.
        target.server.seen.cookie_withheld = lost
        attempt = await target.authorization.attempt(target.authorization.request(client))
        _note(target, attempt)
        if attempt.code is not None and attempt.callback_url is None:
            raise Blocked(f"it continues only with a cookie that no browser sends back: {', '.join(lost)}")
    if attempt.code is None and attempt.withheld_from_form:
        kept = "; ".join(dict.fromkeys(attempt.withheld_from_form))
        raise Blocked(f"{ending_of(attempt)}; browsers do not send these cookies with the submitted form: {kept}")
    return attempt


def _note(target: Target, attempt: Attempt) -> None:
    seen = target.server.seen
    seen.asked_to_log_in = attempt.went_on
    seen.upstream_url = attempt.upstream_url
    seen.callback_url = attempt.callback_url
    seen.start_url = attempt.start_url


async def _refresh(target: Target, tokens: Tokens) -> str:
    if tokens.refresh_token is None:
        return ""
    try:
        answer = await target.tokens.refresh(tokens)
    except Blocked as error:
        return f"an ordinary refresh got no usable answer: {error}"
    return "" if answer.has_tokens else f"an ordinary refresh was answered {answer.status} {answer.error}".rstrip()


async def _call(target: Target, tokens: Tokens | HandedIn) -> str:
    if target.server.resource is None:
        return ""
    try:
        answer = await target.resource.call(tokens.access_token)
    except Blocked as error:
        return f"the protected resource does not answer: {error}"
    # Only 401 and 403 refuse the token; any other error has nothing to do with authorization.
    target.server.seen.resource_answers = answer.status not in (401, 403)
    if target.server.seen.resource_answers:
        return ""
    said = f"{answer.status} {answer.headers.get('www-authenticate', '')}".rstrip()
    which = "a fresh access token" if isinstance(tokens, Tokens) else "the provided access token"
    return f"the protected resource refuses {which}: {said}"


async def _call_with_handed_in(target: Target) -> str:
    handed_in = target.run.handed_in
    if handed_in is None:
        return ""
    target.server.seen.access_token_is_jwt = _is_jwt(handed_in.access_token)
    return await _call(target, handed_in)


def _is_jwt(token: str) -> bool:
    try:
        jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return False
    return True
