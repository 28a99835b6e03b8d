"""The lines that a run prints while it works."""

import io

from reporting import ended
from rich.console import Console

from oauth_litmus.report.progress import watcher
from oauth_litmus.verdict import Verdict


def said(*, terminal: bool, live: bool = True) -> str:
    text = io.StringIO()
    watching = watcher(Console(file=text, width=100, force_terminal=terminal, color_system=None), live=live)
    with watching.begins(2):
        watching(ended("PKCE-01", Verdict.PASS))
        watching(ended("PKCE-03", Verdict.FAIL, "so"))
    return text.getvalue()


def test_a_terminal_shows_a_bar_with_the_verdicts_so_far():
    assert "2/2" in said(terminal=True)
    assert "1 PASS, 1 FAIL" in said(terminal=True)


def test_a_log_shows_plain_lines_only():
    assert said(terminal=False) == "first an ordinary login, then 2 checks\n"


def test_a_terminal_where_a_person_is_asked_to_log_in_shows_plain_lines():
    assert said(terminal=True, live=False) == "first an ordinary login, then 2 checks\n"
