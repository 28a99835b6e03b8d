"""The verdicts of some probes on answers that other servers gave than the two of this project."""

import pytest
from core_worlds import ISSUER, answer, ended

from oauth_litmus import expect
from oauth_litmus.checks.redirect_uri.probes import is_only_spelled_otherwise
from oauth_litmus.verdict import Blocked, Judgement, Level, Verdict, Violation, decide

SPELLING = "http://user@127.0.0.1:52731/cb"
HTML = {"content-type": "text/html"}


def seen(act):
    """The verdict of a check of a MUST that does just this."""
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


def test_the_body_of_a_redirect_is_never_shown():
    redirect = answer(302, headers={**HTML, "location": f"{ISSUER}/cb?code=abc"})

    assert [redirect.is_html, redirect.is_shown, answer(400, headers=HTML).is_shown] == [True, False, True]
