"""Findings about node-oauth's server, confirmed in raw exchanges without the suite.

If a test fails, the library has changed: remove its pin in `test_node_oauth_server.py` too.
"""

import base64
import http.client
import os
import time
from urllib.parse import urlencode, urlsplit

import pytest
from raw_http import CALLBACK, VERIFIER, Raw

pytestmark = pytest.mark.sockets

CLIENT = "public-one"
SECRET_CLIENT, SECRET_CALLBACK = "secret-one", "https://secret-one.client.example.com/cb"
SEVERAL = ("https://client.example.com/cb2/", "https://client.example.com/app/cb")
LOOPBACK_CALLBACK = "http://127.0.0.1:52731/cb"
ACCESS_TOKEN_TTL = 8


@pytest.fixture(scope="module")
def raw(node_oauth):
    return Raw(node_oauth)


def basic(client, secret):
    return {"authorization": "Basic " + base64.b64encode(f"{client}:{secret}".encode()).decode()}


def refresh(raw, refresh_token, **changes):
    form = {"grant_type": "refresh_token", "client_id": CLIENT, "refresh_token": refresh_token, **changes}
    return raw.form("/token", form)


def error(answer):
    return (answer.status, answer.json["error"])


def test_authz_03_state_is_required_and_must_be_ascii(raw):
    assert [raw.authorize(CLIENT, state=state).status for state in ("a b", None, "é")] == [302, 400, 400]


