"""Logins that several checks share and only look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.limits.rates import Kind

if TYPE_CHECKING:
    from oauth_litmus.client.authorization import Authorization
    from oauth_litmus.client.clients import Clients
    from oauth_litmus.client.grants import Grants
    from oauth_litmus.client.session import Session
    from oauth_litmus.oauth.attempt import Attempt

HELD_LOGINS = 8
"""Enough logins to tell counted values from values that are in order by chance."""


@dataclass(frozen=True)
class SharedLogins:
    """Logins that are made once for all checks. No check may change them."""

    session: Session
    clients: Clients
    authorization: Authorization
    grants: Grants

    async def held(self) -> Attempt:
        """A login of the shared client that stops at the upstream.

        Raises:
            Blocked: the login did not reach the upstream.
        """

        async def hold() -> Attempt:
            return await self.authorization.hold_upstream(self.authorization.request(await self.clients.shared()))

        return await self.session.once("held login", hold)

    async def several_held(self) -> list[Attempt]:
        """Eight logins in eight browsers, each up to the upstream or further.

        If only `core` was asked for, logins that other checks have begun count too.

        Raises:
            Blocked: a login did not reach the upstream.
        """

        async def hold() -> list[Attempt]:
            client, session = await self.clients.shared(), self.session
            begun = [await self.held()]
            if session.quick:
                await session.run.pacer.turn(Kind.AUTHORIZE, session.source, rank=session.rank)
                begun = sorted(session.run.begun, key=_first_cookie)[-HELD_LOGINS:]
            missing = range(HELD_LOGINS - len(begun))
            hold_one = self.authorization.hold_upstream
            return [*begun, *[await hold_one(self.authorization.request(client)) for _ in missing]]

        return await self.session.once("several held logins", hold)

    async def finished(self) -> Attempt:
        """A login of the shared client, as far as this run can go."""

        async def make() -> Attempt:
            attempt = await self.authorization.attempt(self.authorization.request(await self.clients.shared()))
            await self.grants.add_login_to_pool(attempt)
            return attempt

        # A person logs in by hand for one check only.
        check = self.session.check
        by_hand = check if check in self.session.run.by_hand else None
        return await self.session.once(("finished login", by_hand), make)

    async def refused_consent(self) -> Attempt | None:
        """A login whose consent was refused on a page of the server; None if no page asks for consent.

        The client is new where clients can be registered: a server certainly asks about a client that it does not know.
        """

        async def make() -> Attempt | None:
            registered = self.session.server.endpoint("registration") is not None
            method = self.session.server.ordinary_method
            client = await (self.clients.new(auth_method=method) if registered else self.clients.shared())
            attempt, was_refused = await self.authorization.refuse(self.authorization.request(client))
            return attempt if was_refused else None

        return await self.session.once("refused consent", make)


def _first_cookie(begun: Attempt) -> int:
    """The number of the exchange that set a login's first cookie. It tells which login is older."""
    return min((answer.number for answer, cookie in begun.cookies if cookie.value), default=begun.answers[0].number)
