"""A report holds counts that add up, the exit status and evidence, and no secret."""

import json

import jsonschema
import pytest
from reporting import ISSUER, check, ended, engine_with, failed, record, report_of

from oauth_litmus.checks import all_checks
from oauth_litmus.http.transcript import Transcript
from oauth_litmus.report.json_report import UnwritableReportError, ensure_writable, json_text
from oauth_litmus.report.model import ExitStatus
from oauth_litmus.report.schema import PATH, schema_text
from oauth_litmus.run.preflight import Readiness
from oauth_litmus.target.profile import Profile
from oauth_litmus.verdict import Finding, Severity, Verdict

ONE_OF_EACH = [
    ended("PKCE-01", Verdict.PASS),
    failed("PKCE-03"),
    ended("PKCE-04", Verdict.WARN, "400", Finding(Severity.IMPRECISION, "invalid_grant", "invalid_request")),
    ended("PKCE-05", Verdict.NOT_APPLICABLE, "plain is advertised"),
    ended("PKCE-06", Verdict.SKIP, "needs a login"),
    ended("PKCE-07", Verdict.BLOCKED, "three 429 in a row"),
    ended("PKCE-08", Verdict.ERROR, "ValueError: x"),
]


def test_the_published_schema_is_that_of_the_model():
    assert PATH.read_text("utf-8") == schema_text(), "write it anew: python -m oauth_litmus.report.schema"


def test_a_report_with_every_verdict_is_valid_under_the_schema():
    document = json.loads(json_text(report_of(ONE_OF_EACH)))

    jsonschema.Draft202012Validator(json.loads(PATH.read_text("utf-8"))).validate(document)


def test_the_counts_of_all_verdicts_add_up_to_what_was_selected():
    report = report_of(ONE_OF_EACH)

    assert set(report.counts) == set(Verdict)
    assert sum(report.counts.values()) == report.selected == len(ONE_OF_EACH)


def test_a_core_check_that_was_not_selected_counts_as_not_judged():
    report = report_of([ended("PKCE-01", Verdict.PASS)])

    core = sum(entry.requirement.core for entry in all_checks().values())
    assert (report.core.total, report.core.judged, report.core.not_judged) == (core, 1, core - 1)
    assert report.core.not_selected == core - 1


@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.BLOCKED, Verdict.ERROR])
def test_a_red_verdict_makes_the_exit_status_1(verdict: Verdict):
    report = report_of([ended("PKCE-01", Verdict.PASS), ended("PKCE-03", verdict, "so")])

    assert report.exit_status is ExitStatus.RED


def test_a_run_with_a_warning_ends_with_0():
    assert report_of([ended("PKCE-01", Verdict.WARN, "so")]).exit_status is ExitStatus.NOTHING_RED


def test_a_run_that_judged_nothing_ends_with_3():
    results = [ended("PKCE-01", Verdict.SKIP, "so"), ended("PKCE-03", Verdict.NOT_APPLICABLE, "so")]

    assert report_of(results).exit_status is ExitStatus.NOTHING_JUDGED


def test_an_interrupted_run_ends_with_130_with_or_without_findings():
    engine = engine_with([failed("PKCE-03")])
    engine.interrupt([check("PKCE-03"), check("PKCE-04")])

    report = report_of([failed("PKCE-03"), ended("PKCE-04", Verdict.SKIP)], engine=engine)

    assert (report.exit_status, report.interrupted) == (ExitStatus.INTERRUPTED, True)
    assert "interrupted" in report.checks[1].reason


def test_a_required_check_that_was_skipped_is_red():
    report = report_of([ended("PKCE-01", Verdict.PASS), ended("PKCE-03", Verdict.SKIP, "so")], required=["PKCE-03"])

    assert [entry.id for entry in report.red] == ["PKCE-03"]
    assert report.exit_status is ExitStatus.RED


def test_the_exchanges_that_a_finding_names_are_shown_even_if_another_check_sent_them():
    transcript = Transcript()
    number = record(transcript, "discovery", f"{ISSUER}/one")
    record(transcript, "PKCE-03", f"{ISSUER}/two")
    result = failed("PKCE-03", "tokens", number)

    report = report_of([result], engine=engine_with([result], transcript=transcript))

    assert [exchange.number for exchange in report.checks[0].exchanges] == [number]


def test_all_exchanges_of_a_check_are_shown_on_demand():
    transcript = Transcript()
    numbers = [record(transcript, "PKCE-01", f"{ISSUER}/{name}") for name in ("one", "two")]
    result = ended("PKCE-01", Verdict.PASS)

    report = report_of([result], engine=engine_with([result], transcript=transcript), show_exchanges=True)

    assert [exchange.number for exchange in report.checks[0].exchanges] == numbers


def test_a_secret_that_was_learnt_late_is_taken_out_of_earlier_exchanges_and_findings():
    transcript = Transcript()
    number = record(
        transcript, "PKCE-03", f"{ISSUER}/x", content=b"odd place: qwertyuiop", headers={"x-odd": "qwertyuiop"}
    )
    result = failed("PKCE-03", "an answer with qwertyuiop in it", number)
    transcript.redactor.learn("qwertyuiop", "code")

    text = json_text(report_of([result], engine=engine_with([result], transcript=transcript)))

    assert "qwertyuiop" not in text
    assert "<code:" in text


def test_text_that_is_no_unicode_does_not_stop_a_report():
    assert "\\ud800" not in json_text(report_of([failed("PKCE-03", "error=\ud800")]))


def test_the_profile_is_shown_without_values_that_could_be_secrets(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("EDGE_SECRET", "hidden-value-0")
    profile = Profile.model_validate(
        {
            "login": {"fields": {"password": "hidden-value-1"}, "secret_fields": {"otp": "EDGE_SECRET"}},
            "http": {"headers": {"x-edge": "hidden-value-2"}, "proxy": "http://me:hidden-value-3@proxy.example:1"},
            "scopes": ["a", "b"],
        }
    )
    result = ended("PKCE-01", Verdict.PASS)

    report = report_of([result], engine=engine_with([result], profile=profile))

    assert "hidden-value" not in json_text(report)
    assert report.profile == {
        "login": {"fields": ["password"], "secret_fields": {"otp": "EDGE_SECRET"}},
        "http": {"headers": ["x-edge"], "proxy": "http://proxy.example:1"},
        "scopes": ["a", "b"],
    }


def test_the_exchanges_of_a_failed_preflight_are_kept():
    transcript = Transcript()
    record(transcript, "preflight", f"{ISSUER}/authorize")
    result = ended("PKCE-03", Verdict.BLOCKED, "preflight: an ordinary login does not work")
    engine = engine_with([result], transcript=transcript)
    engine.readiness = Readiness(login="an ordinary login does not work")

    report = report_of([result], engine=engine)

    assert report.preflight.diagnosis == "an ordinary login does not work"
    assert len(report.preflight.exchanges) == 1


def test_a_report_file_in_a_missing_folder_is_refused_before_the_run(tmp_path):
    with pytest.raises(UnwritableReportError, match="No such file or directory"):
        ensure_writable(tmp_path / "nowhere" / "report.json")


def test_asking_whether_a_report_can_be_written_leaves_no_file_behind(tmp_path):
    ensure_writable(tmp_path / "report.json")

    assert list(tmp_path.iterdir()) == []
