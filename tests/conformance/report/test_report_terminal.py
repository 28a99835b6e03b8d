"""The report on a terminal: readable at 80 and 120 columns, plain in a pipe, and never steered by a server."""

import io
from dataclasses import replace
from datetime import date

import pytest
from reporting import ISSUER, ended, engine_with, failed, record, report_of
from rich.console import Console

from oauth_litmus.http.transcript import Transcript
from oauth_litmus.report.model import Report
from oauth_litmus.report.terminal import show
from oauth_litmus.report.waivers import Waiver
from oauth_litmus.run.preflight import Readiness
from oauth_litmus.verdict import Finding, Severity, Verdict


def shown(report: Report, *, width: int = 80, terminal: bool = False, every_exchange: bool = False) -> str:
    text = io.StringIO()
    console = Console(file=text, width=width, force_terminal=terminal, color_system=None, highlight=False)
    show(report, console, every_exchange=every_exchange)
    return text.getvalue()


def test_checks_are_grouped_by_category_with_a_verdict_each():
    text = shown(report_of([ended("COOKIE-01", Verdict.PASS), failed("PKCE-03")]))

    assert (
        text.index("cookie · ")
        < text.index("PASS    COOKIE-01")
        < text.index("pkce · ")
        < text.index("FAIL    PKCE-03")
    )


def test_a_failure_is_told_in_full_with_its_exchange():
    transcript = Transcript()
    number = record(transcript, "PKCE-03", f"{ISSUER}/token", body=b"grant_type=authorization_code", content=b"{}")
    result = failed("PKCE-03", "tokens (200)", number)

    text = shown(report_of([result], engine=engine_with([result], transcript=transcript)))

    for part in (
        "FAIL PKCE-03 · MUST · OAuth 2.1 §4.1.3",
        "A wrong code_verifier is refused",
        "expected 400 with error=invalid_grant",
        "got      tokens (200)",
        f"exchange {number}",
        f"> POST {ISSUER}/token",
        "> grant_type=authorization_code",
        "< 200 OK",
    ):
        assert part in text


def test_of_many_exchanges_the_first_are_shown_and_the_others_counted():
    transcript = Transcript()
    numbers = [record(transcript, "REPLAY-04", f"{ISSUER}/token") for _ in range(20)]
    result = failed("REPLAY-04", "20 successes", *numbers)

    text = shown(report_of([result], engine=engine_with([result], transcript=transcript)))

    assert text.count("> POST") == 3
    assert "17 more exchanges" in text


def test_on_demand_every_exchange_is_shown_also_of_a_check_that_passed():
    transcript = Transcript()
    for path in ("one", "two", "three", "four"):
        record(transcript, "PKCE-01", f"{ISSUER}/{path}")
    result = ended("PKCE-01", Verdict.PASS)
    report = report_of([result], engine=engine_with([result], transcript=transcript), show_exchanges=True)

    text = shown(report, every_exchange=True)

    assert "Exchanges of PKCE-01" in text
    assert text.count("> POST") == 4


def test_what_blocked_a_check_is_shown_with_its_exchange():
    transcript = Transcript()
    number = record(transcript, "PKCE-03", f"{ISSUER}/register")
    result = replace(
        ended("PKCE-03", Verdict.BLOCKED, "set-up: the registration was answered 500"), exchanges=(number,)
    )

    text = shown(report_of([result], engine=engine_with([result], transcript=transcript)))

    assert "BLOCKED  set-up: the registration was answered 500" in text
    assert f"> POST {ISSUER}/register" in text


def test_a_warning_is_told_in_short():
    finding = Finding(Severity.IMPRECISION, "error=invalid_grant", "error=invalid_request", (7,))

    text = shown(report_of([ended("PKCE-03", Verdict.WARN, "error=invalid_request", finding)]))

    assert "WARN PKCE-03 · MUST" in text
    assert "expected error=invalid_grant" in text
    assert "got      error=invalid_request" in text


def test_one_cause_of_many_blocked_checks_is_one_paragraph():
    identifiers = ["PKCE-02", "PKCE-03", "PKCE-04", "PKCE-08"]
    results = [ended(identifier, Verdict.BLOCKED, "preflight: no login works") for identifier in identifiers]
    engine = engine_with(results)
    engine.readiness = Readiness(login="no login works")

    text = shown(report_of(results, engine=engine))

    assert text.count("preflight: no login works") == 1
    assert "PKCE-02, PKCE-03, PKCE-04, PKCE-08" in text


def test_the_counts_are_a_sum_that_adds_up():
    text = shown(report_of([ended("PKCE-01", Verdict.PASS), failed("PKCE-03")]))

    assert "2 checks = 1 PASS + 1 FAIL + 0 WARN + 0 N/A + 0 SKIP + 0 BLOCKED + 0 ERROR" in text


def test_the_last_line_names_how_many_core_checks_were_not_judged():
    report = report_of([ended("PKCE-01", Verdict.PASS)])

    assert (
        shown(report)
        .splitlines()[-1]
        .startswith(f"{report.core.not_judged} of {report.core.total} core checks were not")
    )


def test_clients_that_were_left_behind_are_named():
    result = ended("PKCE-01", Verdict.PASS)
    engine = engine_with([result])
    engine.run.clients.left_behind += [f"client-{number}" for number in range(7)]

    text = shown(report_of([result], engine=engine), width=200)

    assert (
        "7 clients named `oauth-litmus 1a2b3c4d` (client-0, client-1, client-2, client-3, client-4 and 2 more)" in text
    )


def test_a_failing_run_shows_the_waiver_to_paste():
    text = shown(report_of([failed("PKCE-03")]))

    assert '[[waiver]]\nid = "PKCE-03"  # A wrong code_verifier is refused\nreason = ""\nuntil = ' in text


def test_a_waived_failure_is_shown_as_waived_and_is_not_red():
    waiver = Waiver(id="PKCE-03", reason="known since May", until=date(2027, 1, 1))

    text = shown(report_of([failed("PKCE-03")], waivers=[waiver]))

    assert "(waived: known since May)" in text
    assert "Nothing is red." in text


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_of_prose_is_longer_than_the_terminal(width: int):
    transcript = Transcript()
    number = record(transcript, "PKCE-03", f"{ISSUER}/token", content=b"word " * 60 + b"x" * 300)
    result = failed("PKCE-03", "something long " * 20, number)

    text = shown(report_of([result], engine=engine_with([result], transcript=transcript)), width=width, terminal=True)

    longest = max(text.splitlines(), key=len)
    assert len(longest) <= width, longest


def test_in_a_pipe_the_lines_of_an_exchange_stay_whole():
    transcript = Transcript()
    number = record(transcript, "PKCE-03", f"{ISSUER}/token", content=b"word " * 60)
    result = failed("PKCE-03", "tokens", number)

    text = shown(report_of([result], engine=engine_with([result], transcript=transcript)))

    assert ("< " + "word " * 60).rstrip() in text


def test_a_hostile_body_cannot_steer_the_terminal():
    transcript = Transcript()
    number = record(transcript, "PKCE-03", f"{ISSUER}/token", content="\x1b[2J\x9b31m\x07\u202e[bold]x[/bold]".encode())
    result = failed("PKCE-03", "\x1b]0;owned\x07", number)

    text = shown(report_of([result], engine=engine_with([result], transcript=transcript)))

    assert not {"\x1b", "\x9b", "\x07", "\u202e"} & set(text)
    assert "\\x1b[2J" in text
    assert "[bold]x[/bold]" in text
