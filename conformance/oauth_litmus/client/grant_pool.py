"""A pool that gives one valid grant to several probes, so that one login serves many of them."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client.session import Session


class Prober(Protocol):
    """The client of a check that probes."""

    @property
    def session(self) -> Session:
        """The access of the check to the server."""
        ...


P = TypeVar("P", bound=Prober)
G = TypeVar("G")
R = TypeVar("R")
MOST_PROBES = 12
"""Probes that share a grant before the pool proves that it was valid all along."""
LONGEST = 20.0
"""Seconds for which probes share a grant before the pool proves it. Codes expire soon."""


@dataclass(frozen=True)
class Proof(Generic[G]):
    """The result of using a grant correctly."""

    valid: bool
    successor: G | None = None
    """A new grant that came of it, which later probes can share."""


@dataclass
class _Waiting(Generic[P, G, R]):
    prober: P
    probe: Callable[[G], Awaitable[R]]
    seen: asyncio.Future[tuple[G, R]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class GrantPool(Generic[P, G, R]):
    """Gives valid grants to probes that a server ought to refuse.

    A refusal proves something only if the grant was valid. A fresh grant is. A grant that earlier probes have tried is proved
    afterwards: the pool uses it correctly once. A server may end a grant at the first failed attempt (OAuth 2.1 section
    4.1.3); each probe then gets a fresh grant. So does a probe that got something, because an earlier probe may have caused
    that.
    """

    def __init__(
        self,
        make: Callable[[P], Awaitable[G]],
        prove: Callable[[P, G], Awaitable[Proof[G]]],
        is_granted: Callable[[R], bool],
        longest: float = LONGEST,
    ) -> None:
        self._make = make
        self._prove = prove
        self._granted = is_granted
        self._longest = longest
        self._waiting: deque[_Waiting[P, G, R]] = deque()
        self._turn = asyncio.Lock()
        self._survives = True
        self._next: tuple[float, G] | None = None

    async def probe(self, prober: P, *probes: Callable[[G], Awaitable[R]]) -> list[tuple[G, R]]:
        """Send each probe with a valid grant. Returns for each the grant and its result.

        Probes that are passed together need fewer grants than probes one after the other.

        Raises:
            Blocked: no grant could be obtained (and any other exception that a probe raises).
        """
        mine = [_Waiting(prober, probe) for probe in probes]
        self._waiting.extend(mine)
        try:
            await prober.session.run.clock.for_result_of(self._turn.acquire())
            try:
                for one in mine:
                    if not one.seen.done():
                        self._waiting.remove(one)
                        await self._serve(one)
            finally:
                self._turn.release()
        finally:
            for one in mine:  # a check that has ended sends no more probes
                if one in self._waiting:
                    self._waiting.remove(one)
        return [one.seen.result() for one in mine]

    async def _serve(self, first: _Waiting[P, G, R]) -> None:
        """Send the first probe with a fresh grant, and waiting probes with the same grant; then prove the grant."""
        session = first.prober.session
        grant = await self._fresh(first.prober)
        since = session.now()
        if await self._is_granted(first, grant) is not False or not self._survives:
            return
        doubtful: list[tuple[_Waiting[P, G, R], R]] = []
        while self._waiting and len(doubtful) < MOST_PROBES and session.now() - since < self._longest:
            other = self._waiting.popleft()
            answers = await _probed(other, grant)
            if answers is None:
                continue
            if self._granted(answers):
                self._waiting.appendleft(other)
                _settle(grant, doubtful)
                return
            doubtful.append((other, answers))
        if not doubtful:
            return
        try:
            proof = await self._prove(first.prober, grant)
        except Blocked:
            proof = Proof[G](valid=False)
        if proof.valid:
            self._next = None if proof.successor is None else (session.now(), proof.successor)
            _settle(grant, doubtful)
        else:
            self._survives = False
            self._waiting.extendleft(other for other, _ in reversed(doubtful))

    async def _fresh(self, prober: P) -> G:
        kept, self._next = self._next, None
        if kept is not None and prober.session.now() - kept[0] < self._longest:
            return kept[1]
        return await self._make(prober)

    async def _is_granted(self, first: _Waiting[P, G, R], grant: G) -> bool | None:
        """Whether the first probe got something with a fresh grant; None if the probe failed."""
        answers = await _probed(first, grant)
        if answers is None:
            return None
        first.seen.set_result((grant, answers))
        return self._granted(answers)


async def _probed(waiting: _Waiting[P, G, R], grant: G) -> R | None:
    """Send one probe in the name of its check. If it raises, its check gets the exception and the result is None."""
    try:
        return await asyncio.create_task(_run(waiting, grant), name=waiting.prober.session.check)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        waiting.seen.set_exception(error)
        waiting.seen.exception()  # a check with several probes reads only the first exception
        return None


async def _run(waiting: _Waiting[P, G, R], grant: G) -> R:
    return await waiting.probe(grant)


def _settle(grant: G, proved: list[tuple[_Waiting[P, G, R], R]]) -> None:
    for waiting, answers in proved:
        waiting.seen.set_result((grant, answers))
