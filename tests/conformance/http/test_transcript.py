"""The transcript keeps each exchange numbered, redacted when it is recorded, and cut to a readable length."""

import httpx

from oauth_litmus.http.transcript import Transcript

URL = "https://as.example.com/token?code=lettersonly"


def recorded(response, *, transcript=None, body=b"", content=b"", check="TEST-01", headers=None):
    transcript = transcript or Transcript()
    request = httpx.Request("POST", URL, headers=headers, content=body)
    transcript.record(transcript.next_number(), check, request, body, response, content)
    return transcript.of(check)[-1]


def test_an_exchange_reads_as_request_and_answer():
    exchange = recorded(httpx.Response(400, headers={"x-a": "b"}), body=b"grant_type=x", content=b"no")

    assert exchange.request.startswith("POST https://as.example.com/token?code=<code:")
    assert exchange.request.endswith("\n\ngrant_type=x")
    assert exchange.response == "400 Bad Request\nx-a: b\n\nno"


def test_an_exchange_without_an_answer_says_what_happened():
    assert recorded("no answer: refused").response == "no answer: refused"


def test_headers_that_tell_nothing_are_left_out():
    exchange = recorded(httpx.Response(200, headers={"date": "today", "server": "x", "x-a": "b"}))

    assert exchange.response == "200 OK\nx-a: b"


def test_no_part_of_an_exchange_shows_a_learnt_secret():
    transcript = Transcript()
    transcript.redactor.learn("lettersonly")
    response = httpx.Response(200, headers={"x-echo": "lettersonly"}, extensions={"reason_phrase": b"made lettersonly"})
    exchange = recorded(
        response,
        transcript=transcript,
        headers={"x-b": "lettersonly"},
        body=b"a=lettersonly",
        content=b"<p>lettersonly",
    )

    assert "lettersonly" not in f"{exchange.request}{exchange.response}"


def test_a_secret_is_not_cut_in_two_before_it_is_found():
    transcript = Transcript()
    transcript.redactor.learn("lettersonly")
    exchange = recorded(httpx.Response(200), transcript=transcript, content=b"x" * 1_995 + b"lettersonly" + b"y" * 99)

    assert "lette" not in exchange.response


def test_a_long_body_says_how_long_it_was():
    exchange = recorded(httpx.Response(200), content=b"- " * 2_000)

    assert exchange.response.endswith("… (4000 characters)")


def test_of_a_huge_body_no_half_of_a_secret_is_shown():
    transcript = Transcript()
    secret = "s3cret-" * 4_000
    transcript.redactor.learn(secret, "code")

    exchange = recorded(httpx.Response(200), content=(secret * 60).encode(), transcript=transcript)

    assert "s3cret" not in exchange.response
    assert exchange.response.endswith(f"… ({len(secret) * 60} characters)")


def test_a_body_that_is_no_text_is_kept_as_far_as_it_is():
    assert recorded(httpx.Response(200), content=b"\xff\x00a").response.endswith("\N{REPLACEMENT CHARACTER}\x00a")


def test_exchanges_are_found_by_number_in_order_whichever_check_caused_them():
    transcript = Transcript()
    for check in ("A-01", "B-01", "A-01"):
        recorded(httpx.Response(200), transcript=transcript, check=check)

    assert [(each.number, each.check) for each in transcript.numbered([3, 2])] == [(2, "B-01"), (3, "A-01")]
    assert [each.number for each in transcript.of("A-01")] == [1, 3]
    assert transcript.count == 3


def test_exchanges_that_ended_out_of_order_are_told_in_order():
    transcript = Transcript()
    first, second = transcript.next_number(), transcript.next_number()
    for number in (second, first):
        transcript.record(number, "A-01", httpx.Request("GET", URL), b"", "no answer")

    assert [each.number for each in transcript.of("A-01")] == [first, second]


def test_a_check_that_sent_nothing_has_no_exchanges():
    assert not Transcript().of("A-01")
