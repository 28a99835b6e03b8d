"""Conditions that several checks of the login require: no code, and a login that has not expired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.oauth.attempt import Attempt

_GUARD = 1.0


def no_code(attempt: Attempt, because: str) -> None:
    """Require that a callback gives no code. A status 500 in place of a refusal is only a WARN."""
    expect.that(
        attempt.code is None, obtained=True, expected=f"no code, since {because}", got="a code", at=attempt.answers
    )
    expect.conclusive(attempt.last) if attempt.last.status in (429, 504) else None
    server_error = attempt.response is None and attempt.last.status == 500
    expect.ideally(not server_error, expected="a clean refusal", got=expect.describe(attempt.last), at=attempt.last)


def still_pending(target: Target, begun: Attempt) -> None:
    """Require that a login has not expired by itself: the check would mistake the expiry for an effect of its probe.

    Raises:
        Blocked: the declared lifetime has passed or ends within a second, for example because the suite's own queue was long.
    """
    lifetime = target.server.profile.lifetimes.pending_login
    age = target.now() - begun.answers[0].sent_at
    if lifetime is not None and age > lifetime - _GUARD:
        raise Blocked(
            f"the login took {age:.0f} s, and a pending login expires after {lifetime:g} s: nothing can be judged"
        )
