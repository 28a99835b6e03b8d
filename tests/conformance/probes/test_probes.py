"""What some probes make of the answers to them: verdicts that other servers than the two of this project brought up."""

import pytest
from core_worlds import ISSUER, answer, ended

from oauth_litmus import expect
from oauth_litmus.checks.redirect_uri.probes import is_only_spelled_otherwise
from oauth_litmus.verdict import Blocked, Judgement, Level, Verdict, Violation, decide

SPELLING = "http://user@127.0.0.1:52731/cb"
HTML = {"content-type": "text/html"}


def seen(act):
    """What a check of a MUST that does just this ends with."""
    judgement = Judgement()
    token = expect.judgement.set(judgement)
    ending = None
    try:
        act()
    except (Violation, Blocked) as reason:
        ending = reason
    finally:
        expect.judgement.reset(token)
    return decide(Level.MUST, judgement, ending).verdict


@pytest.mark.parametrize("answered", ["?code=abc", "?error=invalid_request"])
def test_an_error_at_a_spelling_of_the_registered_uri_is_no_worse_than_a_code_there(answered):
    attempt = ended(answer(302), left_for=f"{SPELLING}{answered}")

    assert seen(lambda: is_only_spelled_otherwise(attempt, SPELLING, as_written=True)) is Verdict.WARN


def test_the_body_of_a_redirect_is_shown_to_nobody():
    redirect = answer(302, headers={**HTML, "location": f"{ISSUER}/cb?code=abc"})

    assert [redirect.is_html, redirect.is_shown, answer(400, headers=HTML).is_shown] == [True, False, True]
