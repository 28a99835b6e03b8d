"""The base of the client: sends requests for one check, inside the budgets, from a source address of its own."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Self, TypeVar

import httpx

from oauth_litmus.browser.model import Browser
from oauth_litmus.expect import judgement
from oauth_litmus.http.route import origin_of
from oauth_litmus.http.wire import Gate, NoAnswerError
from oauth_litmus.limits.rate_queue import AT_ITS_INSTANT, FIRST_OF_ALL
from oauth_litmus.limits.rates import Kind
from oauth_litmus.target.rate_kind import kind_of
from oauth_litmus.verdict import Blocked, ConnectionCut, NotApplicable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping

    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.listener import Listener
    from oauth_litmus.http.route import Route
    from oauth_litmus.run_state.run import Run
    from oauth_litmus.target.server import Server
    from oauth_litmus.target.upstream_control import UpstreamControl

T = TypeVar("T")
FORM = "application/x-www-form-urlencoded"
_TRIES = 3
_PAUSE_BEFORE_RETRY = 1.0
_LONG = 30.0
"""Seconds of a wait for an instant that will not come again in the run."""
_TELLS_NOTHING = ("GET", "HEAD", "OPTIONS")
_BY_LOGIN = (Kind.START, Kind.LOGIN, Kind.CALLBACK)


class Session:
    """One check's access to the server."""

    def __init__(self, run: Run, check: str, *, paced: bool = True) -> None:
        self.run = run
        self.check = check
        self.source = run.sources()
        self.paced = paced
        self.rank = run.ranks.get(check, 0)
        self.extra_headers: dict[str, str] = {}
        self.route: Route | None = None
        self.gate: Gate | None = None
        """Where its requests wait for those with which they arrive together."""

    @property
    def server(self) -> Server:
        """What is known of the server."""
        return self.run.server

    def now(self) -> float:
        """The present instant, in Unix seconds."""
        return self.run.clock.now()

    async def until(self, instant: float) -> None:
        """Return at that instant. Waits of all checks overlap; what was waited for then goes before all that did not wait."""
        was_long = instant - self.now() > _LONG
        await self.run.clock.until(instant)
        self.rank = AT_ITS_INSTANT if was_long else min(self.rank, FIRST_OF_ALL)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Something that all checks of the run share, made by the first that asks."""
        return await self.run.once(key, make, self.check)

    def sample(self, probes: Iterable[T], most: int = 3) -> list[T]:
        """All of a list of probes, the most telling first; where `core` alone was asked for, not more than `most`.

        The verdict then says how many were left out.
        """
        every = list(probes)
        if not self.run.quick or len(every) <= most:
            return every
        current = judgement.get()
        current.left_out += len(every) - most
        return every[:most]

    def user(self, label: str = "a") -> str:
        """The e-mail address of a person of this check's own, for an upstream that the suite controls."""
        return f"{self.check.lower()}-{label}-{self.run.run_id}@litmus.example"

    def browser(self) -> Browser:
        """A browser without cookies."""
        return Browser(self.run.clock.now)

    def from_another_source(self) -> Self:
        """The same server, seen from another source address."""
        return type(self)(self.run, self.check, paced=self.paced)

    def hurry(self) -> None:
        """Go first from now on, wherever several wait for room in a limit: what is held meanwhile ends in a queue."""
        self.rank = min(self.rank, FIRST_OF_ALL)

    def hurried(self) -> Self:
        """The same check where it holds what has not long to live."""
        twin = copy.copy(self)
        twin.hurry()
        return twin

    def unpaced(self) -> Self:
        """The same check from the same address, which has room for what it sends already."""
        twin = copy.copy(self)
        twin.paced = False
        return twin

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        """The same check from the same address, with headers that every request of it carries."""
        twin = copy.copy(self)
        twin.extra_headers = {**self.extra_headers, **headers}
        return twin

    def secret(self, value: str | None, kind: str = "secret") -> None:
        """Have a value that the check made up redacted wherever it turns up."""
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
        """Send one request inside the budget of its kind; what is inconclusive is tried again (rule 3 of judging).

        Without a kind the request goes to another server (the upstream), whose budget is not the target's.

        Raises:
            Blocked: no answer after several tries, the budget is closed, or it would tell a stranger something.
        """
        via = via or self.gate
        sent = httpx.Headers(headers, encoding="utf-8")  # which, unlike a mapping, may hold one header twice
        sent.update(self.extra_headers)
        if kind is not None and (method not in _TELLS_NOTHING or "authorization" in sent):
            self._see_no_stranger("an address", url)

        async def once() -> Answer:
            return await self.run.wire.send(
                method,
                url,
                check=self.check,
                headers=sent,
                body=body,
                source=self.source,
                gate=via,
                route=self._route_of(url),
            )

        if kind is None:
            return await self._answered(once)
        place = self._place(kind, url)

        async def healthy() -> Answer:
            await self.run.health.admit(place, in_step=via is not None)
            try:
                return await self._answered(once, place, in_step=via is not None)
            finally:
                self.run.last_sent[kind] = self.now()

        if via is not None or not self.paced:
            return await healthy()
        self.run.health.see_that_it_lives(place)
        for _ in range(_TRIES - 1):
            answer = await self.run.pacer.paced(kind, self.source, healthy, rank=self.rank)
            if answer.status not in (502, 503, 504):
                return answer
            await self.until(self.now() + _PAUSE_BEFORE_RETRY)
        return await self.run.pacer.paced(kind, self.source, healthy, rank=self.rank)

    def _place(self, kind: Kind, url: str) -> str:
        """By which name the health of a place is kept: pages of logins have addresses of their own for each login."""
        where = url.partition("?")[0].partition("#")[0]
        at = f" at {self.route.origin}" if self.route else ""
        return (f"{kind} pages" if kind in _BY_LOGIN else where) + at

    def _see_no_stranger(self, what: str, url: str) -> None:
        """Let no code, token or secret out to a host that is not the server's, as far as the operator says.

        Raises:
            Blocked: it would be one; the reason says how to say that it is none.
        """
        why = self.server.stranger(what, url)
        if why:
            raise Blocked(why)

    def _route_of(self, url: str) -> Route | None:
        """A replica stands in for the issuer, and for nobody else (the upstream, a resource at another host)."""
        return self.route if origin_of(url) == origin_of(self.server.issuer) else None

    async def _answered(
        self, send: Callable[[], Awaitable[Answer]], place: str | None = None, *, in_step: bool = False
    ) -> Answer:
        try:
            answer = await send()
        except NoAnswerError as error:
            if place is not None:
                self.run.health.left_unanswered(place, error, in_step=in_step)
            raise (ConnectionCut if error.cut else Blocked)(str(error), (error.number,)) from error
        if place is not None:
            self.run.health.answered(place, answer)
        return answer

    async def lasting(self, send: Callable[[], Awaitable[Answer]], control: Callable[[], Awaitable[object]]) -> Answer:
        """An answer that is no passing trouble (rule 3 of judging).

        After a server error an ordinary request must succeed (`control`), and the probe is sent once more.
        """
        answer = await send()
        if answer.status < 500 or answer.is_inconclusive:
            return answer
        await control()
        return await send()

    async def lasting_or_cut(
        self, send: Callable[[], Awaitable[Answer]], control: Callable[[], Awaitable[object]]
    ) -> Answer | None:
        """The same; None where the server closes the connection in place of an answer, each time that it is asked."""
        try:
            return await self.lasting(send, control)
        except ConnectionCut:
            await control()
        try:
            return await send()
        except ConnectionCut:
            return None

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None, kind: Kind | None = None) -> Answer:
        """GET without credentials, charged to what the address tells if to nothing else."""
        return await self.send("GET", url, kind=kind or kind_of(self.server, url, Kind.RESOURCE), headers=headers)

    @property
    def upstream(self) -> UpstreamControl:
        """The upstream, where the operator lends it.

        Raises:
            Blocked: it is not lent (the plan skips checks that need it).
        """
        if self.run.upstream is None:
            raise Blocked("the profile names no upstream_control")
        return self.run.upstream

    @property
    def listener(self) -> Listener:
        """A listener of the suite's own that the server can reach.

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
            Blocked: it is at a host that nobody says is the server's.
        """
        url = self.server.endpoint(name)
        if url is None:
            raise NotApplicable(f"the metadata names no {name}_endpoint")
        self._see_no_stranger(f"its {name}_endpoint", url)
        return url
