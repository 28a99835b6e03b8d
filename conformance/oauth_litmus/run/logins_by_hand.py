"""Which checks a person is asked to log in for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.check import Need
from oauth_litmus.http.transcript import PREFLIGHT
from oauth_litmus.login.manual import ManualDriver
from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauth_litmus.check import Check
    from oauth_litmus.run_state.run import Run

# By real-world power to find bugs; what is not named here follows, the core first.
MOST_VALUABLE = (
    "REPLAY-10", "REPLAY-04", "REPLAY-07", "REPLAY-08", "REDIR-02", "REDIR-05", "REDIR-06", "REDIR-07", "REDIR-23",
    "SCOPE-03", "SCOPE-05", "SCOPE-06", "BEARER-08", "BEARER-13", "PKCE-04", "PKCE-06", "PKCE-08", "PKCE-12",
    "REDIR-17", "AUTHZ-03", "EXPIRY-02", "EXPIRY-05", "EXPIRY-13", "ISS-01", "REVOKE-04", "REVOKE-05", "REVOKE-02",
)  # fmt: skip
_NEEDS_A_LOGIN = frozenset({Need.LOGIN, Need.ACCESS_TOKEN, Need.REFRESH})
_FURTHER = 5
"""So many further logins are told of, beside all."""


def everybody(checks: Iterable[str]) -> frozenset[str]:
    """All who may ask for a login before `ask_for_logins` has chosen: the preflight and the checks."""
    return frozenset({PREFLIGHT, *checks})


def logins_of(check: Check) -> int:
    """How many logins a person would do for a check that needs any."""
    return max(1, check.logins) if check.needs & _NEEDS_A_LOGIN else 0


def worth_asking_for(checks: Iterable[Check], logins: int) -> frozenset[str]:
    """The ids of the checks that fit into so many logins, the most valuable first."""
    chosen: set[str] = set()
    for check in _by_value(checks):
        if 0 < logins_of(check) <= logins:
            chosen.add(check.id)
            logins -= logins_of(check)
    return frozenset(chosen)


def asked_for(checks: Iterable[Check], max_logins: int) -> list[str]:
    """What a person will be asked to log in for, and what each further login would unlock, a line each."""
    checks = _by_value(check for check in checks if logins_of(check))
    chosen = worth_asking_for(checks, max_logins - 1)
    lines = [f"A person is asked for at most {max_logins} logins (--max-logins): login 1 shows that logins work"]
    if max_logins < 1:
        lines = ["Nobody is asked to log in (--max-logins 0); the first login would show that logins work"]
    for check in checks:
        if check.id in chosen:
            lines.append(f"    {_logins(logins_of(check))} for {check.id}, {check.requirement.title}")
    for total in range(max_logins + 1, max_logins + 1 + _FURTHER):
        before, now = worth_asking_for(checks, total - 2), worth_asking_for(checks, total - 1)
        if now - before:
            given_up = f", in place of {_listed(before - now)}" if before - now else ""
            lines.append(f"    --max-logins {total} would unlock {_listed(now - before)}{given_up}")
    everything = 1 + sum(map(logins_of, checks))
    if everything > max_logins:
        lines.append(
            f"    --max-logins {everything} would unlock all {len(checks)} checks that a person can log in for"
        )
    return lines


def ask_for_logins(run: Run, checks: Iterable[Check], *, reserved: int = 0) -> None:
    """Choose the checks for which a person is asked to log in: what is left of --max-logins, and not reserved."""
    if isinstance(run.driver, ManualDriver):
        run.by_hand = worth_asking_for(checks, run.driver.max_logins - run.driver.done - reserved) | {PREFLIGHT}


def _by_value(checks: Iterable[Check]) -> list[Check]:
    order = {identifier: number for number, identifier in enumerate(MOST_VALUABLE)}
    return sorted(checks, key=lambda check: (order.get(check.id, len(order)), not check.requirement.core))


def _logins(number: int) -> str:
    return "1 login" if number == 1 else f"{number} logins"


def _listed(checks: Iterable[str]) -> str:
    return ", ".join(sorted(checks))


def not_asked_for(check: Check, run: Run) -> Skipped | None:
    """Why a person is not asked to log in for this check; None if they are, or if nobody asks a person."""
    if not run.by_hand or not logins_of(check) or check.id in run.by_hand:
        return None
    wanted = f"{logins_of(check)} more logins" if logins_of(check) > 1 else "one more login"
    return Skipped(f"needs {wanted} by hand: those of --max-logins go to the first login and to more valuable checks")
