"""Every expectation is seen to fire and not to fire: one that cannot fire would look like a pass for ever."""

import pytest
from core_worlds import ISSUER, REDIRECT_URI, answer, ended, redirected, refusal, tokens

from oauth_litmus import expect
from oauth_litmus.browser.pages import read_page
from oauth_litmus.verdict import Blocked, Judgement, Level, Verdict, Violation, decide

STRANGER = "https://evil.example/cb"
PAGE = answer(400, headers={"content-type": "text/html"}, url=f"{ISSUER}/authorize")
BROKEN = answer(500, headers={"content-type": "text/html"}, url=f"{ISSUER}/authorize")
LIMITED = answer(429, url=f"{ISSUER}/authorize")
CODE = f"{REDIRECT_URI}?code=abc&state=s"
DENIED = f"{REDIRECT_URI}?error=invalid_request&state=s"
WRONG = {"because": "it is wrong"}


def seen(act, level=Level.MUST):
    """The verdict of a check that does just this."""
    judgement = Judgement()
    token = expect.judgement.set(judgement)
    ending = None
    try:
        act()
    except (Violation, Blocked) as reason:
        ending = reason
    finally:
        expect.judgement.reset(token)
    return decide(level, judgement, ending)


def simply(expectation, held):
    return lambda: expectation(held, expected="a", got="b")


def refused(got, *codes, **how):
    return lambda: expect.refused_grant(got, *codes, because="it is used", **how)


def no_code(attempt, **how):
    return lambda: expect.no_code(attempt, because="it is wrong", **how)


def not_sent(attempt):
    return lambda: expect.not_sent_to(attempt, STRANGER, because="it is not registered")


def showing(html, status=200):
    shown = answer(status, headers={"content-type": "text/html"}, url=f"{ISSUER}/authorize")
    return ended(shown, pages=[read_page(shown.url, html)])


def unanswerable():
    return ended(PAGE, unfinished=True)


PASS, WARN, FAIL, BLOCKED = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.BLOCKED
CASES = {
    # what happens: (the expectation, verdict of a MUST, verdict of a SHOULD)
    "that holds": (simply(expect.that, True), PASS, PASS),
    "that does not hold": (simply(expect.that, False), FAIL, WARN),
    "safe holds": (simply(expect.safe, True), PASS, PASS),
    "safe does not hold": (simply(expect.safe, False), FAIL, FAIL),
    "ideally holds": (simply(expect.ideally, True), PASS, PASS),
    "ideally does not hold": (simply(expect.ideally, False), WARN, WARN),
    "tokens come": (lambda: expect.tokens(tokens()), PASS, PASS),
    "tokens are refused": (lambda: expect.tokens(refusal()), FAIL, WARN),
    "tokens are not to be had now": (lambda: expect.tokens(answer(503)), BLOCKED, BLOCKED),
    "a success without an access token is none": (lambda: expect.tokens(answer(200, {})), FAIL, WARN),
    "the grant is refused": (refused(refusal()), PASS, PASS),
    "the grant is refused with 401": (refused(refusal(status=401)), PASS, PASS),
    "the grant is taken": (refused(tokens()), FAIL, WARN),
    "the grant is refused with another code": (refused(refusal("invalid_request")), WARN, WARN),
    "the grant is refused with one of the right codes": (
        refused(refusal("invalid_request"), "invalid_grant", "invalid_request"),
        PASS,
        PASS,
    ),
    "the grant is refused with another status": (refused(refusal(status=403)), WARN, WARN),
    "the grant is refused with another code that steers": (
        refused(refusal("invalid_request"), steering=True),
        FAIL,
        FAIL,
    ),
    "the grant is refused with another status, and the code steers": (
        refused(refusal(status=403), steering=True),
        WARN,
        WARN,
    ),
    "the grant is refused by a crash": (refused(answer(500)), BLOCKED, BLOCKED),
    "the grant meets a limiter": (refused(answer(429)), BLOCKED, BLOCKED),
    "the refusal is not a server error": (lambda: expect.no_server_error(PAGE), PASS, PASS),
    "the refusal is a server error": (lambda: expect.no_server_error(BROKEN), FAIL, WARN),
    "the refusal is of the edge": (lambda: expect.no_server_error(answer(502)), BLOCKED, BLOCKED),
    "no code: an error at the client": (no_code(redirected(DENIED)), PASS, PASS),
    "no code: an error page": (no_code(ended(PAGE)), PASS, PASS),
    "no code: a code": (no_code(redirected(CODE)), FAIL, WARN),
    "no code: a code for somebody else": (no_code(ended(PAGE, left_for=f"{STRANGER}?code=abc")), FAIL, WARN),
    "no code: another error": (no_code(redirected(DENIED), codes=("unsupported_response_type",)), WARN, WARN),
    "no code: a crash": (no_code(ended(BROKEN)), WARN, WARN),
    "no code: a limiter": (no_code(ended(LIMITED)), BLOCKED, BLOCKED),
    "no code: refused after the login": (no_code(redirected(DENIED, submitted=True)), WARN, WARN),
    "no code: the login goes on": (no_code(unanswerable()), WARN, WARN),
    "not sent: an error page": (not_sent(ended(PAGE)), PASS, PASS),
    "not sent: a page that is no error": (not_sent(showing("<p>hello")), WARN, WARN),
    "not sent: a redirect there": (not_sent(ended(PAGE, left_for=f"{STRANGER}?error=x")), FAIL, WARN),
    "not sent: a redirect elsewhere": (not_sent(ended(PAGE, left_for="https://errors.example.org/")), WARN, WARN),
    "not sent: a Location there": (not_sent(ended(answer(302, headers={"location": STRANGER}))), FAIL, WARN),
    "not sent: a refresh there": (
        not_sent(showing(f"<meta http-equiv=refresh content='0;url={STRANGER}'>", 400)),
        FAIL,
        WARN,
    ),
    "not sent: a form there": (not_sent(showing(f"<form action={STRANGER}><button>Go</button></form>", 400)), FAIL, WARN),
    "not sent: a code at the client": (not_sent(redirected(CODE)), FAIL, WARN),
    "not sent: an error at the client": (not_sent(redirected(DENIED)), WARN, WARN),
    "not sent: the login goes on": (not_sent(unanswerable()), FAIL, WARN),
    "not sent: refused after the login": (not_sent(ended(PAGE, submitted=True)), WARN, WARN),
    "not sent: a limiter": (not_sent(ended(LIMITED)), BLOCKED, BLOCKED),
}  # fmt: skip


