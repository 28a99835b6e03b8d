"""Authorization requests (OAuth 2.1 section 4.1): sending them, and walking through the login that follows."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.client.by_hand import go_on_by_hand
from oauth_litmus.client.carrying import carrying, in_turn
from oauth_litmus.http.urls import with_query
from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.consent import Refusal
from oauth_litmus.login.drivers import RedirectsDriver
from oauth_litmus.login.leg import Step
from oauth_litmus.login.walk import Stop, Walk, start, step_of
from oauth_litmus.oauth.attempt import Attempt, ending_of
from oauth_litmus.oauth.authorization_request import AuthorizationRequest
from oauth_litmus.oauth.grants import Code
from oauth_litmus.oauth.refusals import is_refused
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from oauth_litmus.browser.model import Browser
    from oauth_litmus.browser.pages import Submission
    from oauth_litmus.client.clients import Clients
    from oauth_litmus.client.session import Session
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.wire import Gate
    from oauth_litmus.login.drivers import LoginDriver
    from oauth_litmus.login.walk import Sender
    from oauth_litmus.oauth.clients import Client


@dataclass(frozen=True)
class Authorization:
    """Sends authorization requests and walks through logins."""

    session: Session
    clients: Clients

    def request(
        self,
        client: Client,
        *,
        scope: str | None = None,
        code_verifier: str | None = None,
        redirect_uri: str | None = None,
    ) -> AuthorizationRequest:
        """A correct authorization request. By default it asks for every scope that the suite uses."""
        wanted = " ".join(self.session.server.scopes) if scope is None else scope
        request = AuthorizationRequest.of(
            client,
            scope=wanted,
            resource=self.session.server.resource_indicator,
            code_verifier=code_verifier,
            redirect_uri=redirect_uri,
        )
        self.session.secret(request.code_verifier, "code_verifier")
        self.session.secret(request.get("state"), "state")
        return request

    async def first_answer(self, request: AuthorizationRequest, *, headers: Mapping[str, str] | None = None) -> Attempt:
        """Send the request and return the first answer of the authorization endpoint. No redirect is followed."""
        return await self.walk(request, self.session.new_browser(), Stop.FIRST_ANSWER, headers=headers)

    async def attempt(
        self, request: AuthorizationRequest, *, browser: Browser | None = None, headers: Mapping[str, str] | None = None
    ) -> Attempt:
        """Send the request and walk through login and consent to the end."""
        return await self.walk(request, browser or self.session.new_browser(), Stop.END, headers=headers)

    async def outcome(self, request: AuthorizationRequest) -> Attempt:
        """Go as far as it takes to see a refusal: one answer if the server refuses at once, otherwise the whole login."""

        async def refuses_at_once() -> bool:
            return is_refused((await self.first_answer(request.but(response_type="bogus"))).last)

        at_once = not self.session.run.driver.walks or await self.session.once("refuses at once", refuses_at_once)
        return await (self.first_answer(request) if at_once else self.attempt(request))

    async def post(
        self, request: AuthorizationRequest, *, query: Mapping[str, str] | None = None, stop: Stop = Stop.END
    ) -> Attempt:
        """Send the request by POST, as a form of the client. Servers need not support it (OAuth 2.1 section 3.1)."""
        endpoint = self.session.endpoint("authorization")
        form = Step(with_query(endpoint, query), "POST", request.parameters, initiator=request.client.redirect_uri)
        return await self.walk(request, self.session.new_browser(), stop, first=form)

    async def posted(self, client: Client) -> Attempt:
        """The attempt of a correct request sent by POST, up to the upstream at most. All checks share it."""
        make = self.request(client)
        return await self.session.once(("posted", client.client_id), lambda: self.post(make, stop=Stop.UPSTREAM))

    def own_answers(self, attempt: Attempt) -> list[Answer]:
        """The answers of the authorization server, without those of its upstream."""
        hosts = {urlsplit(url).netloc for url in (self.session.server.issuer, self.session.endpoint("authorization"))}
        return [answer for answer in attempt.answers if urlsplit(answer.url).netloc in hosts]

    async def control(self, request: AuthorizationRequest) -> None:
        """Run the positive control of negative probes, once per redirect URI: a correct request must not be refused.

        A login that ends with a code counts as a control too.

        Raises:
            Blocked: the correct request is refused, so a refusal of a defective one proves nothing.
        """

        async def seen() -> None:
            last = (await self.outcome(request)).last
            if is_refused(last):
                raise Blocked("set-up: the same request without the defect is refused too", (last.number,))

        await self.session.once(_control_of(request), seen)

    async def hold_upstream(self, request: AuthorizationRequest, *, browser: Browser | None = None) -> Attempt:
        """Send the request and stop at the redirect to the upstream.

        Raises:
            Blocked: the server did not redirect the browser to the upstream.
        """
        attempt = await self.attempt_upstream(request, browser=browser)
        if attempt.upstream_url is None:
            raise Blocked("set-up: the login did not reach the upstream provider", (attempt.last.number,))
        self.session.run.has_begun(attempt)
        self.session.now_holds_a_grant()
        return attempt

    async def attempt_upstream(
        self,
        request: AuthorizationRequest,
        *,
        browser: Browser | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Attempt:
        """Send the request and stop at the redirect to the upstream, or earlier if the login ends earlier."""
        return await self.walk(request, browser or self.session.new_browser(), Stop.UPSTREAM, headers=headers)

    async def hold_form(self, request: AuthorizationRequest, *, browser: Browser | None = None) -> Attempt:
        """Send the request and stop at the first page with a form. The form stays unsent, in `submission`.

        Raises:
            Blocked: no page with a form was shown.
        """
        attempt = await self.walk(request, browser or self.session.new_browser(), Stop.FORM)
        if attempt.submission is None:
            raise Blocked("set-up: no page with a form was shown", (attempt.last.number,))
        return attempt

    async def refuse(self, request: AuthorizationRequest) -> tuple[Attempt, bool]:
        """Refuse consent on the server's consent page. Returns the attempt, and whether there was such a page.

        After the refusal only redirects are followed, up to the upstream at most.
        """
        refusal = Refusal(request.client)
        return await self.walk(request, self.session.new_browser(), Stop.END, refusal=refusal), refusal.times > 0

    async def submit(self, shown: Attempt, submission: Submission, *, browser: Browser) -> Attempt:
        """Send a page's form from any browser, and walk up to the upstream."""
        first = step_of(submission, shown.last.url)
        return await self.walk(shown.request, browser, Stop.UPSTREAM, first=first)

    async def resume(self, begun: Attempt, url: str, *, browser: Browser | None = None) -> Attempt:
        """Continue a login from one of its URLs, up to the upstream at most."""
        step = Step(url, initiator=begun.callback_initiator if url == begun.callback_url else None)
        return await self.walk(begun.request, browser or begun.browser, Stop.UPSTREAM, first=step)

    async def login(
        self,
        client: Client | None = None,
        *,
        scope: str | None = None,
        request: AuthorizationRequest | None = None,
        browser: Browser | None = None,
    ) -> Code:
        """Log in and return the fresh code.

        Raises:
            Blocked: the login did not end with a code.
        """
        request = request or self.request(client or await self.clients.shared(), scope=scope)
        return self.code_of(await self.attempt(request, browser=browser))

    def code_of(self, attempt: Attempt) -> Code:
        """The code of a finished attempt.

        Raises:
            Blocked: the attempt ended without a code.
        """
        response = attempt.response
        if response is None or response.code is None:
            raise Blocked(
                f"set-up: the login ended without a code ({ending_of(attempt)})",
                (attempt.last.number,) if attempt.answers else (),
            )
        self.session.secret(response.code, "code")
        self.session.run.shared.put(_control_of(attempt.request), None)
        self.session.run.has_begun(attempt)
        self.session.now_holds_a_grant()
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
        """Continue a request from this step to its end."""
        return await self.walk(request, browser, Stop.END, first=step, headers=headers, via=via)

    async def walk(
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
        """Walk a browser through an authorization request, from its beginning or from `first`, until `stop`.

        Args:
            request: the authorization request.
            browser: the browser that walks; it keeps its cookies.
            stop: where the walk stops if the login goes on so far.
            first: the step to begin with, instead of the authorization request.
            headers: added to every request of the walk.
            driver: gets through the pages of the login; by default the run's driver.
            refusal: what to refuse on a consent page.
            via: the gate at which the first request waits for the others of a race.
        """
        attempt, beginning = start(self.session.server, request, browser)
        walk = Walk(
            self.session.server,
            driver or self.session.run.driver,
            self._first_through(via) if via else self.session.send,
            attempt,
            headers=headers,
            carry=None if driver else carrying(self.session.run, self.session.check, attempt),
            refusal=refusal,
            check=self.session.check,
        )
        # Racing callbacks must not wait for each other's turn, or none would ever be sent.
        async with nullcontext() if via else in_turn(self.session.run):
            await walk.go(first or beginning, stop)
        if driver is None and not self.session.run.driver.walks and stop is not Stop.FIRST_ANSWER:
            await go_on_by_hand(self.session.run, self.session.check, attempt, stop)
        return attempt

    def _first_through(self, gate: Gate) -> Sender:
        """A sender whose first request waits at the gate."""
        gates = iter((gate,))

        async def send(method: str, url: str, *, kind: Kind | None, headers: Mapping[str, str], body: bytes) -> Answer:
            return await self.session.send(method, url, kind=kind, headers=headers, body=body, via=next(gates, None))

        return send

    def is_upstream(self, url: str | None) -> bool:
        """Whether a URL belongs to the upstream that the preflight saw."""
        seen = self.session.server.seen.upstream_url
        return url is not None and seen is not None and urlsplit(url)[:2] == urlsplit(seen)[:2]

    def is_home(self, url: str | None) -> bool:
        """Whether a URL belongs to the authorization server."""
        homes = {urlsplit(home)[:2] for home in (self.session.server.issuer, self.session.endpoint("authorization"))}
        return url is not None and urlsplit(url)[:2] in homes

    async def attempt_without_login(
        self, request: AuthorizationRequest, *, browser: Browser | None = None, url: str | None = None
    ) -> Attempt:
        """Walk without logging in: up to the login page, the upstream, or a code. Consent is given if asked for.

        With a URL the walk begins there.
        """
        step = Step(url) if url else None
        return await self.walk(
            request, browser or self.session.new_browser(), Stop.UPSTREAM, first=step, driver=RedirectsDriver()
        )


def _control_of(request: AuthorizationRequest) -> Hashable:
    return ("control", request.client.client_id, request.get("redirect_uri"))
