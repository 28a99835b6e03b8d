"""Before judging: one registration, one login, one refresh, one call; what fails here is one diagnosis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

from oauth_litmus.oauth.authorization import Tokens, ending_of
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.oauth.authorization import Attempt
    from oauth_litmus.oauth.clients import Client
    from oauth_litmus.oauth.handed_in import HandedIn


@dataclass(frozen=True)
class Readiness:
    """Which stages of an ordinary login work. A stage that does not has a sentence that says why."""

    registration: str = ""
    login: str = ""
    refresh: str = ""
    resource: str = ""

    @property
    def diagnosis(self) -> str:
        """The first stage that fails, in a sentence; empty if all is well."""
        return self.registration or self.login or self.refresh or self.resource


async def fly(target: Target) -> Readiness:
    """Go once through an ordinary login and note what was seen of the server."""
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
    """Leave `resource` out from now on, if it was sent: a server may know its resource by another name (see RES-01)."""
    if target.server.resource_indicator is None:
        return False
    target.server.seen.resource_refused = True
    return True


async def _attempt(target: Target, client: Client) -> Attempt:
    """A first login, finished as a browser would, or else with cookies that a browser would not bring back.

    Raises:
        Blocked: it depends on a cookie that browsers withhold, and no check of its own tells that.
    """
    attempt = await target.authorization.attempt(target.authorization.request(client))
    _note(target, attempt)
    lost = (*attempt.withheld, *(rejected.set_cookie.name for rejected in attempt.rejected))
    if attempt.code is None and lost:
        # A browser keeps from the callback a cookie that it needs: a defect with checks of its own (COOKIE-03, -04,
        # -06). The rest of the server is judged by sending it all the same.
        target.server.seen.cookie_withheld = lost
        attempt = await target.authorization.attempt(target.authorization.request(client))
        _note(target, attempt)
        if attempt.code is not None and attempt.callback_url is None:
            raise Blocked(f"it goes on only with a cookie that no browser brings back: {', '.join(lost)}")
    if attempt.code is None and attempt.withheld_from_form:
        kept = "; ".join(dict.fromkeys(attempt.withheld_from_form))
        raise Blocked(f"{ending_of(attempt)}; browsers keep from the form that was sent: {kept}")
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
        return f"an ordinary refresh is not answered: {error}"
    return "" if answer.has_tokens else f"an ordinary refresh is answered {answer.status} {answer.error}".rstrip()


async def _call(target: Target, tokens: Tokens | HandedIn) -> str:
    if target.server.resource is None:
        return ""
    try:
        answer = await target.resource.call(tokens.access_token)
    except Blocked as error:
        return f"the protected resource does not answer: {error}"
    # What the resource says beyond authorization is its own affair: only 401 and 403 refuse the token.
    target.server.seen.resource_answers = answer.status not in (401, 403)
    if target.server.seen.resource_answers:
        return ""
    said = f"{answer.status} {answer.headers.get('www-authenticate', '')}".rstrip()
    which = "a fresh access token" if isinstance(tokens, Tokens) else "the access token that was handed in"
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
