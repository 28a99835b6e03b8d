"""Every finding of the suite about the `mcp` SDK's server, seen again in a raw exchange, without the suite.

A test that fails here says that the SDK has changed: then its pin in `test_mcp_sdk_server.py` goes, too.
"""

import base64
import re

import pytest
from raw_http import CALLBACK, Raw

pytestmark = pytest.mark.sockets

LOOPBACK_CALLBACK = "http://127.0.0.1:52731/cb"


@pytest.fixture(scope="module")
def raw(mcp_sdk):
    return Raw(mcp_sdk)


@pytest.fixture(scope="module")
def client(raw):
    return raw.client()


def test_authz_02_an_empty_response_type_is_unsupported_not_missing(raw, client):
    assert raw.authorize(client, response_type=None).redirect["error"] == "invalid_request"
    assert raw.authorize(client, response_type="").redirect["error"] == "unsupported_response_type"


def test_bearer_01_the_first_challenge_names_an_error_and_no_scope(raw):
    answer = raw.send("GET", "/mcp", accept="application/json, text/event-stream")

    names = re.findall(r'([a-z_]+)="', answer.headers["www-authenticate"])
    assert (answer.status, names) == (401, ["error", "error_description", "resource_metadata"])


def test_iss_01_and_02_no_answer_names_the_issuer(raw, client):
    metadata = raw.send("GET", "/.well-known/oauth-authorization-server").json

    assert "authorization_response_iss_parameter_supported" not in metadata
    assert raw.authorize(client).redirect.keys() == {"code", "state"}
    assert raw.authorize(client, scope="other").redirect.keys() == {"error", "error_description", "state"}


def test_pkce_06_an_absent_method_means_s256(raw, client):
    code = raw.authorize(client, code_challenge_method=None).redirect["code"]

    assert raw.redeem(client, code).status == 200


def test_pkce_09_an_empty_challenge_brings_a_code_that_nobody_can_redeem(raw, client):
    code = raw.authorize(client, code_challenge="").redirect["code"]

    assert [raw.redeem(client, code, code_verifier=verifier).status for verifier in ("", "x", None)] == [400, 400, 400]


@pytest.mark.parametrize(
    "spelling",
    [
        "https:/client.example.com/cb",
        "HTTPS://client.example.com/cb",
        "https://CLIENT.example.com/cb",
        "https://client.example.com:443/cb",
        "https://client.example.com/x/../cb",
    ],
)
def test_redir_06_and_08_another_spelling_is_taken_and_answered_at_the_registered_uri(raw, client, spelling):
    answer = raw.authorize(client, redirect_uri=spelling)

    assert (answer.status, answer.location.partition("?")[0]) == (302, CALLBACK)


def test_redir_11_another_loopback_port_is_refused(raw):
    client = raw.client(LOOPBACK_CALLBACK)

    assert raw.authorize(client, redirect_uri=LOOPBACK_CALLBACK).status == 302
    assert raw.authorize(client, redirect_uri="http://127.0.0.1:51004/cb").status == 400


def test_redir_13_another_spelling_of_the_loopback_address_is_taken(raw):
    client = raw.client(LOOPBACK_CALLBACK)

    answer = raw.authorize(client, redirect_uri="http://2130706433:52731/cb")

    assert (answer.status, answer.location.partition("?")[0]) == (302, LOOPBACK_CALLBACK)


@pytest.mark.parametrize("redirect_uri", ["https://client.example.com/other", None])
def test_redir_16_another_redirect_uri_or_none_at_the_token_endpoint_is_an_invalid_request(raw, client, redirect_uri):
    code = raw.authorize(client).redirect["code"]

    answer = raw.redeem(client, code, redirect_uri=redirect_uri)

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_redir_17_a_registered_parameter_without_a_value_is_lost(raw):
    registered = f"{CALLBACK}?tenant=a%20b&flag"
    client = raw.client(registered)

    assert raw.authorize(client, redirect_uri=registered).redirect.keys() == {"tenant", "code", "state"}


def test_reg_03_a_secret_is_sent_without_no_store(raw):
    answer = raw.register(method="client_secret_post")

    assert answer.json["client_secret"]
    assert answer.headers["cache-control"] is None


def test_revoke_05_a_public_client_cannot_revoke(raw, client):
    tokens = raw.tokens(client)

    answer = raw.form("/revoke", {"client_id": client, "token": tokens["refresh_token"]})

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert "client_secret" in answer.json["error_description"]


@pytest.mark.parametrize("grant_type", ["urn:example:no-such-grant", "password", "implicit", "client_credentials"])
def test_token_03_an_unknown_grant_type_is_an_invalid_request(raw, client, grant_type):
    answer = raw.form("/token", {"client_id": client, "grant_type": grant_type})

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_token_08_basic_works_only_with_the_client_id_in_the_body_too(raw):
    registered = raw.register(method="client_secret_basic").json
    client = registered["client_id"]
    pair = base64.b64encode(f"{client}:{registered['client_secret']}".encode()).decode()
    basic = {"authorization": f"Basic {pair}"}
    code = raw.authorize(client).redirect["code"]

    alone = raw.redeem(client, code, basic, client_id=None)
    repeated = raw.redeem(client, code, basic)

    assert (alone.status, alone.json["error"], repeated.status) == (401, "invalid_client", 200)


def test_token_07_a_wrong_secret_by_basic_is_refused_without_a_challenge(raw):
    client = raw.register(method="client_secret_basic").json["client_id"]
    pair = base64.b64encode(f"{client}:wrong".encode()).decode()

    answer = raw.redeem(client, "any", {"authorization": f"Basic {pair}"})

    assert (answer.status, answer.headers["www-authenticate"]) == (401, None)


def test_rate_01_no_number_of_requests_is_too_much(raw, client):
    assert {raw.authorize(client).status for _ in range(60)} == {302}
