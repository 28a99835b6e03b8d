"""Live codes, refresh tokens and logins, lent to one probe after another, so that one login serves many probes."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client.shared_grants import SharedGrantVerbs

G = TypeVar("G")
R = TypeVar("R")
MOST_PROBES = 12
"""Probes of one grant, before it is proved that it was alive all along."""
LONGEST = 20.0
"""Seconds for which a grant is lent before that, as a rule: codes are short-lived."""


@dataclass(frozen=True)
class Proof(Generic[G]):
    """What became of a grant that was used as it is meant to be."""

    alive: bool
    successor: G | None = None
    """A grant that came of it, and can be lent next."""


@dataclass
class _Waiting(Generic[G, R]):
    target: SharedGrantVerbs
    probe: Callable[[G], Awaitable[R]]
    seen: asyncio.Future[tuple[G, R]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Lender(Generic[G, R]):
    """Lends grants to probes that a server ought to refuse.

    A refusal says something only if the grant was alive. A fresh one is; one that was tried before is proved by being
    used properly after the last probe. A server may well end a grant at the first failed try (OAuth 2.1 section 4.1.3):
    then every probe gets a fresh one of its own. So does a probe that was granted something, since it is judged by what
    it did itself, and not by what an earlier one may have left behind.
    """

    def __init__(
        self,
        make: Callable[[SharedGrantVerbs], Awaitable[G]],
        prove: Callable[[SharedGrantVerbs, G], Awaitable[Proof[G]]],
        is_granted: Callable[[R], bool],
        longest: float = LONGEST,
    ) -> None:
        self._make = make
        self._prove = prove
        self._granted = is_granted
        self._longest = longest
        self._waiting: deque[_Waiting[G, R]] = deque()
        self._turn = asyncio.Lock()
        self._survives = True
        self._next: tuple[float, G] | None = None

    async def lend(self, target: SharedGrantVerbs, *probes: Callable[[G], Awaitable[R]]) -> list[tuple[G, R]]:
        """For each probe a grant that was alive, and what became of it.

        Probes that are handed in together need fewer grants than one after the other.

        Raises:
            Blocked: there is no grant to be had, or whatever the probe raises.
        """
        mine = [_Waiting(target, probe) for probe in probes]
        self._waiting.extend(mine)
        try:
            await target.run.clock.for_result_of(self._turn.acquire())
            try:
                for one in mine:
                    if not one.seen.done():
                        self._waiting.remove(one)
                        await self._serve(one)
            finally:
                self._turn.release()
        finally:
            for one in mine:  # of a check that is over nothing is tried any more
                if one in self._waiting:
                    self._waiting.remove(one)
        return [one.seen.result() for one in mine]

    async def _serve(self, first: _Waiting[G, R]) -> None:
        grant = await self._fresh(first.target)
        since = first.target.now()
        if await self._is_granted(first, grant) is not False or not self._survives:
            return
        doubtful: list[tuple[_Waiting[G, R], R]] = []
        while self._waiting and len(doubtful) < MOST_PROBES and first.target.now() - since < self._longest:
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
            proof = await self._prove(first.target, grant)
        except Blocked:
            proof = Proof[G](alive=False)
        if proof.alive:
            self._next = None if proof.successor is None else (first.target.now(), proof.successor)
            _settle(grant, doubtful)
        else:
            self._survives = False
            self._waiting.extendleft(other for other, _ in reversed(doubtful))

    async def _fresh(self, target: SharedGrantVerbs) -> G:
        kept, self._next = self._next, None
        if kept is not None and target.now() - kept[0] < self._longest:
            return kept[1]
        return await self._make(target)

    async def _is_granted(self, first: _Waiting[G, R], grant: G) -> bool | None:
        """Whether a fresh grant brought the first probe something; None if the probe failed."""
        answers = await _probed(first, grant)
        if answers is None:
            return None
        first.seen.set_result((grant, answers))
        return self._granted(answers)


async def _probed(waiting: _Waiting[G, R], grant: G) -> R | None:
    """The answers to one probe, sent in the name of its check; None if it raised, which its check then gets to know."""
    try:
        return await asyncio.create_task(_run(waiting, grant), name=waiting.target.check)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        waiting.seen.set_exception(error)
        waiting.seen.exception()  # one of several that its check asks for: it hears of the first alone
        return None


async def _run(waiting: _Waiting[G, R], grant: G) -> R:
    return await waiting.probe(grant)


def _settle(grant: G, proved: list[tuple[_Waiting[G, R], R]]) -> None:
    for waiting, answers in proved:
        waiting.seen.set_result((grant, answers))
