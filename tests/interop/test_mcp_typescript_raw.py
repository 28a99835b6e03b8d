"""Findings about the TypeScript SDK's server, confirmed in raw exchanges without the suite.

If a test fails, the SDK has changed: remove its pin in `test_mcp_typescript_server.py` too. The SDK's default rate limits apply
to the whole module: 20 registrations, 50 token requests and 100 authorization requests.
"""

import base64
import hashlib
import http.client
import json
from urllib.parse import urlencode, urlsplit

import pytest
from raw_http import CALLBACK, Raw

pytestmark = pytest.mark.sockets

LOOPBACK_CALLBACK = "http://127.0.0.1:52731/cb"


@pytest.fixture(scope="module")
def raw(mcp_typescript):
    return Raw(mcp_typescript)


@pytest.fixture(scope="module")
def client(raw):
    return raw.client()


@pytest.fixture(scope="module")
def native_client(raw):
    return raw.client(LOOPBACK_CALLBACK)


def test_authz_02_an_unsupported_response_type_is_an_invalid_request(raw, client):
    assert raw.authorize(client, response_type="token").redirect["error"] == "invalid_request"


@pytest.mark.parametrize("wrong", [{"response_type": "bogus"}, {"code_challenge": None}, {"resource": "no-url"}])
def test_authz_03_an_error_of_the_schema_has_no_state(raw, client, wrong):
    assert raw.authorize(client, **wrong).redirect.keys() == {"error", "error_description"}


def test_authz_03_an_error_of_the_provider_has_the_state(raw, client):
    assert raw.authorize(client, scope="other").redirect.keys() == {"error", "error_description", "state"}


def test_authz_09_an_empty_redirect_uri_is_refused_and_a_missing_one_is_not(raw, client):
    assert "code" in raw.authorize(client, redirect_uri=None).redirect
    assert raw.authorize(client, redirect_uri="").status == 400


def test_authz_10_the_description_of_an_error_redirect_has_quotes_and_line_ends(raw, client):
    description = raw.authorize(client, code_challenge=None).redirect["error_description"]

    assert '"' in description
    assert "\n" in description


def test_bearer_01_the_first_challenge_names_an_error(raw):
    answer = raw.send("POST", "/mcp")

    assert (answer.status, 'error="invalid_token"' in answer.headers["www-authenticate"]) == (401, True)


def test_bearer_10_a_token_after_two_spaces_is_refused(raw, client):
    token = raw.tokens(client)["access_token"]

    assert raw.send("GET", "/mcp", authorization=f"Bearer {token}").status == 405
    assert raw.send("GET", "/mcp", authorization=f"Bearer  {token}").status == 401


def test_bearer_11_the_first_of_two_tokens_is_used(raw, client):
    valid = f"Bearer {raw.tokens(client)['access_token']}"

    def status(*values: str) -> int:
        connection = http.client.HTTPConnection(urlsplit(raw.origin).netloc, timeout=10)
        connection.putrequest("GET", "/mcp")
        for value in values:
            connection.putheader("authorization", value)
        connection.endheaders()
        answered = connection.getresponse().status
        connection.close()
        return answered

    assert [status(valid, "Bearer another"), status(f"{valid} another")] == [405, 405]
    assert [status("Bearer another", valid), status("Bearer another")] == [401, 401]


@pytest.mark.parametrize("path", ["/.well-known/oauth-authorization-server", "/token", "/register"])
def test_headers_04_nosniff_is_missing(raw, path):
    answer = raw.send("GET" if path.startswith("/.well") else "POST", path)

    assert answer.headers["x-content-type-options"] is None


def test_iss_01_and_02_no_answer_names_the_issuer(raw, client):
    metadata = raw.send("GET", "/.well-known/oauth-authorization-server").json

    assert "authorization_response_iss_parameter_supported" not in metadata
    assert raw.authorize(client).redirect.keys() == {"code", "state"}
    assert "iss" not in raw.authorize(client, scope="other").redirect


def test_pkce_09_a_code_for_an_empty_challenge_cannot_be_redeemed(raw, client):
    code = raw.authorize(client, code_challenge="").redirect["code"]

    assert [raw.redeem(client, code, code_verifier=verifier).status for verifier in ("", "x", None)] == [400, 400, 400]


