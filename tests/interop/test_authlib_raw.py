"""Findings about Authlib's server, confirmed in raw exchanges without the suite; `test_authlib_raw_registration.py` has the rest.

If a test fails, Authlib has changed: remove its pin in `test_authlib_server.py` too.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from authlib_raw import BOTH, FORM, AuthlibRaw, basic
from authlib_server import create_app
from raw_http import CALLBACK, CHALLENGE, VERIFIER
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


@pytest.fixture(scope="module")
def confidential(raw):
    """The id and the secret of a client that authenticates by HTTP Basic."""
    return raw.secret_client()


def metadata(raw):
    return raw.send("GET", "/.well-known/oauth-authorization-server").json


@pytest.mark.parametrize("response_type", [None, ""])
def test_authz_02_a_missing_response_type_is_unsupported(raw, client, response_type):
    assert raw.authorize(client, response_type=response_type).redirect["error"] == "unsupported_response_type"


@pytest.mark.parametrize("response_type", ['code"', "c\\de", "codé"])
def test_authz_11_a_response_type_with_forbidden_characters_is_a_server_error(raw, client, response_type):
    assert raw.authorize(client, response_type="bogus").redirect["error"] == "unsupported_response_type"
    assert raw.authorize(client, response_type=response_type).status == 500


def test_bearer_01_the_first_challenge_names_an_error(raw):
    answer = raw.send("GET", "/notes")

    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith('bearer error="missing_authorization"')


def test_headers_03_the_redirect_with_the_code_has_no_cache_control(raw, client):
    answer = raw.consent(client)

    assert "code" in answer.redirect
    assert answer.headers["cache-control"] is None


def test_headers_04_nosniff_is_missing(raw):
    assert raw.token({}).headers["x-content-type-options"] is None


def test_iss_02_errors_before_the_consent_page_lack_the_promised_iss(raw, client):
    assert metadata(raw)["authorization_response_iss_parameter_supported"] is True
    assert raw.consent(client).redirect["iss"] == raw.origin

    assert raw.authorize(client, scope="other").redirect.keys() == {"error", "error_description", "state"}


def test_iss_03_an_answer_has_the_registered_state_and_the_sent_one(raw):
    registered = f"{CALLBACK}?state=registered"
    client = raw.client(registered)

    answer = raw.consent(client, redirect_uri=registered)

    pairs = parse_qsl(urlsplit(answer.location).query)
    assert [value for name, value in pairs if name == "state"] == ["registered", "s"]


def test_pkce_01_a_code_without_challenge_is_issued_and_cannot_be_redeemed(raw, client):
    codes = [raw.code(client, code_challenge=None, code_challenge_method=None) for _ in range(2)]

    answers = [
        raw.redeem(client, code, code_verifier=verifier) for code, verifier in zip(codes, (VERIFIER, None), strict=True)
    ]

    assert [(answer.status, answer.json["error"]) for answer in answers] == [(400, "invalid_request")] * 2


def test_pkce_14_a_confidential_client_needs_no_pkce(raw, confidential):
    client, secret = confidential
    code = raw.code(client, code_challenge=None, code_challenge_method=None)

    assert raw.redeem(None, code, basic(client, secret), code_verifier=None).status == 200


def test_meta_04_pkce_05_and_06_plain_is_supported_and_the_default(raw, client):
    assert metadata(raw)["code_challenge_methods_supported"] == ["plain", "S256"]
    for method in ("plain", None):
        code = raw.code(client, code_challenge=VERIFIER, code_challenge_method=method)
        assert raw.redeem(client, code).status == 200


def test_replay_02_the_replay_of_a_code_revokes_nothing(raw, client):
    code = raw.code(client)
    tokens = raw.redeem(client, code).json

    assert raw.redeem(client, code).status == 400
    assert raw.refresh(client, tokens["refresh_token"]).status == 200


def test_replay_04_several_concurrent_redemptions_succeed(raw, client):
    code = raw.code(client)

    answers = raw.together(lambda: raw.redeem(client, code))

    assert sum(answer.status == 200 for answer in answers) > 1


def test_replay_07_reuse_revokes_nothing(raw, client):
    first = raw.tokens(client)
    second = raw.refresh(client, first["refresh_token"]).json

    assert raw.refresh(client, first["refresh_token"]).status == 400
    assert raw.refresh(client, second["refresh_token"]).status == 200


def test_replay_10_several_concurrent_refreshes_succeed(raw, client):
    tokens = raw.tokens(client)

    answers = raw.together(lambda: raw.refresh(client, tokens["refresh_token"]))

    assert sum(answer.status == 200 for answer in answers) > 1


def test_replay_14_a_used_refresh_token_is_refused_at_once(raw, client):
    tokens = raw.tokens(client)

    assert [raw.refresh(client, tokens["refresh_token"]).status for _ in range(2)] == [200, 400]


def test_revoke_05_a_public_client_cannot_revoke(raw, client):
    form = {"client_id": client, "token": raw.tokens(client)["refresh_token"]}

    answer = raw.form("/oauth/revoke", form)

    assert (answer.status, answer.json["error"]) == (401, "invalid_client")


def test_revoke_07e_an_access_token_with_the_hint_refresh_token_is_inactive(raw, confidential):
    token = raw.tokens_of(*confidential)["access_token"]

    def active(**hint):
        return raw.form("/oauth/introspect", {"token": token, **hint}, **basic(*confidential)).json.get("active")

    assert [active(), active(token_type_hint="refresh_token"), active(token_type_hint="other")] == [True, False, None]


@pytest.mark.parametrize(("hint", "status"), [("access_token", 200), ("other", 401)])
def test_revoke_09_a_refresh_token_stays_valid_after_a_revocation_with_a_wrong_hint(raw, confidential, hint, status):
    token, by = raw.tokens_of(*confidential)["refresh_token"], basic(*confidential)

    assert raw.form("/oauth/revoke", {"token": token, "token_type_hint": hint}, **by).status == status
    assert raw.refresh(None, token, by).status == 200


def test_scope_05_a_narrowing_refresh_narrows_the_refresh_token(raw, client):
    narrowed = raw.refresh(client, raw.tokens(client)["refresh_token"], scope="notes:read").json

    answer = raw.refresh(client, narrowed["refresh_token"], scope=BOTH)

    assert (answer.status, answer.json["error"]) == (400, "invalid_scope")


def test_scope_12_insufficient_scope_has_no_challenge(raw, client):
    token = raw.redeem(client, raw.code(client, scope="notes:write")).json["access_token"]

    answer = raw.send("GET", "/notes", authorization=f"Bearer {token}")

    assert (answer.status, answer.json["error"], answer.headers["www-authenticate"]) == (
        403,
        "insufficient_scope",
        None,
    )


def test_token_03_a_missing_grant_type_is_unsupported(raw, client):
    assert raw.token({"client_id": client}).json["error"] == "unsupported_grant_type"


def test_token_04_parameters_other_than_code_and_verifier_may_be_in_the_url(raw, client):
    query = urlencode({"grant_type": "authorization_code", "client_id": client, "redirect_uri": CALLBACK})

    assert raw.token({"code": raw.code(client), "code_verifier": VERIFIER}, f"?{query}").status == 200


def test_token_05_the_first_of_two_verifiers_is_used(raw, client):
    correct = {"grant_type": "authorization_code", "client_id": client, "redirect_uri": CALLBACK}

    def redeemed(*verifiers):
        pairs = [*correct.items(), ("code", raw.code(client)), *(("code_verifier", one) for one in verifiers)]
        return raw.send("POST", "/oauth/token", urlencode(pairs), content_type=FORM).status

    assert [redeemed(VERIFIER, CHALLENGE), redeemed(CHALLENGE, VERIFIER)] == [200, 400]


def test_token_09_a_request_may_use_two_authentication_methods(raw, confidential):
    client, secret = confidential

    assert raw.redeem(client, raw.code(client), basic(client, secret), client_secret="wrong").status == 200


@pytest.mark.parametrize("secret", [b"\xff\xfe", "é"])
def test_token_10_a_secret_outside_ascii_or_utf_8_is_a_server_error(raw, confidential, secret):
    assert raw.redeem(None, "any", basic(confidential[0], "wrong")).status == 401
    assert raw.redeem(None, "any", basic(confidential[0], secret)).status == 500


def test_rate_01_the_authorization_endpoint_has_no_rate_limit(raw, client):
    assert {raw.authorize(client).status for _ in range(60)} == {200}


def test_rate_13_wrong_secrets_have_no_rate_limit(raw, confidential):
    wrong = [basic(confidential[0], f"wrong-{number}") for number in range(50)]

    assert [raw.redeem(None, "any", by).status for by in wrong] == [401] * 50
