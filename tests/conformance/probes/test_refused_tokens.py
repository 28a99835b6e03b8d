"""Whether a resource took a token is judged by how it answers to a valid one."""

import httpx
import pytest

from oauth_litmus import expect
from oauth_litmus.http.answer import Answer
from oauth_litmus.verdict import Blocked, Judgement, Violation


def answer(status, body=b""):
    return Answer(1, "GET", "https://rs.example.com/mcp", status, httpx.Headers(), body, 0.0, 0.0)


@pytest.fixture(autouse=True)
def judgement():
    fresh = Judgement()
    token = expect.judgement.set(fresh)
    yield fresh
    expect.judgement.reset(token)


@pytest.mark.parametrize(
    ("seen", "opened"),
    [
        (answer(200), answer(200)),
        (answer(200), answer(405)),
        (answer(405), answer(405)),
        (answer(400, b"no session"), answer(400, b"no session")),
    ],
)
def test_an_answer_like_that_to_a_valid_token_lets_in(seen, opened):
    with pytest.raises(Violation):
        expect.refused_token(seen, opened, because="it is forged")


@pytest.mark.parametrize(
    ("seen", "opened"),
    [
        (answer(401), answer(200)),
        (answer(403), answer(200)),
        (answer(401), answer(405)),
        (answer(400, b"bad token"), answer(400, b"no session")),
    ],
)
def test_another_answer_refuses(seen, opened, judgement):
    expect.refused_token(seen, opened, because="it is forged")

    assert not judgement.findings


@pytest.mark.parametrize("status", [429, 500, 503])
def test_trouble_of_the_server_says_nothing(status):
    with pytest.raises(Blocked):
        expect.refused_token(answer(status), answer(200), because="it is forged")


def test_a_server_error_that_lasts_is_a_violation():
    with pytest.raises(Violation):
        expect.no_server_error(answer(500))