def test_authz_04_a_repeated_state_is_returned_twice(raw):
    query = urlsplit(raw.authorize_url(CLIENT)).query
    another = urlencode({"state": "another", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"})

    answer = raw.send("GET", f"/authorize?{query}&{another}")

    assert answer.status == 302
    assert answer.location.endswith("&state=s&state=another")


def test_authz_07_an_error_has_a_location_with_status_400(raw):
    answer = raw.authorize(CLIENT, response_type="bogus")

    assert (answer.status, answer.redirect["error"]) == (400, "unsupported_response_type")


def test_authz_09_an_empty_scope_is_refused_and_a_missing_one_is_not(raw):
    assert "code" in raw.authorize(CLIENT).redirect
    assert error(raw.authorize(CLIENT, scope="")) == (400, "invalid_scope")


def test_bearer_01_02_and_03_no_refusal_has_a_challenge(raw):
    token = raw.tokens(CLIENT)["access_token"]
    opened = raw.send("GET", "/notes", authorization=f"Bearer {token}")
    time.sleep(ACCESS_TOKEN_TTL + 1)  # the library runs in another process, whose clock the test cannot move

    refused = [
        raw.send("GET", "/notes"),
        *(raw.send("GET", "/notes", authorization=f"Bearer {t}") for t in ("x", token)),
    ]

    assert opened.status == 200
    assert [(answer.status, answer.headers["www-authenticate"]) for answer in refused] == [(401, None)] * 3


def test_bearer_10_the_scheme_in_small_letters_is_refused(raw):
    token = raw.tokens(CLIENT)["access_token"]

    assert [raw.send("GET", "/notes", authorization=f"{scheme} {token}").status for scheme in ("Bearer", "bearer")] == [
        200,
        400,
    ]


def test_bearer_11_the_first_of_two_authorization_headers_is_used(raw):
    valid = f"Bearer {raw.tokens(CLIENT)['access_token']}"

    def status(*values):
        connection = http.client.HTTPConnection(urlsplit(raw.origin).netloc, timeout=10)
        connection.putrequest("GET", "/notes")
        for value in values:
            connection.putheader("authorization", value)
        connection.endheaders()
        answered = connection.getresponse().status
        connection.close()
        return answered

    assert [status(valid, "Bearer another"), status("Bearer another", valid)] == [200, 401]


def test_headers_03_and_04_no_store_and_nosniff_are_missing(raw):
    answer = raw.authorize(CLIENT)

    assert "code" in answer.redirect
    assert answer.headers["cache-control"] is None
    assert raw.send("POST", "/token").headers["x-content-type-options"] is None


def test_iss_01_no_answer_names_the_issuer(raw):
    assert raw.authorize(CLIENT).redirect.keys() == {"code", "state"}


def test_pkce_14_a_confidential_client_redeems_a_code_that_had_no_challenge(raw):
    no_challenge = {"code_challenge": None, "code_challenge_method": None}
    code = raw.authorize(SECRET_CLIENT, redirect_uri=SECRET_CALLBACK, **no_challenge).redirect["code"]
    secret = basic(SECRET_CLIENT, os.environ["NODE_OAUTH_SECRET_ONE"])

    answer = raw.redeem(SECRET_CLIENT, code, secret, redirect_uri=SECRET_CALLBACK, code_verifier=None)

    assert answer.status == 200


def test_pkce_01_a_public_client_gets_a_code_without_challenge_and_cannot_redeem_it(raw):
    code = raw.authorize(CLIENT, code_challenge=None, code_challenge_method=None).redirect["code"]

    assert [raw.redeem(CLIENT, code, code_verifier=verifier).status for verifier in (None, VERIFIER)] == [400, 400]


def test_pkce_04_and_17_a_missing_verifier_is_an_invalid_client(raw):
    code = raw.authorize(CLIENT).redirect["code"]

    assert error(raw.redeem(CLIENT, code, code_verifier=None)) == (400, "invalid_client")


def test_pkce_06_an_absent_method_means_s256(raw):
    assert raw.redeem(CLIENT, raw.authorize(CLIENT, code_challenge_method=None).redirect["code"]).status == 200


def test_pkce_10_a_challenge_that_no_verifier_can_match_is_accepted(raw):
    assert "code" in raw.authorize(CLIENT, code_challenge="short").redirect


def test_redir_11_another_loopback_port_is_refused(raw):
    answers = [
        raw.authorize("native-with-port", redirect_uri=uri) for uri in (LOOPBACK_CALLBACK, "http://127.0.0.1:51004/cb")
    ]

    assert [answer.status for answer in answers] == [302, 400]


def test_redir_15_the_first_of_several_uris_is_the_default(raw):
    answer = raw.authorize("several", redirect_uri=None)

    assert (answer.status, answer.location.partition("?")[0]) == (302, SEVERAL[0])


@pytest.mark.parametrize("redirect_uri", ["https://client.example.com/other", None])
def test_redir_16_another_redirect_uri_or_none_at_the_token_endpoint_is_an_invalid_request(raw, redirect_uri):
    code = raw.authorize(CLIENT).redirect["code"]

    assert error(raw.redeem(CLIENT, code, redirect_uri=redirect_uri)) == (400, "invalid_request")


def test_redir_17_the_registered_query_is_encoded_again_and_an_error_with_it_is_lost(raw):
    registered = f"{CALLBACK}?tenant=a%20b&flag"

    answer = raw.authorize("awkward-query", redirect_uri=registered)
    refused = raw.authorize("awkward-query", redirect_uri=registered, response_type="bogus")

    assert answer.location.startswith(f"{CALLBACK}?tenant=a%20b&flag=&code=")
    assert (refused.status, refused.location) == (400, registered)


def test_replay_03_a_code_is_spent_before_its_verifier_is_checked(raw):
    code = raw.authorize(CLIENT).redirect["code"]

    answers = [raw.redeem(CLIENT, code, code_verifier=verifier) for verifier in ("x" * 43, VERIFIER)]

    assert [error(answer) for answer in answers] == [(400, "invalid_grant")] * 2


def test_replay_14_a_used_refresh_token_is_refused_at_once(raw):
    token = raw.tokens(CLIENT)["refresh_token"]

    assert [refresh(raw, token).status for _ in range(2)] == [200, 400]


@pytest.mark.parametrize("scope", ["", "no-such-scope"])
def test_scope_02_and_08_a_refused_scope_spends_the_refresh_token(raw, scope):
    token = raw.tokens(CLIENT)["refresh_token"]

    assert error(refresh(raw, token, scope=scope)) == (400, "invalid_scope")
    assert error(refresh(raw, token)) == (400, "invalid_grant")


def test_scope_12_insufficient_scope_has_no_challenge(raw):
    token = refresh(raw, raw.tokens(CLIENT)["refresh_token"], scope="notes:read").json["access_token"]

    answer = raw.send("POST", "/notes", authorization=f"Bearer {token}")

    assert (*error(answer), answer.headers["www-authenticate"]) == (403, "insufficient_scope", None)


@pytest.mark.parametrize("grant_type", ["urn:example:no-such-grant", "password", None])
def test_token_03_an_unknown_grant_type_is_an_invalid_client(raw, grant_type):
    answer = raw.form("/token", {"client_id": CLIENT, **({"grant_type": grant_type} if grant_type else {})})

    assert error(answer) == (400, "invalid_client")


def test_token_05_a_repeated_code_is_an_invalid_grant(raw):
    code = raw.authorize(CLIENT).redirect["code"]
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    body = urlencode([*form.items(), ("code", code), ("code", code)])

    answer = raw.send("POST", "/token", body, content_type="application/x-www-form-urlencoded")

    assert error(answer) == (400, "invalid_grant")


def test_token_09_a_secret_in_the_body_is_ignored_beside_basic(raw):
    code = raw.authorize(SECRET_CLIENT, redirect_uri=SECRET_CALLBACK).redirect["code"]
    secret = basic(SECRET_CLIENT, os.environ["NODE_OAUTH_SECRET_ONE"])

    answer = raw.redeem(SECRET_CLIENT, code, secret, redirect_uri=SECRET_CALLBACK, client_secret="wrong")

    assert answer.status == 200


def test_rate_01_the_authorization_endpoint_has_no_rate_limit(raw):
    assert {raw.authorize(CLIENT).status for _ in range(60)} == {302}
