"""Manual logins: choose the checks for which a person logs in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.check import Need
from oauth_litmus.http.transcript import PREFLIGHT
from oauth_litmus.login.manual import ManualDriver
from oauth_litmus.verdict import Skipped
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oauth_litmus.check import Check
    from oauth_litmus.run_state.run import Run

# In order of their power to find bugs in real servers. All other checks follow, core checks first.
MOST_VALUABLE = (
    "REPLAY-10", "REPLAY-04", "REPLAY-07", "REPLAY-08", "REDIR-02", "REDIR-05", "REDIR-06", "REDIR-07", "REDIR-23",
    "SCOPE-03", "SCOPE-05", "SCOPE-06", "BEARER-08", "BEARER-13", "PKCE-04", "PKCE-06", "PKCE-08", "PKCE-12",
    "REDIR-17", "AUTHZ-03", "EXPIRY-02", "EXPIRY-05", "EXPIRY-13", "ISS-01", "REVOKE-04", "REVOKE-05", "REVOKE-02",
)  # fmt: skip
_NEEDS_A_LOGIN = frozenset({Need.LOGIN, Need.ACCESS_TOKEN, Need.REFRESH})
_FURTHER = 5
"""For how many further values of --max-logins the user is told what they would unlock."""


def every_possible_asker(checks: Iterable[str]) -> frozenset[str]:
    """Return the preflight and all checks, which may ask for a login until `ask_for_logins` has chosen."""
    return frozenset({PREFLIGHT, *checks})


def logins_of(check: Check) -> int:
    """Return how many logins a person must perform for a check; 0 if it needs none."""
    return max(1, check.logins) if check.needs & _NEEDS_A_LOGIN else 0


def worth_asking_for(checks: Iterable[Check], logins: int) -> frozenset[str]:
    """Return the ids of the most valuable checks that fit into this number of logins."""
    chosen: set[str] = set()
    for check in _by_value(checks):
        if 0 < logins_of(check) <= logins:
            chosen.add(check.id)
            logins -= logins_of(check)
    return frozenset(chosen)


def asked_for(checks: Iterable[Check], max_logins: int) -> list[str]:
    """Return one line for each check that a person logs in for, and one for each further login that would unlock checks."""
    checks = _by_value(check for check in checks if logins_of(check))
    chosen = worth_asking_for(checks, max_logins - 1)
    lines = [
        f"A person is asked for at most {counted(max_logins, 'login')} (--max-logins): login 1 tests that logins work"
    ]
    if max_logins < 1:
        lines = ["No person is asked to log in (--max-logins 0); the first login would test that logins work"]
    for check in checks:
        if check.id in chosen:
            lines.append(f"    {counted(logins_of(check), 'login')} for {check.id}, {check.requirement.title}")
    for total in range(max_logins + 1, max_logins + 1 + _FURTHER):
        before, now = worth_asking_for(checks, total - 2), worth_asking_for(checks, total - 1)
        if now - before:
            given_up = f", in place of {_listed(before - now)}" if before - now else ""
            lines.append(f"    --max-logins {total} would unlock {_listed(now - before)}{given_up}")
    everything = 1 + sum(map(logins_of, checks))
    if everything > max_logins:
        unlocked = "the one check" if len(checks) == 1 else f"all {len(checks)} checks"
        lines.append(f"    --max-logins {everything} would unlock {unlocked} that a person can log in for")
    return lines


def ask_for_logins(run: Run, checks: Iterable[Check], *, reserved: int = 0) -> None:
    """Choose the checks for which a person logs in, with the logins of --max-logins that are neither used nor reserved."""
    if isinstance(run.driver, ManualDriver):
        run.by_hand = worth_asking_for(checks, run.driver.max_logins - run.driver.done - reserved) | {PREFLIGHT}


def _by_value(checks: Iterable[Check]) -> list[Check]:
    order = {identifier: number for number, identifier in enumerate(MOST_VALUABLE)}
    return sorted(checks, key=lambda check: (order.get(check.id, len(order)), not check.requirement.core))


def _listed(checks: Iterable[str]) -> str:
    return ", ".join(sorted(checks))


def not_asked_for(check: Check, run: Run) -> Skipped | None:
    """Return why no person is asked to log in for this check; None if a person is, or if the driver is not `manual`."""
    if not run.by_hand or not logins_of(check) or check.id in run.by_hand:
        return None
    wanted = f"{logins_of(check)} more logins" if logins_of(check) > 1 else "one more login"
    return Skipped(f"needs {wanted} by hand: --max-logins is used up by the first login and by more valuable checks")
