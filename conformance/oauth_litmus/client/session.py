"""One check's access to the server: its requests, its source address, and its priority in the rate queues."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Self, TypeVar

import httpx

from oauth_litmus.browser.model import Browser
from oauth_litmus.client.run_view import RunView
from oauth_litmus.expect import judgement
from oauth_litmus.http.route import origin_of
from oauth_litmus.http.wire import Gate, NoAnswerError
from oauth_litmus.limits.priority import DUE_NOW, URGENT
from oauth_litmus.limits.rates import Kind
from oauth_litmus.target.rate_kind import kind_of
from oauth_litmus.verdict import Blocked, ConnectionCut, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping

    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.listener import Listener
    from oauth_litmus.http.route import Route
    from oauth_litmus.run_state.run import Run
    from oauth_litmus.target.upstream_control import UpstreamControl

T = TypeVar("T")
FORM = "application/x-www-form-urlencoded"
_TRIES = 3
_PAUSE_BEFORE_RETRY = 1.0
_LONG_WAIT = 30.0
"""Seconds of a wait that cannot be repeated within the run."""
_READS_ONLY = ("GET", "HEAD", "OPTIONS")
_PAGES_OF_ONE_LOGIN = (Kind.START, Kind.LOGIN, Kind.CALLBACK)


class Session(RunView):
    """One check's access to the server.

    Args:
        run: the run to which the check belongs.
        check: the id under which exchanges are recorded.
        paced: whether requests wait for room in the rate limits. Burst checks do not wait.
        holds_grants: whether requests become urgent once the check holds a code or a pending login.
    """

    def __init__(self, run: Run, check: str, *, paced: bool = True, holds_grants: bool = False) -> None:
        self.run = run
        self.check = check
        self.source = run.sources()
        self.paced = paced
        self.holds_grants = holds_grants
        self.rank = run.ranks.get(check, 0)
        self.extra_headers: dict[str, str] = {}
        self.route: Route | None = None
        self.gate: Gate | None = None
        """Where requests wait for the others of a race."""

    @property
    def address(self) -> str:
        """Where requests for the issuer go: to the issuer itself or to one of its replicas. For messages."""
        return self.route.origin if self.route else self.server.issuer

    async def until(self, instant: float) -> None:
        """Wait until an instant in Unix seconds. Waits of all checks overlap. The check has priority afterwards."""
        was_long = instant - self.now() > _LONG_WAIT
        await self.run.clock.until(instant)
        self.rank = DUE_NOW if was_long else min(self.rank, URGENT)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return a result that all checks of the run share. The first check that asks makes it."""
        return await self.run.shared.once(key, make, self.check)

    def limit_probes(self, probes: Iterable[T], most: int = 3) -> list[T]:
        """All probes of a list or, if only `core` was asked for, the first `most`.

        The list begins with the most telling probe. The verdict says how many were left out.
        """
        every = list(probes)
        if not self.quick or len(every) <= most:
            return every
        current = judgement.get()
        current.left_out += len(every) - most
        return every[:most]

    def user(self, label: str = "a") -> str:
        """The e-mail address of a person that only this check uses, at an upstream that the suite controls."""
        return f"{self.check.lower()}-{label}-{self.run.run_id}@litmus.example"

    def new_browser(self) -> Browser:
        """A browser without cookies."""
        return Browser(self.run.clock.now)

    def from_another_source(self) -> Self:
        """The same check with another source address."""
        return type(self)(self.run, self.check, paced=self.paced, holds_grants=self.holds_grants)

    def now_holds_a_grant(self) -> None:
        """Make requests urgent from now on, if the check is declared with `holds_grants`."""
        if self.holds_grants:
            self.become_urgent()

    def become_urgent(self) -> None:
        """Let the requests of this check go before others wherever they wait for room in a rate limit."""
        self.rank = min(self.rank, URGENT)

    def urgent(self) -> Self:
        """A copy whose requests go before others, for a grant that expires soon."""
        twin = copy.copy(self)
        twin.become_urgent()
        return twin

    def unpaced(self) -> Self:
        """A copy whose requests do not wait for a rate limit, because room for them is reserved already."""
        twin = copy.copy(self)
        twin.paced = False
        return twin

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """A copy that adds these headers to every request."""
        twin = copy.copy(self)
        twin.extra_headers = {**self.extra_headers, **headers}
        return twin

    def at(self, route: Route) -> Self:
        """A copy that sends requests for the issuer to one replica."""
        twin = copy.copy(self)
        twin.route = route
        return twin

    def through(self, gate: Gate) -> Self:
        """A copy whose requests wait at a gate for the others of a race."""
        twin = copy.copy(self)
        twin.gate = gate
        return twin

    def secret(self, value: str | None, kind: str = "secret") -> None:
        """Redact a value that the check made up, wherever it appears."""
        self.run.transcript.redactor.learn(value, kind)

    async def send(
        self,
        method: str,
        url: str,
        *,
        kind: Kind | None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        via: Gate | None = None,
    ) -> Answer:
        """Send one request within its rate limit. Retry an inconclusive answer (502, 503, 504).

        `kind` None means that the request goes to another server, the upstream, and counts against no limit.

        Raises:
            Blocked: no answer after several tries, the limit is closed, or the host is not trusted.
        """
        via = via or self.gate
        sent = httpx.Headers(headers, encoding="utf-8")  # unlike a mapping, it may hold one header twice
        sent.update(self.extra_headers)
        if kind is not None and (method not in _READS_ONLY or "authorization" in sent):
            self.require_trusted("an address", url)

        async def once() -> Answer:
            route = self._route_of(url)
            return await self.run.wire.send(
                method, url, check=self.check, headers=sent, body=body, source=self.source, gate=via, route=route
            )

        if kind is None:
            return await self._answered(once)
        healthy = self._watched(kind, url, once, in_step=via is not None)
        if via is not None or not self.paced:
            return await healthy()
        self.run.health.see_that_it_lives(self._health_group(kind, url))
        return await self._paced(kind, healthy)

    def _watched(
        self, kind: Kind, url: str, send: Callable[[], Awaitable[Answer]], *, in_step: bool
    ) -> Callable[[], Awaitable[Answer]]:
        """The same request, but it waits while the server is down, and tells the health of the address."""
        group = self._health_group(kind, url)

        async def healthy() -> Answer:
            await self.run.health.admit(group, in_step=in_step)
            try:
                return await self._answered(send, group, in_step=in_step)
            finally:
                self.run.last_sent[kind] = self.now()

        return healthy

    async def _paced(self, kind: Kind, send: Callable[[], Awaitable[Answer]]) -> Answer:
        """Send within the rate limit, and retry an answer that is 502, 503 or 504."""
        for _ in range(_TRIES - 1):
            answer = await self.run.pacer.paced(kind, self.source, send, rank=self.rank)
            if answer.status not in (502, 503, 504):
                return answer
            await self.until(self.now() + _PAUSE_BEFORE_RETRY)
        return await self.run.pacer.paced(kind, self.source, send, rank=self.rank)

    def _health_group(self, kind: Kind, url: str) -> str:
        """The name under which the health of an address is tracked. Pages of logins share one: each login has its own URLs."""
        where = url.partition("?")[0].partition("#")[0]
        at = f" at {self.route.origin}" if self.route else ""
        return (f"{kind} pages" if kind in _PAGES_OF_ONE_LOGIN else where) + at

    def require_trusted(self, what: str, url: str) -> None:
        """Ensure that a URL belongs to the server before a code, token or secret is sent to it.

        Raises:
            Blocked: the host is not trusted. The reason says how the operator can declare it.
        """
        why = self.server.stranger(what, url)
        if why:
            raise Blocked(why)

    def _route_of(self, url: str) -> Route | None:
        """The route to the replica, for URLs of the issuer. The upstream and other hosts have no replicas."""
        return self.route if origin_of(url) == origin_of(self.server.issuer) else None

    async def _answered(
        self, send: Callable[[], Awaitable[Answer]], group: str | None = None, *, in_step: bool = False
    ) -> Answer:
        try:
            answer = await send()
        except NoAnswerError as error:
            if group is not None:
                self.run.health.left_unanswered(group, error, in_step=in_step)
            raise (ConnectionCut if error.cut else Blocked)(str(error), (error.number,)) from error
        if group is not None:
            self.run.health.answered(group, answer)
        return answer

    async def settled(self, send: Callable[[], Awaitable[Answer]], control: Callable[[], Awaitable[object]]) -> Answer:
        """Send a probe. After a server error, send it again once an ordinary request (`control`) has succeeded."""
        answer = await send()
        if answer.status < 500 or answer.is_inconclusive:
            return answer
        await control()
        return await send()

    async def settled_or_cut(
        self, send: Callable[[], Awaitable[Answer]], control: Callable[[], Awaitable[object]]
    ) -> Answer | None:
        """Do the same as `settled`; None if the server closes the connection without an answer twice in a row."""
        try:
            return await self.settled(send, control)
        except ConnectionCut:
            await control()
        try:
            return await send()
        except ConnectionCut:
            return None

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, kind: Kind | None = None) -> Answer:
        """GET without credentials. The URL tells which rate limit it counts against, unless `kind` says it."""
        return await self.send("GET", url, kind=kind or kind_of(self.server, url, Kind.RESOURCE), headers=headers)

    @property
    def upstream(self) -> UpstreamControl:
        """The control of the upstream.

        Raises:
            Blocked: the profile names none (the plan skips checks that need it).
        """
        if self.run.upstream is None:
            raise Blocked("the profile names no upstream_control")
        return self.run.upstream

    @property
    def listener(self) -> Listener:
        """The suite's listener, which the server can reach.

        Raises:
            Blocked: there is none (the plan skips checks that need it).
        """
        if self.run.listener is None:
            raise Blocked("this run has no listener")
        return self.run.listener

    def endpoint(self, name: str) -> str:
        """An endpoint's URL from the metadata.

        Raises:
            NotApplicable: the metadata does not name it.
            Blocked: its host is not trusted.
        """
        url = self.server.endpoint(name)
        if url is None:
            raise NotApplicable(f"the metadata names no {name}_endpoint")
        self.require_trusted(f"its {name}_endpoint", url)
        return url
