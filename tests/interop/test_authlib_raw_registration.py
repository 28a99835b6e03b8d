"""Findings about registration and redirect URIs at Authlib's server, confirmed in raw exchanges without the suite.

If a test fails, Authlib has changed: remove its pin in `test_authlib_server.py` too.
"""

import pytest
from authlib_raw import AuthlibRaw
from authlib_server import create_app
from raw_http import CALLBACK
from wsgi_loopback import served_wsgi

pytestmark = pytest.mark.sockets

LOOPBACK_CALLBACK = "http://127.0.0.1:52731/cb"


@pytest.fixture(scope="module")
def raw():
    with served_wsgi(create_app) as origin:
        yield AuthlibRaw(origin)


@pytest.fixture(scope="module")
def client(raw):
    return raw.client()


def test_redir_11_another_loopback_port_is_refused(raw):
    client = raw.client(LOOPBACK_CALLBACK)

    assert raw.authorize(client, redirect_uri=LOOPBACK_CALLBACK).status == 200
    assert raw.authorize(client, redirect_uri="http://127.0.0.1:51004/cb").status == 400


def test_redir_15_the_first_of_several_uris_is_the_default(raw):
    client = raw.client(f"{CALLBACK}/one", f"{CALLBACK}/two")

    assert raw.consent(client, redirect_uri=None).location.startswith(f"{CALLBACK}/one?code=")


def test_redir_16_the_token_request_must_repeat_the_redirect_uri(raw, client):
    answer = raw.redeem(client, raw.code(client), redirect_uri=None)

    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")


def test_redir_17_the_registered_query_is_encoded_again(raw):
    registered = f"{CALLBACK}?tenant=a%20b&flag"

    answer = raw.consent(raw.client(registered), redirect_uri=registered)

    assert answer.location.startswith(f"{CALLBACK}?tenant=a+b&flag=&code=")


@pytest.mark.parametrize("uri", ["javascript://client.example.com/%0aalert(1)", "http://client.example.com/cb"])
def test_redir_18_and_19_any_scheme_and_plain_http_are_registered_and_used(raw, uri):
    assert raw.consent(raw.client(uri), redirect_uri=uri).location.startswith(f"{uri}?code=")


def test_redir_20_an_empty_uri_is_registered(raw):
    assert raw.register("").status == 201


def test_redir_21_a_private_use_scheme_is_registered_only_with_two_slashes(raw):
    one_slash, two = raw.register("com.example.app:/cb"), raw.register("com.example.app://cb")

    assert (one_slash.status, two.status) == (400, 201)


@pytest.mark.parametrize("uri", [f'{CALLBACK}"', f"{CALLBACK}\r\nx: y", f"{CALLBACK}\\"])
def test_redir_26_a_redirect_uri_with_forbidden_characters_is_a_server_error(raw, client, uri):
    assert raw.authorize(client, redirect_uri=f"{CALLBACK}/unknown").status == 400
    assert raw.authorize(client, redirect_uri=uri).status == 500


def test_reg_01_a_public_client_gets_a_secret(raw):
    registered = raw.register(method="none").json

    assert registered["token_endpoint_auth_method"] == "none"
    assert registered["client_secret"]


@pytest.mark.parametrize("body", ["[42]", '"litmus"', "42", '{"redirect_uris": 42}', '{"redirect_uris": [42]}'])
def test_reg_02a_json_of_a_wrong_type_is_a_server_error(raw, body):
    assert raw.register_body(body).status == 500


def test_reg_02c_a_body_of_a_megabyte_is_registered(raw):
    assert raw.register(client_name="n" * 1_000_000).status == 201


@pytest.mark.parametrize("member", ["client_uri", "scope", "grant_types"])
def test_reg_02d_a_number_instead_of_text_is_a_server_error(raw, member):
    assert raw.register(**{member: 42}).status == 500


def test_reg_02d_a_name_that_is_a_number_is_registered(raw):
    assert raw.register(client_name=42).json["client_name"] == 42


def test_reg_10_a_client_without_grant_types_may_use_no_grant(raw):
    registered = raw.register(grant_types=..., response_types=...)

    assert registered.status == 201
    assert "grant_types" not in registered.json
    assert raw.authorize(registered.json["client_id"]).redirect["error"] == "unauthorized_client"
