"""The end of a lifetime as it can be known from outside: when to ask on either side of it, and whether that was met."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.oauth.authorization import Code
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.authorization import Tokens

GUARD = 2.0
"""Seconds on either side of an end: stores count and sweep in whole seconds."""
RESOLUTION = 1.0
"""Seconds by which a server that counts whole seconds may end a lifetime early."""
_ROUND_TRIPS = 3


@dataclass(frozen=True)
class Boundary:
    """An end that lies between two instants of the run's clock, in Unix seconds.

    What began somewhere between a request and its answer ends somewhere in a span of the same length. Lifetimes need no
    agreement between our clock and the server's; an `exp`, which is an instant of the server's, is read by its Date.
    """

    earliest: float
    latest: float
    guard: float = GUARD

    @classmethod
    def of(cls, begun: Answer | Code, lifetime: float) -> Boundary:
        """The end of what was issued with this answer, or of this code, and lives so many seconds."""
        sent, received = instants_of(begun)
        return cls(sent + lifetime, received + lifetime, max(GUARD, _ROUND_TRIPS * (received - sent)))

    @classmethod
    def of_instant(cls, instant: float, seen: Answer) -> Boundary:
        """An instant of the server's clock, as its answer tells the time; without a Date the clocks are taken to agree."""
        offset = clock_offset(seen)
        slowest, fastest = offset or (0.0, 0.0)
        round_trip = seen.received_at - seen.sent_at
        return cls(instant - fastest, instant - slowest, max(GUARD, _ROUND_TRIPS * round_trip))

    @classmethod
    def of_access_token(cls, tokens: Tokens, leeway: float = 0.0) -> Boundary:
        """The end of an access token, as `expires_in` promises or else as its `exp` says, and a leeway after it.

        Raises:
            Skipped: neither tells.
        """
        if tokens.expires_in is not None:
            return cls.of(tokens.answer, tokens.expires_in + leeway)
        return cls.of_instant(tokens.ends_at + leeway, tokens.answer)

    @property
    def before(self) -> float:
        """When to send what must arrive before the end."""
        return self.earliest - self.guard

    @property
    def after(self) -> float:
        """When to send what must arrive after the end."""
        return self.latest + self.guard

    def note(self, answer: Answer) -> None:
        """Have the verdict state how this answer lies to the end: instants, round trip and clock offset."""
        expect.measured(
            answer,
            f"sent {_distance(answer.sent_at, self.earliest, self.latest)}, "
            f"round trip {answer.received_at - answer.sent_at:.3f} s, {offset_in_words(answer)}",
        )

    def before_its_end(self, answer: Answer, *, held: bool, early_by: float = RESOLUTION) -> None:
        """A refusal shows an early end only if the request arrived before it; a success shows what it must in any case.

        Args:
            answer: to what was to arrive before the end.
            held: whether it was taken.
            early_by: seconds by which the server may end it early, so that the answer must have been there before that.

        Raises:
            Blocked: the request stood in a queue, or its answer was slow, so that it may have arrived too late.
        """
        self.note(answer)
        if not held and answer.received_at > self.earliest - early_by:
            raise Blocked(
                "the request was meant to arrive before the end and may have come after it: "
                f"sent {_distance(answer.sent_at, self.earliest, self.latest)}, "
                f"answered {_distance(answer.received_at, self.earliest, self.latest)}",
                (answer.number,),
            )

    def after_its_end(self, answer: Answer) -> None:
        """What is still taken shows a late end only if the request was sent after it.

        Raises:
            Blocked: it was sent too early, as the clocks show now.
        """
        self.note(answer)
        if answer.sent_at < self.latest:
            raise Blocked(
                "the request was meant to be sent after the end and may have come before it: "
                f"sent {_distance(answer.sent_at, self.earliest, self.latest)}",
                (answer.number,),
            )


def instants_of(begun: Answer | Code) -> tuple[float, float]:
    """When the request was sent by which something began, and when its answer was there, in Unix seconds."""
    if isinstance(begun, Code):
        return begun.issued_after, begun.issued_before
    return begun.sent_at, begun.received_at


def clock_offset(answer: Answer) -> tuple[float, float] | None:
    """By how many seconds the server's clock is ahead of ours, at the least and at the most; None without a Date.

    A Date tells whole seconds (RFC 9110 section 6.6.1), and the answer was made at some moment of the exchange. Servers
    render the Date once a second, so that it may be another second old.
    """
    try:
        told = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return told - answer.received_at, told + 2 * RESOLUTION - answer.sent_at


def offset_in_words(answer: Answer) -> str:
    """How the server's clock stands to ours."""
    offset = clock_offset(answer)
    if offset is None:
        return "clock offset unknown (no Date)"
    return f"clock offset of the server between {offset[0]:+.1f} and {offset[1]:+.1f} s"


def _distance(instant: float, earliest: float, latest: float) -> str:
    if instant < earliest:
        return f"{earliest - instant:.3f} s before the end"
    if instant > latest:
        return f"{instant - latest:.3f} s after the end"
    return "at the end"
