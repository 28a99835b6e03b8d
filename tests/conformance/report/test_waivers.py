"""Waivers: what they cover, when they fail a run, and what a file must say."""

from datetime import date
from pathlib import Path

import pytest
from reporting import TODAY, ended, failed, report_of

from oauth_litmus.report.model import ExitStatus
from oauth_litmus.report.waivers import State, Waiver, WaiverError, block_to_paste, judge_waivers, load_waivers
from oauth_litmus.verdict import Verdict


def waiver(identifier: str = "PKCE-03", until: date = date(2026, 12, 31)) -> Waiver:
    return Waiver(id=identifier, reason="the vendor mends it in June", until=until)


def state_of(entry: Waiver, verdict: Verdict | None) -> State:
    verdicts = {} if verdict is None else {entry.id: verdict}
    return judge_waivers([entry], verdicts, {"PKCE-03", "PKCE-04"}, TODAY)[0].state


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "waivers.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_waived_failure_is_not_red():
    report = report_of([failed("PKCE-03"), ended("PKCE-01", Verdict.PASS)], waivers=[waiver()])

    assert (report.exit_status, report.waived) == (ExitStatus.NOTHING_RED, 1)
    assert {entry.id: entry.verdict for entry in report.checks}["PKCE-03"] is Verdict.FAIL


def test_what_a_waived_failure_blocks_is_not_red_either():
    blocked = ended("PKCE-12", Verdict.BLOCKED, "not judged, because PKCE-03 failed", blocked_by="PKCE-03")

    report = report_of([failed("PKCE-03"), blocked], waivers=[waiver()])

    assert report.exit_status is ExitStatus.NOTHING_RED


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.WARN, Verdict.NOT_APPLICABLE])
def test_a_waiver_whose_check_no_longer_fails_is_stale(verdict: Verdict):
    assert state_of(waiver(), verdict) is State.STALE


@pytest.mark.parametrize("verdict", [None, Verdict.SKIP, Verdict.BLOCKED, Verdict.ERROR])
def test_a_waiver_whose_check_was_not_judged_is_not_tested(verdict: Verdict | None):
    assert state_of(waiver(), verdict) is State.NOT_TESTED


def test_a_waiver_does_not_cover_what_could_not_be_judged():
    report = report_of([ended("PKCE-03", Verdict.BLOCKED, "three 429 in a row")], waivers=[waiver()])

    assert report.exit_status is ExitStatus.RED


def test_a_waiver_holds_through_its_last_day():
    assert state_of(waiver(until=TODAY), Verdict.FAIL) is State.APPLIED


def test_a_waiver_has_expired_on_the_day_after():
    assert state_of(waiver(until=date(2026, 6, 30)), Verdict.FAIL) is State.EXPIRED


def test_an_expired_waiver_covers_nothing():
    report = report_of([failed("PKCE-03")], waivers=[waiver(until=date(2026, 6, 30))])

    assert report.checks[0].waived is None
    assert [entry.sentence for entry in report.bad_waivers] == [
        "the waiver of PKCE-03 expired on 2026-06-30: fix the server, or set a new date"
    ]


@pytest.mark.parametrize("entry", [waiver("PKCE-01"), waiver("PKCE-99"), waiver(until=date(2026, 1, 1))])
def test_a_stale_unknown_or_expired_waiver_fails_the_run(entry: Waiver):
    report = report_of([ended("PKCE-01", Verdict.PASS)], waivers=[entry])

    assert report.exit_status is ExitStatus.RED
    assert entry.id in report.bad_waivers[0].sentence


def test_the_block_to_paste_is_a_waivers_file_once_reasons_are_written(tmp_path: Path):
    block = block_to_paste([("PKCE-03", 'A "wrong" verifier'), ("PKCE-04", "x")], TODAY)

    waivers = load_waivers(written(tmp_path, block.replace('reason = ""', 'reason = "accepted"')))

    assert [(entry.id, entry.until) for entry in waivers] == [
        ("PKCE-03", date(2026, 9, 29)),
        ("PKCE-04", date(2026, 9, 29)),
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[waiver]", "is not valid TOML"),
        ('[[waiver]]\nid = "PKCE-03"\nuntil = 2027-01-01', r"waiver.#1.reason: Field required"),
        ('[[waiver]]\nid = "PKCE-03"\nreason = "  "\nuntil = 2027-01-01', r"waiver.#1.reason: .*at least 1 character"),
        ('[[waiver]]\nid = "PKCE-03"\nreason = "x"\nuntil = "soon"', r"waiver.#1.until: .*valid date"),
        (
            '[[waiver]]\nid = "PKCE-03"\nreason = "x"\nuntil = 2027-01-01\nwhy = 1',
            r"why: unknown key; .* id, reason, until",
        ),
        ('[[waivers]]\nid = "PKCE-03"', "waivers: unknown key"),
        ('[[waiver]]\nid = "A"\nreason = "x"\nuntil = 2027-01-01\n' * 2, "A is waived twice"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_a_sentence(tmp_path: Path, text: str, sentence: str):
    with pytest.raises(WaiverError, match=sentence):
        load_waivers(written(tmp_path, text))


def test_a_missing_file_is_refused_with_a_sentence(tmp_path: Path):
    with pytest.raises(WaiverError, match=r"cannot read the waivers file .*nowhere.toml"):
        load_waivers(tmp_path / "nowhere.toml")
