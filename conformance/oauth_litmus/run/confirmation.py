"""Confirmation: a check with a red result runs once more, alone, before the result is reported.

Many checks at the same time can overload a server, and can meet each other through it. A refusal, a server error, a time-out or a
missing effect counts only if it comes again while nothing else runs. Tokens, a code or foreign data that a check obtained count in
any case: no load makes a correct server give them away.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from oauth_litmus.clock import stopwatch
from oauth_litmus.run.logins_by_hand import logins_of
from oauth_litmus.run.results import Result, all_dependencies
from oauth_litmus.verdict import Decision, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping

    from oauth_litmus.check import Check
    from oauth_litmus.http.transcript import Exchange, Transcript
    from oauth_litmus.run_state.run import Run

MOST = 40
"""How many checks of one run are confirmed at most. On a server where more is red, each is seldom an accident of load."""
SAME_OBSTACLE = 2
"""After so many checks that are BLOCKED alone for one reason, the other checks with this reason are not tried."""
LEAST_TIME = 300.0
"""Real seconds that confirmation may take in any case. Beyond that, it may take as long as all checks together took before it."""
_CHANGES_STATE = ("POST ", "PUT ", "PATCH ", "DELETE ")


class Confirmation:
    """Judges doubtful results once more. Each check gets a client, logins and grants of its own."""

    def __init__(self, run: Run, judge: Callable[[Check, Run], Awaitable[Result]]) -> None:
        """Take `judge`, which runs one check as part of a run and returns its result."""
        self._run = run
        self._judge = judge
        self._done = 0
        self._obstacles: Counter[str] = Counter()
        began = stopwatch()
        self._ends = began + max(LEAST_TIME, began - run.began)

    async def confirmed(self, results: Mapping[str, Result], doubtful: Iterable[str]) -> AsyncGenerator[Result]:
        """Yield the final result of each doubtful one. The caller puts it into `results` before it asks for the next one."""
        for identifier in _in_order(results, doubtful):
            first = results[identifier]
            if any(
                results[other].verdict is Verdict.FAIL for other in all_dependencies(first.check) if other in results
            ):
                yield first  # it becomes BLOCKED by that failure
                continue
            why = self._obstacle(first)
            yield replace(first, unconfirmed=why) if why else await self._once_more(first)

    async def _once_more(self, first: Result) -> Result:
        self._done += 1
        transcript, mark = self._run.transcript, self._run.transcript.count
        alone = await self._judge(first.check, self._run.alone())
        if alone.verdict is Verdict.BLOCKED:
            self._obstacles[_without_numbers(alone.decision.reason)] += 1
        if not alone.exchanges:
            again = [exchange for exchange in transcript.of(first.check.id) if exchange.number > mark]
            alone = replace(alone, exchanges=_counterparts(transcript.numbered(first.exchanges), again))
        own = all(exchange.check == first.check.id for exchange in transcript.numbered(first.exchanges))
        return weighed(first, alone, shared=not own)

    def _obstacle(self, first: Result) -> str:
        """Why this result cannot be confirmed; empty if it can."""
        run = self._run
        if run.health.stopped:
            return run.health.stopped
        if run.by_hand and logins_of(first.check):
            return "a person would have to log in once more"
        if self._done >= MOST:
            return f"{MOST} other checks were confirmed, which is the most for one run"
        if stopwatch() > self._ends:
            return "the time for confirmation was used up by other checks"
        tried = self._obstacles[_without_numbers(first.decision.reason)]
        if first.verdict is Verdict.BLOCKED and tried >= SAME_OBSTACLE:
            return f"{tried} checks with the same reason were blocked alone too"
        return ""


def is_doubtful(result: Result, transcript: Transcript) -> bool:
    """Whether a result among other checks must come again when the check runs alone.

    That is every FAIL, BLOCKED and ERROR, and a WARN of a check that changed the state of the server.
    """
    if result.verdict is not Verdict.WARN:
        return result.verdict.is_red
    own = any(finding.told_by in ("", result.check.id) for finding in result.findings)
    return own and any(e.request.startswith(_CHANGES_STATE) for e in transcript.of(result.check.id))


def weighed(first: Result, alone: Result, *, shared: bool) -> Result:
    """Decide between the result among other checks (`first`) and the result of the same check alone.

    Args:
        first: the result among other checks.
        alone: the result of the check alone.
        shared: whether the findings of `first` rest on exchanges that another check caused.
    """
    if alone.verdict is first.verdict:
        return alone
    if first.verdict in (Verdict.FAIL, Verdict.WARN) and not alone.verdict.was_judged:
        return replace(first, unconfirmed=f"alone, the check was {alone.verdict}: {alone.decision.reason}")
    if any(finding.obtained for finding in first.findings) and not shared and alone.verdict is not Verdict.FAIL:
        reason = f"{first.decision.reason}; it did not come again when the check ran alone"
        return replace(first, decision=Decision(first.verdict, reason))
    return replace(alone, seen_under_load=first)


def _in_order(results: Mapping[str, Result], doubtful: Iterable[str]) -> list[str]:
    """Red results before WARNs, and each check after those that it depends on."""
    return sorted(doubtful, key=lambda each: (not results[each].verdict.is_red, _depth(results[each])))


def _depth(result: Result) -> int:
    return len(all_dependencies(result.check))


def _without_numbers(reason: str) -> str:
    return "".join(character for character in reason if not character.isdigit())


def _counterparts(cited: Iterable[Exchange], again: Iterable[Exchange]) -> tuple[int, ...]:
    """For each cited exchange, the number of the last exchange of the other run with the same method and path."""
    last = {_asked(exchange): exchange.number for exchange in again}
    numbers = (last.get(_asked(exchange)) for exchange in cited)
    return tuple(dict.fromkeys(number for number in numbers if number is not None))


def _asked(exchange: Exchange) -> str:
    return exchange.request.partition("\n")[0].partition("?")[0]