def test_pkce_10_a_challenge_that_no_verifier_can_match_is_accepted(raw, client):
    assert "code" in raw.authorize(client, code_challenge="short").redirect


def test_pkce_11_a_verifier_of_one_character_is_accepted(raw, client):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"x").digest()).rstrip(b"=").decode()
    code = raw.authorize(client, code_challenge=challenge).redirect["code"]

    assert raw.redeem(client, code, code_verifier="x").status == 200


@pytest.mark.parametrize(
    "spelling",
    [
        f"{LOOPBACK_CALLBACK}#frag",
        "http://127.0.0.1:51004/cb#frag",
        "http://user@127.0.0.1:52731/cb",
        "http://2130706433:52731/cb",
    ],
)
def test_redir_13_on_loopback_more_than_the_port_may_differ(raw, native_client, spelling):
    answer = raw.authorize(native_client, redirect_uri=spelling)

    assert (answer.status, "code" in answer.redirect) == (302, True)


def test_redir_13_other_redirect_uris_are_compared_exactly(raw, client):
    assert raw.authorize(client, redirect_uri=f"{CALLBACK}#frag").status == 400


def test_redir_17_an_error_encodes_the_registered_query_again(raw):
    registered = f"{CALLBACK}?tenant=a%20b&flag"
    client = raw.client(registered)

    refused = raw.authorize(client, redirect_uri=registered, response_type="bogus")

    assert refused.location.startswith(f"{CALLBACK}?tenant=a+b&flag=&error=invalid_request")


def test_reg_02_a_malformed_redirect_uri_is_invalid_client_metadata_and_malformed_json_gets_a_page(raw):
    not_a_uri = raw.register("no-uri")
    no_json = raw.send("POST", "/register", "{", content_type="application/json")

    assert (not_a_uri.status, not_a_uri.json["error"]) == (400, "invalid_client_metadata")
    assert (no_json.status, no_json.headers.get_content_type()) == (400, "text/html")


def test_reg_02_and_05_unsupported_values_are_registered_unchanged(raw):
    unsupported = {
        "redirect_uris": [CALLBACK],
        "response_types": ["token"],
        "token_endpoint_auth_method": "urn:example:no-such-method",
        "grant_types": ["authorization_code", "client_credentials"],
        "scope": "notes:read admin",
    }

    answer = raw.send("POST", "/register", json.dumps(unsupported), content_type="application/json")

    assert (answer.status, {name: answer.json[name] for name in unsupported}) == (201, unsupported)


def test_replay_14_a_used_refresh_token_is_refused_at_once(raw, client):
    form = {"grant_type": "refresh_token", "refresh_token": raw.tokens(client)["refresh_token"], "client_id": client}

    assert [raw.form("/token", form).status for _ in range(2)] == [200, 400]


def test_res_03_a_resource_that_is_not_a_url_is_an_invalid_request(raw, client):
    assert raw.authorize(client, resource="no-url").redirect["error"] == "invalid_request"


def test_token_02_the_description_of_a_missing_parameter_is_json(raw, client):
    answer = raw.form("/token", {"client_id": client, "grant_type": "authorization_code"})

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert json.loads(answer.json["error_description"])[0]["path"] == ["code"]


def test_token_04_a_token_request_in_json_is_accepted(raw, client):
    form = {"grant_type": "refresh_token", "refresh_token": raw.tokens(client)["refresh_token"], "client_id": client}

    assert raw.send("POST", "/token", json.dumps(form), content_type="application/json").status == 200


def test_token_09_basic_beside_a_secret_in_the_body_is_ignored(raw):
    registered = raw.register(method="client_secret_post").json
    client, secret = registered["client_id"], registered["client_secret"]
    pair = base64.b64encode(f"{client}:wrong".encode()).decode()
    code = raw.authorize(client).redirect["code"]

    assert raw.redeem(client, code, {"authorization": f"Basic {pair}"}, client_secret=secret).status == 200


def test_every_repeated_parameter_is_refused(raw, client):
    """Not a finding: unlike the Python SDK, this one refuses repeated parameters, because its schema wants a string."""
    query = urlsplit(raw.authorize_url(client)).query

    assert "error" in raw.send("GET", f"/authorize?{query}&{urlencode({'state': 'another'})}").redirect
