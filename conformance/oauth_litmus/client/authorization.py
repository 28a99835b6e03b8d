"""Authorization verbs (OAuth 2.1 section 4.1): requests, logins, and callbacks that are held and delivered."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.client.by_hand import go_on_by_hand
from oauth_litmus.client.carrying import carrying, in_turn
from oauth_litmus.client.registration import RegistrationVerbs
from oauth_litmus.http.urls import with_query
from oauth_litmus.login.consent import Refusal
from oauth_litmus.login.leg import Step
from oauth_litmus.login.walk import Stop, Walk, start, step_of
from oauth_litmus.oauth.authorization import Attempt, AuthorizationRequest, Code, ending_of
from oauth_litmus.oauth.refusals import is_refused
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from oauth_litmus.browser.model import Browser
    from oauth_litmus.browser.pages import Submission
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.wire import Gate
    from oauth_litmus.limits.rates import Kind
    from oauth_litmus.login.drivers import LoginDriver
    from oauth_litmus.login.walk import Sender
    from oauth_litmus.oauth.clients import Client


class AuthorizationVerbs(RegistrationVerbs):
    """What a client does to get a code."""

    def request(
        self,
        client: Client,
        *,
        scope: str | None = None,
        code_verifier: str | None = None,
        redirect_uri: str | None = None,
    ) -> AuthorizationRequest:
        """A correct authorization request, by default for every scope that the suite asks for."""
        wanted = " ".join(self.server.scopes) if scope is None else scope
        request = AuthorizationRequest.of(
            client,
            scope=wanted,
            resource=self.server.resource_indicator,
            code_verifier=code_verifier,
            redirect_uri=redirect_uri,
        )
        self.secret(request.code_verifier, "code_verifier")
        self.secret(request.get("state"), "state")
        return request

    async def authorize(self, request: AuthorizationRequest, *, headers: Mapping[str, str] | None = None) -> Attempt:
        """Only the first answer of the authorization endpoint; nothing is followed."""
        return await self._walk(request, self.browser(), Stop.FIRST_ANSWER, headers=headers)

    async def attempt(
        self, request: AuthorizationRequest, *, browser: Browser | None = None, headers: Mapping[str, str] | None = None
    ) -> Attempt:
        """Carry an authorization request to its end, through login and consent where the server goes on."""
        return await self._walk(request, browser or self.browser(), Stop.END, headers=headers)

    async def outcome(self, request: AuthorizationRequest) -> Attempt:
        """The first answer where that tells whether a request is refused; where a server looks later, the whole attempt."""

        async def refuses_at_once() -> bool:
            return is_refused((await self.authorize(request.but(response_type="bogus"))).last)

        at_once = not self.run.driver.walks or await self.once("refuses at once", refuses_at_once)
        return await (self.authorize(request) if at_once else self.attempt(request))

    async def post(
        self, request: AuthorizationRequest, *, query: Mapping[str, str] | None = None, stop: Stop = Stop.END
    ) -> Attempt:
        """Send an authorization request as a form that a page of the client posts, which is optional (OAuth 2.1 section 3.1)."""
        endpoint = self.endpoint("authorization")
        form = Step(with_query(endpoint, query), "POST", request.parameters, initiator=request.client.redirect_uri)
        return await self._walk(request, self.browser(), stop, first=form)

    async def posted(self, client: Client) -> Attempt:
        """What becomes of a correct request that is posted, at the latest up to the upstream; all checks share it."""
        make = self.request(client)
        return await self.once(("posted", client.client_id), lambda: self.post(make, stop=Stop.UPSTREAM))

    def own_answers(self, attempt: Attempt) -> list[Answer]:
        """The answers of the authorization server itself, without those of its upstream."""
        places = {urlsplit(url).netloc for url in (self.server.issuer, self.endpoint("authorization"))}
        return [answer for answer in attempt.answers if urlsplit(answer.url).netloc in places]

    async def control(self, request: AuthorizationRequest) -> None:
        """The positive control of negative probes: a request without any defect is not refused (once per redirect URI).

        Every login that ends with a code is one, too.

        Raises:
            Blocked: it is refused, so that the refusal of a defective one would say nothing.
        """

        async def seen() -> None:
            last = (await self.outcome(request)).last
            if is_refused(last):
                raise Blocked("set-up: the same request without the defect is refused too", (last.number,))

        await self.once(_control_of(request), seen)

    async def hold_upstream(self, request: AuthorizationRequest, *, browser: Browser | None = None) -> Attempt:
        """Carry a request up to the redirect to the upstream provider.

        Raises:
            Blocked: the server did not send the browser there.
        """
        attempt = await self.attempt_upstream(request, browser=browser)
        if attempt.upstream_url is None:
            raise Blocked("set-up: the login did not reach the upstream provider", (attempt.last.number,))
        self.run.has_begun(attempt)
        return attempt

    async def attempt_upstream(
        self,
        request: AuthorizationRequest,
        *,
        browser: Browser | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Attempt:
        """Carry a request up to the redirect to the upstream provider, or to wherever it ends before."""
        return await self._walk(request, browser or self.browser(), Stop.UPSTREAM, headers=headers)

    async def hold_form(self, request: AuthorizationRequest, *, browser: Browser | None = None) -> Attempt:
        """Carry a request up to the first page that asks something; its answer stays unsent in `submission`.

        Raises:
            Blocked: no page asked anything.
        """
        attempt = await self._walk(request, browser or self.browser(), Stop.FORM)
        if attempt.submission is None:
            raise Blocked("set-up: no page with a form was shown", (attempt.last.number,))
        return attempt

    async def refuse(self, request: AuthorizationRequest) -> tuple[Attempt, bool]:
        """Carry a request to the page of the server that asks to let its client in, and refuse there: whether there was one.

        After the refusal redirects alone are followed, at the latest up to the upstream provider.
        """
        refusal = Refusal(request.client)
        return await self._walk(request, self.browser(), Stop.END, refusal=refusal), refusal.times > 0

    async def submit(self, shown: Attempt, submission: Submission, *, browser: Browser) -> Attempt:
        """Send what a page's form would send, from any browser, and go on up to the upstream."""
        first = step_of(submission, shown.last.url)
        return await self._walk(shown.request, browser, Stop.UPSTREAM, first=first)

    async def resume(self, begun: Attempt, url: str, *, browser: Browser | None = None) -> Attempt:
        """Go on with a login that was begun, from a URL on its way; at the latest up to the upstream provider."""
        step = Step(url, initiator=begun.callback_initiator if url == begun.callback_url else None)
        return await self._walk(begun.request, browser or begun.browser, Stop.UPSTREAM, first=step)

    async def login(
        self,
        client: Client | None = None,
        *,
        scope: str | None = None,
        request: AuthorizationRequest | None = None,
        browser: Browser | None = None,
    ) -> Code:
        """A fresh code of a finished login.

        Raises:
            Blocked: the login did not end with a code.
        """
        request = request or self.request(client or await self.client(), scope=scope)
        return self.code_of(await self.attempt(request, browser=browser))

    def code_of(self, attempt: Attempt) -> Code:
        """The code with which an attempt ended.

        Raises:
            Blocked: it ended otherwise.
        """
        response = attempt.response
        if response is None or response.code is None:
            raise Blocked(
                f"set-up: the login ended without a code ({ending_of(attempt)})",
                (attempt.last.number,) if attempt.answers else (),
            )
        self.secret(response.code, "code")
        self.run.found(_control_of(attempt.request), None)
        self.run.has_begun(attempt)
        last = attempt.last
        return Code(
            response.code, attempt.request.client, attempt.request, response, attempt, last.sent_at, last.received_at
        )

    async def walk_on(
        self,
        request: AuthorizationRequest,
        browser: Browser,
        step: Step,
        *,
        headers: Mapping[str, str] | None = None,
        via: Gate | None = None,
    ) -> Attempt:
        """Go on with a request from this step to its end."""
        return await self._walk(request, browser, Stop.END, first=step, headers=headers, via=via)

    async def _walk(
        self,
        request: AuthorizationRequest,
        browser: Browser,
        stop: Stop,
        *,
        first: Step | None = None,
        headers: Mapping[str, str] | None = None,
        driver: LoginDriver | None = None,
        refusal: Refusal | None = None,
        via: Gate | None = None,
    ) -> Attempt:
        attempt, beginning = start(self.server, request, browser)
        walk = Walk(
            self.server,
            driver or self.run.driver,
            self._first_through(via) if via else self.send,
            attempt,
            headers=headers,
            carry=None if driver else carrying(self.run, self.check, attempt),
            refusal=refusal,
            check=self.check,
        )
        # Callbacks that are let go together must not wait for each other's turns: none would ever be sent.
        async with nullcontext() if via else in_turn(self.run):
            await walk.go(first or beginning, stop)
        if driver is None and not self.run.driver.walks and stop is not Stop.FIRST_ANSWER:
            await go_on_by_hand(self.run, self.check, attempt, stop)
        return attempt

    def _first_through(self, gate: Gate) -> Sender:
        """Sends the first request of a walk when the gate opens, and the others as they come."""
        gates = iter((gate,))

        async def send(method: str, url: str, *, kind: Kind | None, headers: Mapping[str, str], body: bytes) -> Answer:
            return await self.send(method, url, kind=kind, headers=headers, body=body, via=next(gates, None))

        return send


def _control_of(request: AuthorizationRequest) -> Hashable:
    return ("control", request.client.client_id, request.get("redirect_uri"))
