"""Expiry as seen from outside: when to send a request before or after it, and whether the request was on time."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.oauth.grants import Code
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.grants import Tokens

GUARD = 2.0
"""Seconds to keep from an expiry, before and after it: stores count and sweep in whole seconds."""
RESOLUTION = 1.0
"""Seconds by which a lifetime may end early on a server that counts whole seconds."""
_ROUND_TRIPS = 3


@dataclass(frozen=True)
class Boundary:
    """An expiry that lies between two instants of the run's clock, in Unix seconds.

    The server issues a grant at some moment between a request and its answer, so the expiry lies in a span of the same
    length. With a lifetime, the clocks of the suite and the server need not agree. An `exp` is an instant of the server's
    clock; the server's Date converts it.
    """

    earliest: float
    latest: float
    guard: float = GUARD

    @classmethod
    def of(cls, begun: Answer | Code, lifetime: float) -> Boundary:
        """Compute when a code, or a grant issued with an answer, expires; `lifetime` is in seconds."""
        sent, received = instants_of(begun)
        return cls(sent + lifetime, received + lifetime, max(GUARD, _ROUND_TRIPS * (received - sent)))

    @classmethod
    def of_instant(cls, instant: float, seen: Answer) -> Boundary:
        """Convert an instant of the server's clock by the Date of an answer; without a Date, assume that the clocks agree."""
        offset = clock_offset(seen)
        slowest, fastest = offset or (0.0, 0.0)
        round_trip = seen.received_at - seen.sent_at
        return cls(instant - fastest, instant - slowest, max(GUARD, _ROUND_TRIPS * round_trip))

    @classmethod
    def of_access_token(cls, tokens: Tokens, leeway: float = 0.0) -> Boundary:
        """Compute when an access token expires, by `expires_in` or else by its `exp`, plus a leeway in seconds.

        Raises:
            Skipped: the token has neither.
        """
        if tokens.expires_in is not None:
            return cls.of(tokens.answer, tokens.expires_in + leeway)
        return cls.of_instant(tokens.ends_at + leeway, tokens.answer)

    @property
    def before(self) -> float:
        """When to send a request that must arrive before expiry."""
        return self.earliest - self.guard

    @property
    def after(self) -> float:
        """When to send a request that must arrive after expiry."""
        return self.latest + self.guard

    def note(self, answer: Answer) -> None:
        """Add to the verdict how far from expiry this request was sent, its round trip, and the clock offset."""
        expect.measured(
            answer,
            f"sent {_distance(answer.sent_at, self.earliest, self.latest)}, "
            f"round trip {answer.received_at - answer.sent_at:.3f} s, {offset_in_words(answer)}",
        )

    def before_its_end(self, answer: Answer, *, held: bool, early_by: float = RESOLUTION) -> None:
        """Stop the check if a refusal does not prove early expiry, because the request may have arrived too late.

        A success is always conclusive.

        Args:
            answer: the answer to a request that had to arrive before expiry.
            held: whether the server accepted the request.
            early_by: seconds by which the lifetime may end early; the answer must have arrived so long before expiry.

        Raises:
            Blocked: the request waited in a queue or its answer was slow, so the request may have arrived too late.
        """
        self.note(answer)
        if not held and answer.received_at > self.earliest - early_by:
            raise Blocked(
                "the request had to arrive before expiry but may have come after it: "
                f"sent {_distance(answer.sent_at, self.earliest, self.latest)}, "
                f"answered {_distance(answer.received_at, self.earliest, self.latest)}",
                (answer.number,),
            )

    def after_its_end(self, answer: Answer) -> None:
        """Stop the check if a success does not prove late expiry, because the request was sent too early.

        Raises:
            Blocked: the clocks now show that the request was sent before expiry.
        """
        self.note(answer)
        if answer.sent_at < self.latest:
            raise Blocked(
                "the request had to be sent after expiry but may have come before it: "
                f"sent {_distance(answer.sent_at, self.earliest, self.latest)}",
                (answer.number,),
            )


def instants_of(begun: Answer | Code) -> tuple[float, float]:
    """When the issuing request was sent, and when its answer arrived, in Unix seconds."""
    if isinstance(begun, Code):
        return begun.issued_after, begun.issued_before
    return begun.sent_at, begun.received_at


def clock_offset(answer: Answer) -> tuple[float, float] | None:
    """The least and the greatest number of seconds by which the server's clock is ahead of ours; None without a Date.

    A Date has whole seconds (RFC 9110 section 6.6.1), and the server wrote it at some moment of the exchange. Servers
    render the Date once a second, so it may be one more second old.
    """
    try:
        told = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
    return told - answer.received_at, told + 2 * RESOLUTION - answer.sent_at


def offset_in_words(answer: Answer) -> str:
    """The clock offset of the server, in words."""
    offset = clock_offset(answer)
    if offset is None:
        return "clock offset unknown (no Date)"
    return f"clock offset of the server between {offset[0]:+.1f} and {offset[1]:+.1f} s"


def _distance(instant: float, earliest: float, latest: float) -> str:
    if instant < earliest:
        return f"{earliest - instant:.3f} s before expiry"
    if instant > latest:
        return f"{instant - latest:.3f} s after expiry"
    return "at expiry"
