"""Reading WWW-Authenticate (RFC 9110 section 11.6.1)."""

import pytest

from oauth_litmus.http.challenges import Challenge, parse_challenges


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        ("Bearer", [Challenge("bearer")]),
        ('Bearer realm="a"', [Challenge("bearer", {"realm": "a"})]),
        (
            'BEARER Error=invalid_token , scope = "a b"',
            [Challenge("bearer", {"error": "invalid_token", "scope": "a b"})],
        ),
        (
            'Bearer error_description="say \\"please\\", twice"',
            [Challenge("bearer", {"error_description": 'say "please", twice'})],
        ),
        (
            'Basic realm="x", DPoP algs="ES256", Bearer',
            [Challenge("basic", {"realm": "x"}), Challenge("dpop", {"algs": "ES256"}), Challenge("bearer")],
        ),
        ("Negotiate YWJjZA==, Bearer scope=a", [Challenge("negotiate"), Challenge("bearer", {"scope": "a"})]),
    ],
)
def test_challenges_are_told_apart(header, challenges):
    assert parse_challenges([header]) == challenges


def test_several_headers_are_one_list():
    assert parse_challenges(["Basic realm=a", "Bearer realm=b"]) == [
        Challenge("basic", {"realm": "a"}),
        Challenge("bearer", {"realm": "b"}),
    ]


@pytest.mark.parametrize("header", ['Bearer realm="a', "Bearer realm=a b", '"Bearer"', "Bearer realm=ä"])
def test_a_broken_header_is_not_guessed_at(header):
    assert parse_challenges([header]) is None


def test_no_header_is_no_challenge():
    assert parse_challenges([]) == []
