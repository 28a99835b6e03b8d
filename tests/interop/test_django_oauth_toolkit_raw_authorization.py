"""Findings about the authorization endpoint of django-oauth-toolkit, confirmed in raw exchanges without the suite.

If a test fails, the toolkit has changed: remove its pin in `test_django_oauth_toolkit_server.py` too.
"""

import base64
import hashlib
import re

import pytest
from django_oauth_toolkit_person import Person
from django_oauth_toolkit_process import running
from django_oauth_toolkit_raw import METADATA
from raw_http import CALLBACK, CHALLENGE, VERIFIER

pytestmark = pytest.mark.sockets

LOOPBACK_CALLBACK = "http://127.0.0.1:52731/cb"
OTHER = "https://client.example.com/other"


def test_authz_09_an_empty_scope_is_refused_and_a_missing_one_is_not(person, public_client):
    assert "code" in person.authorize(public_client).redirect
    assert person.authorize(public_client, scope="").redirect["error"] == "invalid_scope"


def test_pkce_09_a_code_for_an_empty_challenge_cannot_be_redeemed(person, public_client):
    answers = [
        person.redeem(public_client, person.code(public_client, code_challenge=""), code_verifier=verifier)
        for verifier in ("", "x", None)
    ]

    assert [answer.status for answer in answers] == [400, 400, 400]


def test_redir_19_a_code_is_sent_by_plain_http(person):
    client = person.client("http://client.example.com/cb")

    answer = person.authorize(client, redirect_uri="http://client.example.com/cb")

    assert answer.location.startswith("http://client.example.com/cb?code=")


@pytest.mark.parametrize(
    "defect",
    [
        {"client_id": "unknown"},
        {"client_id": None},
        {"response_type": None},
        {"code_challenge": None},
        {"redirect_uri": "https://evil.example/cb"},
    ],
)
def test_authz_01_authz_02_and_redir_01_a_request_is_checked_after_the_login(person, public_client, defect):
    early, late = person.ask_without_login(public_client, **defect), person.ask(public_client, **defect)

    assert early.location.startswith("/accounts/login/")
    assert late.status == 400 or "error=" in late.location


def test_authz_02_an_empty_response_type_counts_as_unsupported_not_missing(person, public_client):
    assert person.ask(public_client, response_type=None).redirect["error"] == "invalid_request"
    assert person.ask(public_client, response_type="").redirect["error"] == "unsupported_response_type"


@pytest.mark.parametrize(
    ("name", "value"), [("state", "another"), ("scope", "read"), ("response_type", "token"), ("client_id", "x")]
)
def test_authz_04_most_repeated_parameters_are_refused(person, public_client, name, value):
    assert person.ask(public_client, (name, value), scope="read write").status == 400


def test_authz_04_the_last_of_two_challenges_is_used(person, public_client):
    other = base64.urlsafe_b64encode(hashlib.sha256(b"x" * 43).digest()).rstrip(b"=").decode()
    code = person.code(public_client, ("code_challenge", CHALLENGE), code_challenge=other)

    assert person.redeem(public_client, code, code_verifier=VERIFIER).status == 200


def test_authz_12_a_port_beyond_65535_is_a_server_error(person, public_client):
    assert person.ask(public_client, redirect_uri="https://client.example.com:99999/cb").status == 500
    assert person.ask(public_client, redirect_uri="https://client.example.com:port/cb").status == 400


def test_iss_01_and_02_no_answer_names_the_issuer(person, public_client):
    metadata = person.send("GET", METADATA).json

    assert "authorization_response_iss_parameter_supported" not in metadata
    assert person.authorize(public_client).redirect.keys() == {"code", "state"}
    assert person.authorize(public_client, scope="other").redirect.keys() == {"error", "state"}


def test_iss_03_an_answer_has_the_registered_state_and_the_sent_one(person):
    registered = f"{CALLBACK}?state=registered"
    client = person.client(registered)

    answer = person.authorize(client, redirect_uri=registered)

    assert re.findall(r"state=(\w+)", answer.location) == ["registered", "s"]


def test_redir_17_the_registered_query_is_encoded_again(person):
    registered = f"{CALLBACK}?tenant=a%20b&flag"
    client = person.client(registered)

    assert "?tenant=a+b&flag=&code=" in person.authorize(client, redirect_uri=registered).location


def test_headers_03_no_answer_of_the_authorization_endpoint_has_no_store(person, public_client):
    answers = [person.ask_without_login(public_client), person.ask(public_client), person.authorize(public_client)]

    assert [(answer.status, answer.headers["cache-control"]) for answer in answers] == [
        (302, None),
        (200, None),
        (302, None),
    ]


def test_pkce_05_and_06_plain_is_accepted_and_is_the_default_method(person, public_client):
    for method in ("plain", None):
        code = person.code(public_client, code_challenge=VERIFIER, code_challenge_method=method)

        assert person.redeem(public_client, code).status == 200


def test_pkce_10_a_challenge_that_no_verifier_can_match_is_accepted(person, public_client):
    assert "code" in person.authorize(public_client, code_challenge="short").redirect


def test_pkce_11_a_verifier_of_one_character_is_accepted(person, public_client):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"x").digest()).rstrip(b"=").decode()

    assert (
        person.redeem(public_client, person.code(public_client, code_challenge=challenge), code_verifier="x").status
        == 200
    )


@pytest.mark.parametrize(
    "spelling", ["HTTPS://client.example.com/cb", "https://CLIENT.example.com/cb", f"{CALLBACK}\n"]
)
def test_redir_08_and_26_a_different_spelling_is_accepted(person, public_client, spelling):
    answer = person.authorize(public_client, redirect_uri=spelling)

    assert answer.location.lower().startswith(f"{CALLBACK}?code=")


def test_redir_13_an_impossible_loopback_port_is_accepted(person):
    client = person.client(LOOPBACK_CALLBACK)

    answer = person.authorize(client, redirect_uri="http://127.0.0.1:99999/cb")

    assert answer.location.startswith("http://127.0.0.1:99999/cb?code=")


def test_redir_16_another_redirect_uri_at_the_token_endpoint_is_an_invalid_request(person, public_client):
    answer = person.redeem(public_client, person.code(public_client), redirect_uri=OTHER)

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_redir_16_the_redirect_uri_is_optional_if_one_is_registered_and_required_if_two_are(person, public_client):
    other = person.client(CALLBACK, OTHER)

    alone = person.redeem(public_client, person.code(public_client), redirect_uri=None)
    of_two = person.redeem(other, person.code(other), redirect_uri=None)

    assert (alone.status, of_two.status, of_two.json["error"]) == (200, 400, "invalid_request")


def test_redir_20_a_star_is_registered_as_a_literal_character(person):
    client = person.client("https://client.example.com/*")

    assert person.ask(client, redirect_uri=CALLBACK).status == 400


def test_rate_01_the_authorization_endpoint_has_no_rate_limit(person, public_client):
    assert {person.ask_without_login(public_client).status for _ in range(60)} == {302}


def test_iss_02_with_the_strict_settings_errors_lack_the_promised_iss():
    with running(strict=True) as origin:
        person = Person(origin)
        client = person.client()
        metadata, answer = person.send("GET", METADATA).json, person.authorize(client)

        assert metadata["authorization_response_iss_parameter_supported"] is True
        assert answer.redirect["iss"] == metadata["issuer"]
        assert person.authorize(client, scope="other").redirect.keys() == {"error", "state"}