@pytest.mark.parametrize(("act", "must", "should"), CASES.values(), ids=CASES)
def test_each_outcome_has_its_verdict(act, must, should):
    assert (seen(act).verdict, seen(act, Level.SHOULD).verdict) == (must, should)


def race(*answers):
    return lambda: expect.at_most_one(answers, expect.is_token_response)


RACES = {
    "one wins": (race(tokens(), refusal(), refusal()), PASS),
    "two win": (race(tokens("a"), tokens("b"), refusal()), FAIL),
    "two get the same": (race(tokens("a"), tokens("a"), refusal()), WARN),
    "no request of the race wins": (race(refusal(), refusal()), WARN),
    "some meet a limiter": (race(tokens(), refusal(), answer(429)), PASS),
    "all meet a limiter": (race(answer(429), answer(429)), BLOCKED),
    "all find the store away": (race(answer(503), answer(503)), BLOCKED),
}


@pytest.mark.parametrize(("act", "expected"), RACES.values(), ids=RACES)
def test_of_a_race_at_most_one_wins(act, expected):
    assert seen(act).verdict is expected


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 405, 500, 501])
def test_most_answers_are_conclusive(status):
    given = answer(status)

    assert expect.conclusive(given) is given


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_limiters_and_edges_are_not(status):
    with pytest.raises(Blocked, match=rf"POST /token was answered {status}") as blocked:
        expect.conclusive(answer(status, number=7))

    assert blocked.value.exchanges == (7,)


def test_a_finding_names_its_exchanges_once_and_in_order():
    judgement = Judgement()
    token = expect.judgement.set(judgement)
    twice = [answer(number=4), answer(number=2), answer(number=4)]

    expect.ideally(False, expected="a", got="b", at=twice)
    expect.judgement.reset(token)

    assert judgement.findings[0].exchanges == (4, 2)


def test_an_expectation_outside_a_check_is_a_fault_of_the_suite():
    with pytest.raises(LookupError):
        expect.that(True, expected="a", got="b")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (refusal(), "400 error=invalid_grant"),
        (tokens(), "200 with tokens"),
        (answer(200, {}), "200 (application/json)"),
        (answer(204), "204"),
    ],
)
def test_an_answer_is_told_in_a_few_words(given, words):
    assert expect.describe(given) == words


def test_what_is_told_of_a_redirect_carries_no_code():
    decision = seen(not_sent(ended(PAGE, left_for=f"{STRANGER}?code=s3cret#code=s3cret")))

    assert decision.reason == f"the browser is sent to {STRANGER}"
