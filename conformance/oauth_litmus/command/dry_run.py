"""The dry run: say what a run would do, as far as that is known before the first login, without registering a client."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from oauth_litmus.check import Need
from oauth_litmus.login.manual import ManualDriver
from oauth_litmus.run.confirmation import MOST
from oauth_litmus.run.logins_by_hand import ask_for_logins, asked_for
from oauth_litmus.run.plan import announcement_of_bursts, cannot_judge
from oauth_litmus.run.preflight import Readiness
from oauth_litmus.run.tidying import TIDIED_WITHIN
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped, Verdict
from oauth_litmus.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oauth_litmus.check import Check
    from oauth_litmus.run_state.run import Run

PREFLIGHT_LOGINS = 1


@dataclass(frozen=True)
class Plan:
    """The checks that would run, and their cost in logins and time."""

    runnable: tuple[Check, ...]
    left_out: dict[str, tuple[Check, ...]]
    """The checks that would not run, by reason."""
    after_login: tuple[Check, ...]
    """The runnable checks that the first login may show to be not applicable."""
    logins: int
    longest_wait: float
    """Seconds."""
    by_hand: tuple[str, ...] = ()
    """The logins that a person will be asked for, line by line."""


def asked_of_a_person(checks: Sequence[Check], run: Run) -> list[str]:
    """Describe, before the first login, the logins that the driver `manual` asks a person for; empty for other drivers."""
    if not isinstance(run.driver, ManualDriver):
        return []
    return asked_for([check for check in checks if _obstacle(check, run) is None], run.driver.max_logins)


def plan_of(checks: Sequence[Check], run: Run) -> Plan:
    """Plan these checks against the discovered server."""
    by_hand = tuple(asked_of_a_person(checks, run))
    ask_for_logins(run, [check for check in checks if _obstacle(check, run) is None], reserved=PREFLIGHT_LOGINS)
    runnable: list[Check] = []
    left_out: defaultdict[str, list[Check]] = defaultdict(list)
    open_questions: list[Check] = []
    for check in checks:
        reason = _obstacle(check, run)
        if reason is None:
            runnable.append(check)
            if check.needs & {Need.RELAY, Need.REFRESH, Need.JWT_ACCESS_TOKENS}:
                open_questions.append(check)
        else:
            left_out[f"{_verdict(reason)}: {reason}"].append(check)
    logins = sum(check.logins for check in runnable)
    return Plan(
        runnable=tuple(runnable),
        left_out={reason: tuple(those) for reason, those in left_out.items()},
        after_login=tuple(open_questions),
        logins=logins + PREFLIGHT_LOGINS if logins else 0,
        longest_wait=max((check.waits(run.server) for check in runnable if check.waits), default=0.0),
        by_hand=by_hand,
    )


def _obstacle(check: Check, run: Run) -> Skipped | NotApplicable | Blocked | None:
    needs = check.needs
    if run.driver.walks:
        # Only the first login shows whether there is an upstream login.
        needs = frozenset(Need.LOGIN if need is Need.RELAY else need for need in needs)
    return cannot_judge(replace(check, needs=needs), run, Readiness())


def _verdict(reason: Skipped | NotApplicable | Blocked) -> Verdict:
    match reason:
        case Skipped():
            return Verdict.SKIP
        case NotApplicable():
            return Verdict.NOT_APPLICABLE
        case Blocked():
            return Verdict.BLOCKED


def _confirmation(run: Run) -> list[str]:
    if not run.budget.confirm:
        return []
    return [
        f"Each red result is judged once more, alone: at most {counted(MOST, 'check')}, within the limits (--no-confirm)."
    ]


def plan_lines(plan: Plan, run: Run) -> list[str]:
    """Describe the plan in lines of text."""
    found = run.server.discovered
    lines = [
        f"issuer {found.issuer}, metadata at {found.metadata_url}",
        f"{counted(len(plan.runnable), 'check')} would run, {sum(map(len, plan.left_out.values()))} would not.",
        f"About {counted(plan.logins, 'login')} ({run.driver.name}); the longest wait is {plan.longest_wait:.0f} s.",
        f"The run ends within {run.budget.longest + TIDIED_WITHIN:.0f} s in any case (--max-time).",
        *_confirmation(run),
        *plan.by_hand,
        "",
        f"Would run: {', '.join(check.id for check in plan.runnable) or 'nothing'}",
    ]
    if plan.after_login:
        lines.append(
            f"Whether these checks apply is known after the first login: {', '.join(c.id for c in plan.after_login)}"
        )
    bursts = announcement_of_bursts(plan.runnable, run)
    if bursts:
        lines.append(bursts)
    for reason, checks in plan.left_out.items():
        lines += ["", reason, f"    {', '.join(check.id for check in checks)}"]
    return lines
