"""Requests that arrive at one moment: races for one code, token or callback, and bursts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from oauth_litmus.http.wire import Gate
from oauth_litmus.limits.rates import Kind
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    from oauth_litmus.client.callbacks import Callbacks
    from oauth_litmus.client.session import Session
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.limits.pacer import Race
    from oauth_litmus.oauth.attempt import Attempt

from contextlib import asynccontextmanager

T = TypeVar("T")


@dataclass(frozen=True)
class Races:
    """Lets requests of one check arrive together.

    All but the last byte of each request is sent, then the last bytes together.
    """

    session: Session
    callbacks: Callbacks

    async def at_token_endpoint(
        self, racers: int, prepare: Callable[[], Awaitable[T]], act: Callable[[T, Gate], Awaitable[Answer]]
    ) -> tuple[T, list[Answer]]:
        """Race token requests for one grant. Returns the prepared grant and the answers.

        Most racers fail, and a limiter counts failures. `prepare` therefore makes the grant only when the limit on failures
        has room for all of them, or at a source address of its own.
        """
        async with self._reserved(Kind.TOKEN, racers) as (race, racers, answers):
            prepared = await prepare()
            await race.begins()
            answers += await released_together(racers, lambda gate: act(prepared, gate))
        return prepared, answers

    async def of_callbacks(
        self, wanted: int, prepare: Callable[[int], Awaitable[Sequence[Attempt]]]
    ) -> tuple[Sequence[Attempt], list[Attempt]]:
        """Deliver held callbacks at one moment. Returns the held attempts and their outcomes, in the same order.

        `prepare` gets the number that a limit allows, and holds as many callbacks. A callback has no body whose last byte
        could wait, so the connections are opened first and the requests are then released together.
        """
        async with self._reserved(Kind.CALLBACK, wanted) as (race, racers, answers):
            ended: dict[int, Attempt] = {}
            held = await prepare(racers)
            await race.begins()
            lined_up = iter(range(len(held)))
            # The requests after the callback belong to the race too: paced, they would wait for each other.
            session = self.session.unpaced()
            authorization = replace(self.callbacks.authorization, session=session)
            callbacks = replace(self.callbacks, session=session, authorization=authorization)

            async def deliver(gate: Gate) -> Answer:
                number = next(lined_up)
                ended[number] = await callbacks.deliver(held[number], via=gate)
                return ended[number].answers[0]

            answers += await released_together(len(held), deliver)
        return held, [ended[number] for number in sorted(ended)]

    @asynccontextmanager
    async def _reserved(self, kind: Kind, wanted: int) -> AsyncGenerator[tuple[Race, int, list[Answer]]]:
        """Room for a race, how many racers fit, and a list for their answers. The check is urgent meanwhile."""
        session = self.session
        if session.server.separate_sources:
            session.source = session.run.sources()
        pacer, rank = session.run.pacer, session.rank
        racers = pacer.most_at_once(kind, session.source, wanted)
        race = await pacer.before_race(kind, session.source, racers, rank=rank)
        answers: list[Answer] = []
        session.become_urgent()  # the room is reserved now, and other checks wait for it
        try:
            yield race, racers, answers
        finally:
            race.is_over(answers)
            session.rank = rank

    async def burst(self, count: int, act: Callable[[Gate], Awaitable[Answer]]) -> list[Answer]:
        """Send requests that arrive at one moment. Returns the answers, without connections that were not served.

        Raises:
            Blocked: no connection was served.
        """

        async def one(gate: Gate) -> Answer | Blocked:
            try:
                return await act(gate)
            except Blocked as error:
                return error

        ended = await released_together(count, one)
        answers = [answer for answer in ended if not isinstance(answer, Blocked)]
        if not answers:
            raise Blocked(f"none of {count} simultaneous connections was served")
        return answers


async def released_together(racers: int, act: Callable[[Gate], Awaitable[T]]) -> list[T]:
    """Start as many requests, and open their gates together once all have arrived there."""
    waiting = racers
    all_arrived = asyncio.Event()

    def arrived() -> None:
        nonlocal waiting
        waiting -= 1
        if waiting == 0:
            all_arrived.set()

    gates = [Gate(arrived) for _ in range(racers)]
    requests = [asyncio.ensure_future(act(gate)) for gate in gates]
    starting = asyncio.ensure_future(all_arrived.wait())
    try:
        # A request that is answered before it reaches the gate must not hold the others up.
        await asyncio.wait([starting, *requests], return_when=asyncio.FIRST_COMPLETED)
        for gate in gates:
            gate.released.set()
        return list(await asyncio.gather(*requests))
    finally:
        for task in (starting, *requests):
            task.cancel()
