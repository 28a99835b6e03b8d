"""Callbacks: logins that stop where the upstream sends the browser back, and continue from there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.leg import Step
from oauth_litmus.login.walk import Stop
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.browser.model import Browser
    from oauth_litmus.client.authorization import Authorization
    from oauth_litmus.client.clients import Clients
    from oauth_litmus.client.session import Session
    from oauth_litmus.http.wire import Gate
    from oauth_litmus.oauth.attempt import Attempt
    from oauth_litmus.oauth.authorization_request import AuthorizationRequest
    from oauth_litmus.oauth.clients import Client
    from oauth_litmus.oauth.grants import Code

UPSTREAM_CODE_LIFETIME = 300.0
"""Seconds after which an upstream's code expires (Supabase's)."""
SAFE_UPSTREAM_AGE = 240.0
"""Seconds within which an upstream's code is certainly accepted."""


@dataclass(frozen=True)
class Callbacks:
    """Holds callbacks of the upstream and delivers them."""

    session: Session
    clients: Clients
    authorization: Authorization

    async def hold(
        self,
        request: AuthorizationRequest,
        *,
        browser: Browser | None = None,
        user: str | None = None,
        outcome: str | None = None,
        access_token_lifetime: float | None = None,
    ) -> Attempt:
        """Walk up to the callback. It stays undelivered, in `callback_url`.

        A user, an outcome or a lifetime (seconds) needs the upstream control.

        Raises:
            Blocked: the login did not reach the callback.
        """
        if self.session.controls_upstream:
            attempt = await self.authorization.hold_upstream(request, browser=browser)
            await self._wait_for_room()
            await self.obtain(attempt, user=user, outcome=outcome, access_token_lifetime=access_token_lifetime)
        else:
            await self._wait_for_room()
            attempt = await self.authorization.walk(request, browser or self.session.new_browser(), Stop.CALLBACK)
            attempt.called_back_at = self.session.now()
        if attempt.callback_url is None:
            raise Blocked("set-up: the upstream did not send the browser back", (attempt.last.number,))
        self.session.now_holds_a_grant()
        return attempt

    async def _wait_for_room(self) -> None:
        # An upstream's code expires soon: it must not be obtained while the queue for callbacks is long.
        if self.session.paced:
            await self.session.run.pacer.has_few_waiting(Kind.CALLBACK, self.session.source)

    async def obtain(
        self,
        attempt: Attempt,
        *,
        user: str | None = None,
        outcome: str | None = None,
        access_token_lifetime: float | None = None,
        any_verifier: bool = False,
    ) -> str:
        """Let the upstream log a person in for a held login, again if need be. Returns the undelivered callback URL.

        With `any_verifier` the upstream does not check the code_verifier. A refusal then comes from the server.
        """
        upstream_url = attempt.upstream_url or ""
        attempt.callback_url = await self.session.upstream.callback(
            upstream_url,
            user=user or self.session.user(),
            outcome=outcome,
            access_token_lifetime=access_token_lifetime,
            any_verifier=any_verifier or None,
        )
        attempt.callback_initiator, attempt.called_back_at = upstream_url, self.session.now()
        return attempt.callback_url

    async def deliver(
        self,
        held: Attempt,
        *,
        url: str | None = None,
        browser: Browser | None = None,
        headers: Mapping[str, str] | None = None,
        via: Gate | None = None,
    ) -> Attempt:
        """Deliver a held callback, or another URL in its place, as a navigation that the upstream's page began.

        Raises:
            Blocked: no code came of it, and the upstream's code may have expired while it waited for a rate limit.
        """
        step = Step(url or held.callback_url or "", initiator=held.callback_initiator)
        asked_at, since = self.session.now(), held.called_back_at
        soon = since is not None and asked_at - since >= SAFE_UPSTREAM_AGE / 4
        walker = replace(self.authorization, session=self.session.urgent()) if soon else self.authorization
        ended = await walker.walk_on(held.request, browser or held.browser, step, headers=headers, via=via)
        if since is not None and ended.code is None and ended.answers:
            sent_at = ended.answers[0].sent_at
            if asked_at - since < UPSTREAM_CODE_LIFETIME <= sent_at - since:
                raise Blocked(
                    f"the callback waited {sent_at - since:.0f} s for room in a rate limit, and the upstream's code may "
                    "have expired meanwhile: judge less at once (--only)",
                    (ended.answers[0].number,),
                )
        return ended

    async def login_as(self, user: str, client: Client | None = None) -> Code:
        """Log a person in and return the fresh code (needs the upstream control).

        Raises:
            Blocked: the login did not end with a code.
        """
        held = await self.hold(self.authorization.request(client or await self.clients.shared()), user=user)
        return self.authorization.code_of(await self.deliver(held))
