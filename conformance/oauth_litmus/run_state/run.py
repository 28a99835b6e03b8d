"""One run against one server: the server, the ways to reach it, and what its checks share."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from oauth_litmus.clock import stopwatch
from oauth_litmus.http.health import ASKED_WITHIN, Health
from oauth_litmus.http.transcript import HEALTH
from oauth_litmus.http.wire import NoAnswerError
from oauth_litmus.oauth.clients import REDIRECT_URI
from oauth_litmus.run_state.registered_clients import RegisteredClients
from oauth_litmus.run_state.shared_results import SharedResults
from oauth_litmus.run_state.token_pool import TokenPool

if TYPE_CHECKING:
    from oauth_litmus.clock import Clock
    from oauth_litmus.http.listener import Listener
    from oauth_litmus.http.transcript import Transcript
    from oauth_litmus.http.wire import Wire
    from oauth_litmus.limits.pacer import Pacer
    from oauth_litmus.limits.rates import Kind
    from oauth_litmus.login.drivers import LoginDriver
    from oauth_litmus.oauth.attempt import Attempt
    from oauth_litmus.oauth.clients import Client
    from oauth_litmus.oauth.handed_in import HandedIn
    from oauth_litmus.run_state.budget import Budget
    from oauth_litmus.target.server import Server
    from oauth_litmus.target.upstream_control import UpstreamControl


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
    """Gives the next source address; None means the machine's own."""
    strict: bool = False
    quick: bool = False
    """Whether only `core` was asked for. Long lists of probes are then cut to the most telling ones."""
    configured_clients: tuple[Client, ...] = ()
    registration_headers: Mapping[str, str] = field(default_factory=dict[str, str])
    redirect_uri: str = REDIRECT_URI
    """The redirect URI of the suite's clients."""
    handed_in: HandedIn | None = None
    """An access token that the operator gave, for the checks of the protected resource."""
    listener: Listener | None = None
    """Receives requests that the server under test may send by mistake."""
    upstream: UpstreamControl | None = None
    by_hand: frozenset[str] = frozenset()
    """Checks for which a person is asked to log in (login driver `manual`)."""
    ranks: dict[str, int] = field(default_factory=dict[str, int])
    """The priority of each check in a rate queue: the lowest number goes first."""
    clients: RegisteredClients = field(default_factory=RegisteredClients)
    pool: TokenPool = field(default_factory=TokenPool)
    grant_pools: dict[Hashable, Any] = field(default_factory=dict["Hashable", Any])
    """By kind of grant, the pool whose grants several checks probe."""
    begun: list[Attempt] = field(default_factory=list["Attempt"])
    """Ordinary logins that reached the upstream or went further."""
    last_sent: dict[Kind, float] = field(default_factory=dict["Kind", float])
    """By kind, when the last request ended, in Unix seconds."""
    shared: SharedResults = field(init=False)
    health: Health = field(init=False)
    began: float = field(default_factory=stopwatch)
    """The stopwatch time at which discovery began."""

    def __post_init__(self) -> None:
        self.shared = SharedResults(self.clock)
        self.health = Health(self.clock, self._answers_plainly)

    def alone(self) -> Run:
        """The same run for one check alone: it shares no client, grant or result with the other checks."""
        twin = replace(self, pool=TokenPool(), grant_pools={}, begun=[])
        twin.health = self.health
        return twin

    @property
    def time_left(self) -> float:
        """Real seconds until the run reaches its longest duration."""
        return max(0.0, self.budget.longest - (stopwatch() - self.began))

    async def _answers_plainly(self) -> bool:
        url, within = self.server.discovered.metadata_url, min(ASKED_WITHIN, self.wire.timeout)
        try:
            answer = await self.wire.send("GET", url, check=HEALTH, within=within)
        except NoAnswerError:
            return False
        return answer.status < 500

    def has_begun(self, attempt: Attempt) -> None:
        """Keep a login that reached the upstream, for checks that compare several logins."""
        if attempt.upstream_url is not None and attempt not in self.begun:
            self.begun.append(attempt)
