"""Verbs for requests that arrive at one moment, whatever they ask for."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Self

from oauth_litmus.client.probing import LentGrantVerbs
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.wire import Gate


class BurstVerbs(LentGrantVerbs):
    """What many clients at one address do together."""

    async def at_once(self, count: int, act: Callable[[Self], Awaitable[Answer]]) -> list[Answer]:
        """Have so many requests arrive at one moment; the answers, without those of connections that were not served.

        Raises:
            Blocked: no connection was served.
        """

        async def one(gate: Gate) -> Answer | Blocked:
            try:
                return await act(self._through(gate))
            except Blocked as error:
                return error

        ended = await self._released_together(count, one)
        answers = [answer for answer in ended if not isinstance(answer, Blocked)]
        if not answers:
            raise Blocked(f"none of {count} simultaneous connections was served")
        return answers

    def _through(self, gate: Gate) -> Self:
        twin = copy.copy(self)
        twin.gate = gate
        return twin
