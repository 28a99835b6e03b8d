"""What the checks of the login take for a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.oauth.authorization import Attempt

_GUARD = 1.0


def no_code(attempt: Attempt, because: str) -> None:
    """No code comes of a callback; a server error in its place is imprecise."""
    expect.that(attempt.code is None, expected=f"no code, since {because}", got="a code", at=attempt.answers)
    expect.conclusive(attempt.last) if attempt.last.status in (429, 504) else None
    server_error = attempt.response is None and attempt.last.status == 500
    expect.ideally(not server_error, expected="a clean refusal", got=expect.describe(attempt.last), at=attempt.last)


def still_pending(target: Target, begun: Attempt) -> None:
    """See that a login is not over by itself, whose end would be taken for a consequence of the probe.

    Raises:
        Blocked: what is declared as its lifetime has passed, be it in a queue of the suite's own.
    """
    lifetime = target.server.profile.lifetimes.pending_login
    age = target.now() - begun.answers[0].sent_at
    if lifetime is not None and age > lifetime - _GUARD:
        raise Blocked(f"the login took {age:.0f} s, and a pending login lives {lifetime:g} s: nothing can be judged")
