"""Findings about the `mcp` SDK's server, confirmed in raw exchanges without the suite.

If a test fails, the SDK has changed: remove its pin in `test_mcp_sdk_server.py` too.
"""

import base64
import hashlib
import http.client
import json
import re
from urllib.parse import urlencode, urlsplit

import pytest
from raw_http import CALLBACK, VERIFIER, Raw

pytestmark = pytest.mark.sockets

LOOPBACK_CALLBACK = "http://127.0.0.1:52731/cb"


@pytest.fixture(scope="module")
def raw(mcp_sdk):
    return Raw(mcp_sdk)


@pytest.fixture(scope="module")
def client(raw):
    return raw.client()


def test_authz_02_an_empty_response_type_counts_as_unsupported_not_missing(raw, client):
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


def test_pkce_09_a_code_for_an_empty_challenge_cannot_be_redeemed(raw, client):
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
def test_redir_06_and_08_a_different_spelling_is_accepted_and_answered_at_the_registered_uri(raw, client, spelling):
    answer = raw.authorize(client, redirect_uri=spelling)

    assert (answer.status, answer.location.partition("?")[0]) == (302, CALLBACK)


def test_redir_11_another_loopback_port_is_refused(raw):
    client = raw.client(LOOPBACK_CALLBACK)

    assert raw.authorize(client, redirect_uri=LOOPBACK_CALLBACK).status == 302
    assert raw.authorize(client, redirect_uri="http://127.0.0.1:51004/cb").status == 400


def test_redir_13_a_different_spelling_of_the_loopback_address_is_accepted(raw):
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


def test_revoke_09_an_unknown_hint_is_refused(raw):
    registered = raw.register(method="client_secret_post").json
    form = {"client_id": registered["client_id"], "client_secret": registered["client_secret"], "token": "any"}

    assert raw.form("/revoke", form).status == 200
    answer = raw.form("/revoke", {**form, "token_type_hint": "urn:example:no-such-token-type"})

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")
    assert "token_type_hint" in answer.json["error_description"]


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


def test_rate_01_the_authorization_endpoint_has_no_rate_limit(raw, client):
    assert {raw.authorize(client).status for _ in range(60)} == {302}


def repeated(raw, client, **values):
    """Send a correct authorization request that repeats these parameters."""
    query = urlsplit(raw.authorize_url(client)).query
    return raw.send("GET", f"/authorize?{query}&{urlencode(values)}")


def test_authz_04_and_redir_24_one_value_of_a_repeated_parameter_is_used(raw, client):
    assert "code" in repeated(raw, client, state="another").redirect
    assert "code" in repeated(raw, client, code_challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").redirect
    assert repeated(raw, client, redirect_uri="https://evil.example/cb").status == 400


def test_authz_09_an_empty_scope_is_refused_and_a_missing_one_is_not(raw, client):
    assert "code" in raw.authorize(client).redirect
    assert raw.authorize(client, scope="").redirect["error"] == "invalid_scope"


def test_bearer_10_a_token_after_two_spaces_is_refused(raw, client):
    token = raw.tokens(client)["access_token"]

    assert raw.send("GET", "/mcp", authorization=f"Bearer  {token}").status == 401


@pytest.mark.parametrize("path", ["/.well-known/oauth-authorization-server", "/token", "/register"])
def test_headers_04_nosniff_is_missing(raw, path):
    answer = raw.send("GET" if path.startswith("/.well") else "POST", path)

    assert answer.headers["x-content-type-options"] is None


def test_meta_05_public_clients_are_registered_and_not_advertised(raw):
    metadata = raw.send("GET", "/.well-known/oauth-authorization-server").json

    assert "none" not in metadata["token_endpoint_auth_methods_supported"]
    assert raw.register(method="none").status == 201


def test_pkce_10_a_challenge_that_no_verifier_can_match_is_accepted(raw, client):
    assert "code" in raw.authorize(client, code_challenge="short").redirect


def test_pkce_11_a_verifier_of_one_character_is_accepted(raw, client):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"x").digest()).rstrip(b"=").decode()
    code = raw.authorize(client, code_challenge=challenge).redirect["code"]

    assert raw.redeem(client, code, code_verifier="x").status == 200


@pytest.mark.parametrize("spelling", [f" {CALLBACK}", f"{CALLBACK} ", f"{CALLBACK}\t", f"{CALLBACK}\n"])
def test_redir_26_white_space_around_the_uri_is_removed(raw, client, spelling):
    answer = raw.authorize(client, redirect_uri=spelling)

    assert answer.location.startswith(f"{CALLBACK}?code=")


def test_reg_02_a_body_of_a_megabyte_is_registered(raw):
    document = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "client_name": "n" * 1_000_000}

    assert raw.send("POST", "/register", json.dumps(document), content_type="application/json").status == 201


def test_replay_14_a_used_refresh_token_is_refused_at_once(raw, client):
    tokens = raw.tokens(client)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "client_id": client}

    assert [raw.form("/token", form).status for _ in range(2)] == [200, 400]


def test_revoke_08_a_wrong_secret_is_an_unauthorized_client(raw):
    registered = raw.register(method="client_secret_post").json
    form = {"client_id": registered["client_id"], "token": "any"}

    answers = [raw.form("/revoke", {**form, **secret}) for secret in ({}, {"client_secret": "wrong"})]

    assert [(answer.status, answer.json["error"]) for answer in answers] == [(401, "unauthorized_client")] * 2


def test_token_05_one_value_of_a_repeated_parameter_is_used(raw, client):
    code = raw.authorize(client).redirect["code"]
    correct = {"grant_type": "authorization_code", "client_id": client, "code": code, "redirect_uri": CALLBACK}
    body = urlencode([*correct.items(), ("code_verifier", "x" * 43), ("code_verifier", VERIFIER)])

    answer = raw.send("POST", "/token", body, content_type="application/x-www-form-urlencoded")

    assert answer.status == 200


def test_token_09_a_request_may_use_two_authentication_methods(raw):
    registered = raw.register(method="client_secret_post").json
    client, secret = registered["client_id"], registered["client_secret"]
    pair = base64.b64encode(f"{client}:{secret}".encode()).decode()
    code = raw.authorize(client).redirect["code"]

    assert raw.redeem(client, code, {"authorization": f"Basic {pair}"}, client_secret=secret).status == 200


def test_cors_02_a_preflight_of_the_token_endpoint_does_not_allow_authorization(raw):
    answer = raw.send(
        "OPTIONS",
        "/token",
        origin="https://client.example.com",
        access_control_request_method="POST",
        access_control_request_headers="authorization",
    )

    assert "authorization" not in (answer.headers["access-control-allow-headers"] or "").lower()


def test_bearer_11_the_first_of_two_authorization_headers_is_used(raw, client):
    valid = f"Bearer {raw.tokens(client)['access_token']}"

    def status(*values: str) -> int:
        connection = http.client.HTTPConnection(urlsplit(raw.origin).netloc, timeout=10)
        connection.putrequest("POST", "/mcp")
        for value in values:
            connection.putheader("authorization", value)
        connection.putheader("content-length", "0")
        connection.endheaders()
        answered = connection.getresponse().status
        connection.close()
        return answered

    assert status(valid, "Bearer another") == status(valid) != status("Bearer another", valid) == 401


def test_rate_13_wrong_secrets_have_no_rate_limit(raw):
    client = raw.register(method="client_secret_post").json["client_id"]

    tried = [raw.redeem(client, "any", client_secret=f"wrong-{number}").status for number in range(50)]

    assert tried == [401] * 50
