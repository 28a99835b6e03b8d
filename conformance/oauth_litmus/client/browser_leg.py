"""Verbs of the browser leg beside the straight way: single requests, walks without a login, callbacks at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.browser.model import Navigation
from oauth_litmus.client.shared_grants import SharedGrantVerbs
from oauth_litmus.limits.rates import Kind
from oauth_litmus.login.drivers import RedirectsDriver
from oauth_litmus.login.leg import Step
from oauth_litmus.login.walk import Stop
from oauth_litmus.target.rate_kind import kind_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from oauth_litmus.browser.model import Browser
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.wire import Gate
    from oauth_litmus.oauth.authorization import Attempt, AuthorizationRequest

HELD_LOGINS = 8
"""Enough that values which merely happen to stand in order are not taken for counted ones."""


class BrowserLegVerbs(SharedGrantVerbs):
    """What browsers do on the way of a login, and whoever imitates them."""

    def is_upstream(self, url: str | None) -> bool:
        """Whether a URL is one of the upstream provider's, as the preflight saw it."""
        seen = self.server.seen.upstream_url
        return url is not None and seen is not None and urlsplit(url)[:2] == urlsplit(seen)[:2]

    def is_home(self, url: str | None) -> bool:
        """Whether a URL is one of the authorization server's own."""
        homes = {urlsplit(home)[:2] for home in (self.server.issuer, self.endpoint("authorization"))}
        return url is not None and urlsplit(url)[:2] in homes

    async def several_held_logins(self) -> list[Attempt]:
        """Eight logins in eight browsers, each up to the upstream at least; checks share them and only look at them.

        Where `core` alone was asked for, those that other checks have begun will do.

        Raises:
            Blocked: a login did not come so far.
        """

        async def hold() -> list[Attempt]:
            client = await self.client()
            begun = [await self.held_login()]
            if self.run.quick:
                await self.run.pacer.turn(Kind.AUTHORIZE, self.source, rank=self.rank)
                begun = sorted(self.run.begun, key=_first_cookie)[-HELD_LOGINS:]
            missing = range(HELD_LOGINS - len(begun))
            return [*begun, *[await self.hold_upstream(self.request(client)) for _ in missing]]

        return await self.once("several held logins", hold)

    async def held_login(self) -> Attempt:
        """A login of the shared client up to the upstream; checks share it and only look at it.

        Raises:
            Blocked: it did not come so far.
        """

        async def hold() -> Attempt:
            return await self.hold_upstream(self.request(await self.client()))

        return await self.once("held login", hold)

    async def finished_login(self) -> Attempt:
        """A login of the shared client, as far as this run can go with it; checks share it and only look at it."""

        async def make() -> Attempt:
            attempt = await self.attempt(self.request(await self.client()))
            await self.hand_on_code(attempt)
            return attempt

        # Whoever is asked to log in by hand is asked in the name of one check.
        asked = self.check if self.check in self.run.by_hand else None
        return await self.once(("finished login", asked), make)

    async def refused_consent(self) -> Attempt | None:
        """What became of a login whose client was refused on a page of the server; None if no page offers that.

        Checks share it and only look at it. A client that nobody approved before is asked about for certain.
        """

        async def make() -> Attempt | None:
            registered = self.server.endpoint("registration") is not None
            client = await (self.new_client(auth_method=self.server.ordinary_method) if registered else self.client())
            attempt, was_refused = await self.refuse(self.request(client))
            return attempt if was_refused else None

        return await self.once("refused consent", make)

    async def peek(
        self,
        browser: Browser,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request from a browser to an address on the way of a login; nothing is followed."""
        cookies = browser.cookie_header(Navigation(url, method))
        answer = await self.send(
            method,
            url,
            kind=kind_of(self.server, url, Kind.LOGIN),
            headers={
                "accept": "text/html,*/*;q=0.8",
                **({"cookie": cookies} if cookies else {}),
                **(headers or {}),
            },
        )
        browser.receive(url, answer.set_cookies)
        return answer

    async def attempt_without_login(
        self, request: AuthorizationRequest, *, browser: Browser | None = None, url: str | None = None
    ) -> Attempt:
        """How far a browser comes in which nobody logs in: up to the login page, the upstream, or a code.

        With a URL it goes on from there; a consent is given on the way.
        """
        step = Step(url) if url else None
        return await self._walk(request, browser or self.browser(), Stop.UPSTREAM, first=step, driver=RedirectsDriver())

    async def deliver_at_once(
        self, wanted: int, prepare: Callable[[int], Awaitable[Sequence[Attempt]]]
    ) -> tuple[Sequence[Attempt], list[Attempt]]:
        """Have held callbacks arrive at one moment; what was prepared, and what became of each, in the same order.

        `prepare` is told how many a declared limit lets through, and holds as many. A callback has no body of
        which a byte could be held back: the connections are opened, and then the requests are let go together.
        """
        if self.run.separate_sources:
            self.source = self.run.sources()
        racers, rank = self.run.pacer.most_at_once(Kind.CALLBACK, self.source, wanted), self.rank
        race = await self.run.pacer.before_race(Kind.CALLBACK, self.source, racers, rank=rank)
        ended: dict[int, Attempt] = {}
        answers: list[Answer] = []
        self.hurry()
        try:
            held = await prepare(racers)
            await race.begins()
            lined_up = iter(range(len(held)))

            async def deliver(gate: Gate) -> Answer:
                number = next(lined_up)
                # What comes after the callback is of the race too: paced, it would wait for the others.
                ended[number] = await self.unpaced().deliver_callback(held[number], via=gate)
                return ended[number].answers[0]

            answers = await self._released_together(len(held), deliver)
        finally:
            race.is_over(answers)
            self.rank = rank
        return held, [ended[number] for number in sorted(ended)]


def _first_cookie(begun: Attempt) -> int:
    """The exchange in which a login's first cookie was set, by which logins are told to be older and younger."""
    return min((answer.number for answer, cookie in begun.cookies if cookie.value), default=begun.answers[0].number)
