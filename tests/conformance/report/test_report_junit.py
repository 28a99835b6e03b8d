"""The JUnit report: every verdict in its place, and valid XML for every answer of a server."""

import xml.etree.ElementTree as ET
from datetime import date

import pytest
from reporting import ISSUER, ended, engine_with, failed, record, report_of

from oauth_litmus.http.transcript import Transcript
from oauth_litmus.report.junit import junit_text
from oauth_litmus.report.waivers import Waiver
from oauth_litmus.verdict import Finding, Severity, Verdict


def suite_of(text: str) -> ET.Element:
    suite = ET.fromstring(text.encode()).find("testsuite")
    assert suite is not None
    return suite


def test_there_is_one_test_case_per_check_with_its_category():
    suite = suite_of(junit_text(report_of([ended("PKCE-01", Verdict.PASS), failed("PKCE-03")])))

    assert [case.get("classname") for case in suite.iter("testcase")] == ["oauth_litmus.pkce"] * 2
    assert suite.get("tests") == "2"


def test_a_failure_says_expected_got_clause_and_exchange():
    transcript = Transcript()
    number = record(transcript, "PKCE-03", f"{ISSUER}/token")
    result = failed("PKCE-03", "tokens (200)", number)

    suite = suite_of(junit_text(report_of([result], engine=engine_with([result], transcript=transcript))))

    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "tokens (200)"
    text = failure.text or ""
    for part in (
        "expected  400 with error=invalid_grant",
        "got       tokens (200)",
        "OAuth 2.1 §4.1.3",
        f"exchange {number}",
    ):
        assert part in text


@pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.ERROR])
def test_what_could_not_be_judged_is_an_error(verdict: Verdict):
    suite = suite_of(junit_text(report_of([ended("PKCE-03", verdict, "three 429 in a row")])))

    assert (suite.get("failures"), suite.get("errors")) == ("0", "1")


@pytest.mark.parametrize("verdict", [Verdict.SKIP, Verdict.NOT_APPLICABLE])
def test_a_skip_says_its_reason(verdict: Verdict):
    suite = suite_of(junit_text(report_of([ended("PKCE-03", verdict, "give --burst")])))

    skipped = suite.find("testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == f"{verdict}: give --burst"


def test_a_required_check_that_was_skipped_is_a_failure():
    suite = suite_of(junit_text(report_of([ended("PKCE-03", Verdict.SKIP, "give --burst")], required=["PKCE-03"])))

    assert suite.get("failures") == "1"


def test_a_warning_passes_and_is_told_in_the_output():
    finding = Finding(Severity.IMPRECISION, "invalid_grant", "invalid_request")

    suite = suite_of(junit_text(report_of([ended("PKCE-03", Verdict.WARN, "invalid_request", finding)])))

    assert (suite.get("failures"), suite.get("errors"), suite.get("skipped")) == ("0", "0", "0")
    assert "invalid_grant" in (suite.findtext("testcase/system-out") or "")


def test_a_waived_failure_is_skipped_and_a_stale_waiver_fails():
    waivers = [Waiver(id=name, reason="known", until=date(2027, 1, 1)) for name in ("PKCE-03", "PKCE-01")]

    suite = suite_of(junit_text(report_of([ended("PKCE-01", Verdict.PASS), failed("PKCE-03")], waivers=waivers)))

    assert [(case.get("name"), case[0].tag) for case in suite.iter("testcase") if len(case)] == [
        ("PKCE-03 A wrong code_verifier is refused", "skipped"),
        ("PKCE-01", "failure"),
    ]


def test_characters_that_xml_forbids_do_not_reach_the_file():
    hostile = "".join(map(chr, range(0x20))) + "\x7f\x9b\ufffe\uffff ]]> <failure/> \u202e"

    suite = suite_of(junit_text(report_of([failed("PKCE-03", hostile)])))

    assert suite.get("failures") == "1"
