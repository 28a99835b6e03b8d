"""Walk a browser through an authorization request, over redirects, pages and forms, up to a given point."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlencode

from oauth_litmus.browser.cookies import stem
from oauth_litmus.browser.model import Browser, Navigation, Rejected, Stored
from oauth_litmus.browser.pages import Submission, read_page
from oauth_litmus.http.answer import Answer, AuthorizationResponse
from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.addresses import can_exist, home_origins, is_of, origin_of
from oauth_litmus.login.drivers import why_stuck
from oauth_litmus.login.leg import Carrier, Leg, Step
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.oauth.authorization_request import AuthorizationRequest
from oauth_litmus.target.rate_kind import kind_of
from oauth_litmus.verdict import Blocked, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from oauth_litmus.login.consent import Refusal
    from oauth_litmus.login.drivers import LoginDriver
    from oauth_litmus.target.server import Server

MAX_STEPS = 25
"""After this many navigations, an unfinished login is given up."""


class Stop(StrEnum):
    """The point at which a walk ends at the latest."""

    END = "end"
    FORM = "form"
    UPSTREAM = "upstream"
    CALLBACK = "callback"
    FIRST_ANSWER = "first answer"


class Sender(Protocol):
    """Sends one browser request, within the rate limits, and records it."""

    async def __call__(
        self, method: str, url: str, *, kind: Kind | None, headers: Mapping[str, str], body: bytes
    ) -> Answer:
        """Send the request and return the answer."""
        ...


class Walk:
    """One authorization request in one browser."""

    def __init__(
        self,
        server: Server,
        driver: LoginDriver,
        send: Sender,
        attempt: Attempt,
        *,
        headers: Mapping[str, str] | None = None,
        carry: Callable[[Leg], Awaitable[Step | None]] | None = None,
        refusal: Refusal | None = None,
        check: str = "",
    ) -> None:
        self.server = server
        self.driver = driver
        self.attempt = attempt
        self._send = send
        self._carry, self._check, self._refusal = carry, check, refusal
        self._headers = dict(headers or {})
        self._home = home_origins(server)
        self._outside = False

    async def go(self, step: Step, stop: Stop) -> Attempt:
        """Navigate until the browser is back at the client, or at `stop`, or cannot go on.

        Raises:
            NoAnswerError: the server did not answer.
        """
        for _ in range(MAX_STEPS):
            onwards = await self._onwards(step, stop)
            if onwards is None or self._lands(onwards) or self._stops_before(onwards, stop):
                return self.attempt
            step = onwards
        self.attempt.unfinished = True
        self.attempt.trail.stuck = f"the login did not end within {MAX_STEPS} navigations"
        return self.attempt

    async def _onwards(self, step: Step, stop: Stop) -> Step | None:
        beyond = self._leg(step, None) if self._outside else None
        if beyond is not None:
            return await self._beyond(beyond)
        answer = await self._navigate(step)
        if stop is Stop.FIRST_ANSWER:
            return None
        return _redirect(answer, step) if answer.location else await self._page(answer, step, stop)

    def _leg(self, step: Step, page: Answer | None) -> Leg | None:
        """Return the leg for the driver to perform instead of the walk; None if the driver does not take it."""
        if self._carry is None or not isinstance(self.driver, Carrier):
            return None
        ends_at = self._ends_a_leg if page is None else _always
        leg = Leg(step, page, ends_at, self._home, self.attempt.browser, self.attempt.trail, self._check)
        return leg if self.driver.takes(leg) else None

    def _ends_a_leg(self, url: str) -> bool:
        return origin_of(url) in self._home or self._is_the_clients(url) or not can_exist(url)

    async def _beyond(self, leg: Leg) -> Step | None:
        onwards = await self._carry(leg) if self._carry else None
        if onwards is None:
            self.attempt.unfinished = True
        else:
            self.attempt.submitted = True
        return onwards

    async def _navigate(self, step: Step) -> Answer:
        navigation = Navigation(step.url, step.method, top_level=True, initiator=step.initiator)
        headers = dict(self._headers) if origin_of(step.url) in self._home else {}
        headers.setdefault("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        cookies = self.attempt.browser.cookie_header(navigation)
        if cookies:
            headers["cookie"] = cookies
        body = b""
        if step.method == "POST":
            headers["content-type"] = "application/x-www-form-urlencoded"
            headers["origin"] = origin_of(step.initiator or step.url)
            body = urlencode(step.body).encode()
        answer = await self._send(step.method, step.url, kind=self._kind_of(step.url), headers=headers, body=body)
        self.attempt.answers.append(answer)
        outcomes = self.attempt.browser.receive(step.url, answer.set_cookies)
        if origin_of(step.url) in self._home:
            self.attempt.cookies += [(answer, outcome.set_cookie) for outcome in outcomes]
            self.attempt.rejected += [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
            self._force_what_a_browser_would_lose(step.url, outcomes)
        return answer

    def _kind_of(self, url: str) -> Kind | None:
        if origin_of(url) not in self._home:
            return None
        # Before the preflight has seen a whole login, only this attempt knows the callback and start URLs.
        if url == self.attempt.callback_url:
            return Kind.CALLBACK
        return kind_of(self.server, url, Kind.START if url == self.attempt.start_url else Kind.LOGIN)

    def _force_what_a_browser_would_lose(self, url: str, outcomes: list[Stored | Rejected]) -> None:
        """Force cookies that browsers withhold and the server needs, as the preflight saw (COOKIE-03, -04)."""
        lost = {stem(name) for name in self.server.seen.cookie_withheld}
        for outcome in outcomes:
            if stem(outcome.set_cookie.name) not in lost:
                continue
            match outcome:
                case Stored(is_deletion=False):
                    self.attempt.browser.force(outcome.cookie)
                case Rejected():
                    self.attempt.browser.force(
                        self.attempt.browser.set(outcome.set_cookie.name, outcome.set_cookie.value, url)
                    )
                case Stored():
                    pass

    def _lands(self, onwards: Step) -> bool:
        # A browser may return by a redirect, a meta refresh or a form (OAuth 2.1 section 1.6).
        lands = onwards.method == "GET" and is_of(onwards.url, self.attempt.request.lands_at)
        if lands:
            self.attempt.response = AuthorizationResponse.at(onwards.url, self.attempt.last)
        return lands

    async def _page(self, answer: Answer, step: Step, stop: Stop) -> Step | None:
        if not answer.is_html:
            return None
        page = read_page(step.url, answer.text)
        if not self._outside:
            self.attempt.pages.append(page)
            was_refused = self._is_refused
            refused = self._refusal.of(page) if self._refusal is not None and answer.status < 400 else None
            if refused is not None:
                return self._submitted(step_of(refused, step.url))
            if was_refused:
                return Step(page.meta_refresh, initiator=step.url) if page.meta_refresh else None
        trail = self.attempt.trail
        leg = self._leg(step, answer) if answer.status < 400 and stop is not Stop.FORM else None
        if leg is not None and page.has_script:
            return await self._beyond(leg)
        submission = self.driver.press(page, trail) if answer.status < 400 else None
        if submission is None:
            if page.meta_refresh and answer.status < 400:
                return Step(page.meta_refresh, initiator=step.url)
            if leg is not None:
                return await self._beyond(leg)
            self.attempt.unfinished = bool(page.forms) and answer.status < 400
            if self.attempt.unfinished or trail.trouble or trail.came_back(page):
                trail.stuck = why_stuck(self.driver, page, trail)
            return None
        if stop is Stop.FORM:
            self.attempt.submission = submission
            return None
        self.attempt.submitted = True
        return self._submitted(step_of(submission, step.url))

    def _submitted(self, onwards: Step) -> Step:
        if origin_of(onwards.url) in self._home:
            navigation = Navigation(onwards.url, onwards.method, initiator=onwards.initiator)
            withheld = self.attempt.browser.withheld(navigation)
            self.attempt.withheld_from_form += tuple(f"{cookie.name} ({reason})" for cookie, reason in withheld)
        return onwards

    def _stops_before(self, onwards: Step, stop: Stop) -> bool:
        attempt = self.attempt
        at_home = origin_of(onwards.url) in self._home
        if at_home and attempt.start_url is None:
            attempt.start_url = onwards.url
        if not at_home and not self._outside:
            if not self._is_on_the_way(onwards.url):
                attempt.left_for = onwards.url
                return True
            attempt.upstream_url = onwards.url
            self._outside = True
            if not self.driver.walks:
                attempt.unfinished = True
            return stop is Stop.UPSTREAM or not self.driver.walks or self._is_refused
        if at_home and self._outside:
            attempt.callback_url, attempt.callback_initiator = onwards.url, onwards.initiator
            attempt.withheld = tuple(
                cookie.name
                for cookie, _ in attempt.browser.withheld(
                    Navigation(onwards.url, onwards.method, initiator=onwards.initiator)
                )
            )
            self._outside = False
            return stop is Stop.CALLBACK
        return False

    @property
    def _is_refused(self) -> bool:
        return self._refusal is not None and self._refusal.times > 0

    def _is_on_the_way(self, url: str) -> bool:
        """Whether a URL outside the server belongs to the login, and is not the client's.

        It must have the origin of the upstream that the preflight saw; before that, any URL that can exist belongs.
        """
        if self._is_the_clients(url):
            return False
        seen = self.server.seen.upstream_url
        return can_exist(url) if seen is None else origin_of(url) == origin_of(seen)

    def _is_the_clients(self, url: str) -> bool:
        """Whether a URL is a redirect URI of the client, or the `redirect_uri` that a probe asked for."""
        request = self.attempt.request
        asked_for = tuple(value for name, value in request.parameters if name == "redirect_uri" and value)
        return is_of(url, (*request.lands_at, *asked_for))


def step_of(submission: Submission, page_url: str) -> Step:
    """Return the navigation that a submission makes."""
    if submission.follows_link:
        return Step(submission.url, initiator=page_url)
    if submission.method == "GET":
        base = submission.url.partition("?")[0]
        return Step(f"{base}?{urlencode(submission.body)}", initiator=page_url)
    return Step(submission.url, "POST", tuple(submission.body), page_url)


def _always(url: str) -> bool:
    """A leg on a page of the server ends with its next navigation, so that the walk sends it and sees the answer."""
    return bool(url)


def _redirect(answer: Answer, step: Step) -> Step:
    keeps_method = answer.status in (307, 308) and step.method != "GET"
    return Step(
        answer.location or "", step.method if keeps_method else "GET", step.body if keeps_method else (), step.initiator
    )


def start(server: Server, request: AuthorizationRequest, browser: Browser) -> tuple[Attempt, Step]:
    """Return a new attempt and its first navigation, which has no initiator because an application opens the browser.

    Raises:
        NotApplicable: the server has no authorization endpoint.
        Blocked: the endpoint is at a host that is not known as the server's; a password must not be typed in there.
    """
    endpoint = server.endpoint("authorization")
    if endpoint is None:
        raise NotApplicable("the metadata names no authorization_endpoint")
    stranger = server.stranger("its authorization_endpoint", endpoint)
    if stranger:
        raise Blocked(stranger)
    return Attempt(request, browser), Step(request.url(endpoint))
