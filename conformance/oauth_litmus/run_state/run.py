"""What the checks of one run share: the server, the ways to reach it, and what was made once for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from oauth_litmus.clock import stopwatch
from oauth_litmus.http.health import ASKED_WITHIN, Health
from oauth_litmus.http.transcript import HEALTH
from oauth_litmus.http.wire import NoAnswerError
from oauth_litmus.oauth.clients import REDIRECT_URI

if TYPE_CHECKING:
    from oauth_litmus.clock import Clock
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.listener import Listener
    from oauth_litmus.http.transcript import Transcript
    from oauth_litmus.http.wire import Wire
    from oauth_litmus.limits.pacer import Pacer
    from oauth_litmus.limits.rates import Kind
    from oauth_litmus.login.drivers import LoginDriver
    from oauth_litmus.oauth.authorization import Attempt, Tokens
    from oauth_litmus.oauth.clients import Client
    from oauth_litmus.oauth.handed_in import HandedIn
    from oauth_litmus.target.server import Server
    from oauth_litmus.target.upstream_control import UpstreamControl

T = TypeVar("T")
ROOM_FOR_ANY_RUN = 3 * 3600.0
"""Seconds: a limit of ten logins per minute makes a whole run last 45 minutes."""
SEVERAL_WAITS = 3


@dataclass(frozen=True)
class Budget:
    """What the operator allows this run."""

    max_wait: float = 60.0
    """Seconds that one check may wait for a lifetime or a window to end."""
    burst: bool = False
    max_logins: int | None = None
    max_time: float | None = None
    """Real seconds that the whole run may take."""

    @property
    def longest(self) -> float:
        """Seconds after which the run ends, whatever the server does: what was asked for, or room for any ordinary run."""
        return ROOM_FOR_ANY_RUN + SEVERAL_WAITS * self.max_wait if self.max_time is None else self.max_time


@dataclass(frozen=True)
class RegisteredClient:
    """A client that the run registered; with a management URI it can be removed again (RFC 7592)."""

    client_id: str
    management_uri: str
    management_token: str


@dataclass
class Run:
    """One run against one server."""

    run_id: str
    server: Server
    wire: Wire
    pacer: Pacer
    clock: Clock
    transcript: Transcript
    driver: LoginDriver
    budget: Budget
    sources: Callable[[], str | None] = lambda: None
    """Gives the next source address; None where the machine's own is used."""
    separate_sources: bool = False
    """Whether every check has a source address of its own."""
    strict: bool = False
    quick: bool = False
    """Whether `core` alone was asked for: long lists of probes of one thing are cut to the most telling ones."""
    listener: Listener | None = None
    """Where the server under test may send requests that it had better not send."""
    ranks: dict[str, int] = field(default_factory=dict[str, int])
    """By check, who goes first where several wait for room in a limit: the lowest."""
    asked: dict[Hashable, list[str]] = field(default_factory=dict["Hashable", "list[str]"])
    """Which checks share what; the first made it."""
    _made: dict[Hashable, asyncio.Future[object]] = field(default_factory=dict[Hashable, "asyncio.Future[object]"])
    begun: list[Attempt] = field(default_factory=list["Attempt"])
    """Ordinary logins that came to the upstream, or beyond."""
    last_sent: dict[Kind, float] = field(default_factory=dict["Kind", float])
    """When the last request of each kind was over, in Unix seconds."""
    living: dict[Hashable, list[Tokens]] = field(default_factory=dict["Hashable", "list[Tokens]"])
    """By client and scope, tokens with which a check is done, and that are good."""
    borrowing: dict[Hashable, asyncio.Lock] = field(default_factory=dict["Hashable", "asyncio.Lock"])
    """By client and scope, who has such tokens of those that hand them on."""
    lenders: dict[Hashable, Any] = field(default_factory=dict["Hashable", Any])
    """By kind of grant, who lends one to the probes of several checks."""
    upstream: UpstreamControl | None = None
    configured_clients: tuple[Client, ...] = ()
    registration_headers: Mapping[str, str] = field(default_factory=dict[str, str])
    redirect_uri: str = REDIRECT_URI
    """Where the suite's clients are redirected."""
    handed_in: HandedIn | None = None
    """One that the operator handed in, for the checks of the protected resource."""
    by_hand: frozenset[str] = frozenset()
    """Checks for which a person is asked to log in (login driver `manual`)."""
    registered: list[RegisteredClient] = field(default_factory=list["RegisteredClient"])
    left_behind: list[str] = field(default_factory=list[str])
    """Clients that were registered and could not be removed, by `client_id`."""
    health: Health = field(init=False)
    began: float = field(default_factory=stopwatch)
    """When the run began to look for its server, by the stopwatch."""

    def __post_init__(self) -> None:
        self.health = Health(self.clock, self._answers_plainly)

    @property
    def time_left(self) -> float:
        """Real seconds until the run has lasted as long as it may."""
        return max(0.0, self.budget.longest - (stopwatch() - self.began))

    async def _answers_plainly(self) -> bool:
        url, within = self.server.discovered.metadata_url, min(ASKED_WITHIN, self.wire.timeout)
        try:
            answer = await self.wire.send("GET", url, check=HEALTH, within=within)
        except NoAnswerError:
            return False
        return answer.status < 500

    def remember(self, answer: Answer) -> None:
        """Keep what it takes to remove a client that was registered."""
        self.registered.append(
            RegisteredClient(
                answer.member("client_id"),
                answer.member("registration_client_uri"),
                answer.member("registration_access_token"),
            )
        )

    def has_renewed(self, client_id: str, management_token: str) -> None:
        """Keep the registration access token that has taken the place of an older one (RFC 7592 section 3)."""
        self.registered = [
            replace(client, management_token=management_token) if client.client_id == client_id else client
            for client in self.registered
        ]

    def has_begun(self, attempt: Attempt) -> None:
        """Keep a login for those that compare several."""
        if attempt.upstream_url is not None and attempt not in self.begun:
            self.begun.append(attempt)

    def forget(self, client_id: str) -> None:
        """A client that a check has removed need not be removed again."""
        self.registered = [client for client in self.registered if client.client_id != client_id]

    def found(self, key: Hashable, result: object) -> None:
        """Something that all checks share has come about on the way to something else, and need not be made."""
        if key not in self._made:
            self._made[key] = asyncio.get_running_loop().create_future()
            self._made[key].set_result(result)

    async def once(self, key: Hashable, make: Callable[[], Awaitable[T]], asker: str = "") -> T:
        """What `make` returns, made by the first check that asks; its failure is everybody's.

        Raises:
            Blocked: making it failed (and whatever else `make` raises).
        """
        self.asked.setdefault(key, []).append(asker)
        made = self._made.get(key)
        if made is not None:
            # Shielded: who is cancelled while waiting must not cancel what others wait for too.
            return cast("T", made.result() if made.done() else await self.clock.for_result_of(asyncio.shield(made)))
        made = self._made[key] = asyncio.get_running_loop().create_future()
        try:
            result = await make()
        except asyncio.CancelledError:
            made.cancel()
            raise
        except BaseException as error:
            made.set_exception(error)
            made.exception()
            raise
        made.set_result(result)
        return result
