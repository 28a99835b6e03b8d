"""Verbs of callbacks: logins that are held where the upstream sends the browser back, and delivered from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.client.authorization import AuthorizationVerbs
from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.leg import Step
from oauth_litmus.login.walk import Stop
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.browser.model import Browser
    from oauth_litmus.http.wire import Gate
    from oauth_litmus.oauth.authorization import Attempt, AuthorizationRequest, Code
    from oauth_litmus.oauth.clients import Client

UPSTREAM_LIFE = 300.0
"""Seconds for which an upstream's code lives (Supabase's)."""
UPSTREAM_PATIENCE = 240.0
"""Seconds within which it is surely taken back."""


class CallbackVerbs(AuthorizationVerbs):
    """What a browser does that comes back from the upstream provider."""

    async def hold_callback(
        self,
        request: AuthorizationRequest,
        *,
        browser: Browser | None = None,
        user: str | None = None,
        outcome: str | None = None,
        access_token_lifetime: float | None = None,
    ) -> Attempt:
        """Carry a request up to the callback, which stays undelivered in `callback_url`.

        Naming a user, an outcome or a lifetime needs the upstream control.

        Raises:
            Blocked: the login did not come so far.
        """
        if self.run.upstream is None:
            await self._room_for_callbacks()
            attempt = await self._walk(request, browser or self.browser(), Stop.CALLBACK)
            attempt.called_back_at = self.now()
        else:
            attempt = await self.hold_upstream(request, browser=browser)
            await self._room_for_callbacks()
            await self.call_back(attempt, user=user, outcome=outcome, access_token_lifetime=access_token_lifetime)
        if attempt.callback_url is None:
            raise Blocked("set-up: the upstream did not send the browser back", (attempt.last.number,))
        return attempt

    async def _room_for_callbacks(self) -> None:
        # The code that an upstream gives does not live for long: it had better not begin in a long queue.
        if self.paced:
            await self.run.pacer.has_few_waiting(Kind.CALLBACK, self.source)

    async def call_back(
        self,
        attempt: Attempt,
        *,
        user: str | None = None,
        outcome: str | None = None,
        access_token_lifetime: float | None = None,
        any_verifier: bool = False,
    ) -> str:
        """Have the upstream log a person in (once more) for a held login; the undelivered callback URL.

        With `any_verifier` the upstream leaves the proof of possession out: what refuses its code then is the server.
        """
        upstream_url = attempt.upstream_url or ""
        attempt.callback_url = await self.upstream.callback(
            upstream_url,
            user=user or self.user(),
            outcome=outcome,
            access_token_lifetime=access_token_lifetime,
            any_verifier=any_verifier or None,
        )
        attempt.callback_initiator, attempt.called_back_at = upstream_url, self.now()
        return attempt.callback_url

    async def deliver_callback(
        self,
        held: Attempt,
        *,
        url: str | None = None,
        browser: Browser | None = None,
        headers: Mapping[str, str] | None = None,
        via: Gate | None = None,
    ) -> Attempt:
        """Deliver a held callback (or another URL in its place), as a navigation that the upstream's page began.

        Raises:
            Blocked: no code came of it, and what the upstream gave had perhaps ended while it waited for room in a limit.
        """
        step = Step(url or held.callback_url or "", initiator=held.callback_initiator)
        asked_at, since = self.now(), held.called_back_at
        sender = self if since is None or asked_at - since < UPSTREAM_PATIENCE / 4 else self.hurried()
        walked = browser or held.browser
        ended = await sender.walk_on(held.request, walked, step, headers=headers, via=via)
        if since is not None and ended.code is None and ended.answers:
            sent_at = ended.answers[0].sent_at
            if asked_at - since < UPSTREAM_LIFE <= sent_at - since:
                raise Blocked(
                    f"the upstream had sent the browser back {sent_at - since:.0f} s before a limit had room for the "
                    "callback, and may not take its code any more: judge less at once (--only)",
                    (ended.answers[0].number,),
                )
        return ended

    async def login_as(self, user: str, client: Client | None = None) -> Code:
        """A fresh code of a login of this person (needs the upstream control).

        Raises:
            Blocked: the login did not end with a code.
        """
        held = await self.hold_callback(self.request(client or await self.client()), user=user)
        return self.code_of(await self.deliver_callback(held))
