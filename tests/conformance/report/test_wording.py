"""A number and its noun agree, wherever the suite counts something."""

import io

import pytest
from reporting import ended, engine_with, failed, record, report_of
from rich.console import Console

from oauth_litmus.checks import all_checks
from oauth_litmus.command.dry_run import plan_lines, plan_of
from oauth_litmus.http.transcript import Transcript
from oauth_litmus.report.model import CoreCount
from oauth_litmus.report.progress import watcher
from oauth_litmus.report.terminal import show
from oauth_litmus.run.logins_by_hand import asked_for
from oauth_litmus.run.plan import announcement_of_bursts
from oauth_litmus.run_state.budget import Budget
from oauth_litmus.target.profile import Profile
from oauth_litmus.verdict import Judgement, Level, Verdict, decide
from oauth_litmus.wording import counted


def shown(report):
    console = Console(file=io.StringIO(), width=120, record=True)
    show(report, console)
    return console.export_text()


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 checks"), (1, "1 check"), (2, "2 checks"), (1.0, "1 check"), (1.5, "1.5 checks")]
)
def test_the_noun_follows_the_number(number, said):
    assert counted(number, "check") == said


def test_a_report_of_one_check():
    assert "1 check = 1 PASS" in shown(report_of([ended("PKCE-01", Verdict.PASS)]))


@pytest.mark.parametrize(("number", "said"), [(1, "1 of 9 core checks was not"), (2, "2 of 9 core checks were not")])
def test_a_core_check_that_was_not_judged(number, said):
    report = report_of([ended("PKCE-01", Verdict.PASS)])
    core = CoreCount(total=9, judged=9 - number, not_judged=number, not_selected=0)

    assert said in shown(report.model_copy(update={"core": core}))


def test_one_exchange_that_is_not_shown():
    transcript = Transcript()
    numbers = [record(transcript, "REPLAY-04", "https://auth.example.com/token") for _ in range(4)]
    result = failed("REPLAY-04", "4 successes", *numbers)

    assert "and 1 more exchange, in" in shown(report_of([result], engine=engine_with([result], transcript=transcript)))


def test_progress_of_one_check():
    text = io.StringIO()
    with watcher(Console(file=text, width=100), live=False).begins(1):
        pass

    assert "1 check" in text.getvalue()
    assert "1 checks" not in text.getvalue()


def test_a_dry_run_of_one_check():
    run = engine_with([]).run
    run.budget = Budget(max_wait=90.0)

    lines = "\n".join(plan_lines(plan_of([all_checks()["META-01"]], run), run))

    assert "1 check would run, 0 would not." in lines
    assert "About 0 logins" in lines


def test_a_burst_of_one_check():
    run = engine_with([], profile=Profile(own_server=True)).run
    run.budget = Budget(burst=True)

    assert "--burst: 1 check " in str(announcement_of_bursts([all_checks()["RATE-01"]], run))


def test_one_login_by_hand():
    assert asked_for([all_checks()["REPLAY-07"]], 1)[0].startswith("A person is asked for at most 1 login (")
    assert asked_for([all_checks()["REPLAY-07"]], 1)[-1].endswith(
        "would unlock the one check that a person can log in for"
    )


def test_one_probe_that_was_left_out():
    assert "1 further probe " in decide(Level.MUST, Judgement(judged=1, left_out=1), None).reason
