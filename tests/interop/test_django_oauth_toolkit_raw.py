"""Every finding of the suite about django-oauth-toolkit, seen again in a raw exchange, without the suite.

A test that fails here says that the toolkit has changed: then its pin in `test_django_oauth_toolkit_server.py` goes, too.
"""

import base64
import hashlib
import json
import re
from urllib.parse import urlencode

import pytest
from django_oauth_toolkit_person import Person
from django_oauth_toolkit_process import running
from raw_http import CALLBACK, CHALLENGE, VERIFIER

pytestmark = pytest.mark.sockets

LOOPBACK_CALLBACK = "http://127.0.0.1:52731/cb"
OTHER = "https://client.example.com/other"
METADATA = "/.well-known/oauth-authorization-server/o"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def person():
    with running() as origin:
        yield Person(origin)


@pytest.fixture(scope="module")
def client(person):
    return person.client()


@pytest.fixture(scope="module")
def confidential(person):
    return person.register(method="client_secret_basic").json


def basic(client_id, secret, scheme="Basic"):
    return {"authorization": f"{scheme} {base64.b64encode(f'{client_id}:{secret}'.encode()).decode()}"}


def bearer(token):
    return {"authorization": f"Bearer {token}"}


def redeemed_by_basic(person, confidential, headers, **changes):
    client_id = confidential["client_id"]
    return person.redeem(client_id, person.code(client_id), headers, **{"client_id": None, **changes})


# Failures


def test_authz_09_an_empty_scope_is_refused_and_a_missing_one_is_not(person, client):
    assert "code" in person.authorize(client).redirect
    assert person.authorize(client, scope="").redirect["error"] == "invalid_scope"


def test_bearer_09_a_token_in_the_query_string_opens_the_resource(person, client):
    token = person.tokens(client)["access_token"]

    metadata = person.send("GET", "/.well-known/oauth-protected-resource/notes").json
    answer = person.send("GET", f"/notes?access_token={token}")

    assert (metadata["bearer_methods_supported"], answer.status) == (["header"], 200)


def test_expiry_16_and_reg_03_a_secret_comes_without_its_end_and_without_no_store(person):
    answer = person.register(method="client_secret_basic")

    assert answer.json["client_secret"]
    assert "client_secret_expires_at" not in answer.json
    assert answer.headers["cache-control"] is None


def test_pkce_09_an_empty_challenge_brings_a_code_that_nobody_can_redeem(person, client):
    answers = [
        person.redeem(client, person.code(client, code_challenge=""), code_verifier=verifier)
        for verifier in ("", "x", None)
    ]

    assert [answer.status for answer in answers] == [400, 400, 400]


def test_redir_19_a_code_goes_out_by_plain_http(person):
    client = person.client("http://client.example.com/cb")

    answer = person.authorize(client, redirect_uri="http://client.example.com/cb")

    assert answer.location.startswith("http://client.example.com/cb?code=")


def test_replay_07_reuse_of_a_refresh_token_ends_nothing(person, client):
    first = person.tokens(client)["refresh_token"]
    second = person.refresh(client, first).json["refresh_token"]

    reused, successor = person.refresh(client, first), person.refresh(client, second)

    assert (reused.status, reused.json["error"], successor.status) == (400, "invalid_grant", 200)


def test_revoke_07a_introspection_is_had_without_credentials(person, client, confidential):
    token = person.tokens(client)["access_token"]
    form = {"client_id": client, "token": token}

    assert person.form("/introspect", form).status == 403
    assert person.form("/introspect", form | {"grant_type": DEVICE_CODE}).json["active"] is True


def test_scope_05_a_narrowing_refresh_narrows_the_refresh_token(person, client):
    original = person.tokens(client)
    narrowed = person.refresh(client, original["refresh_token"], scope="read").json

    again = person.refresh(client, narrowed["refresh_token"], scope="read write")

    assert (original["scope"], narrowed["scope"]) == ("read write", "read")
    assert (again.status, again.json["error"]) == (400, "invalid_scope")


def test_token_09_of_two_secrets_either_may_be_wrong(person, confidential):
    client_id, secret = confidential["client_id"], confidential["client_secret"]

    right_header = redeemed_by_basic(
        person, confidential, basic(client_id, secret), client_id=client_id, client_secret="wrong"
    )
    right_body = redeemed_by_basic(
        person, confidential, basic(client_id, "wrong"), client_id=client_id, client_secret=secret
    )

    assert (right_header.status, right_body.status) == (200, 200)


def test_token_12_basic_in_small_letters_proves_nobody(person, confidential):
    pair = confidential["client_id"], confidential["client_secret"]

    assert redeemed_by_basic(person, confidential, basic(*pair)).status == 200
    assert redeemed_by_basic(person, confidential, basic(*pair, scheme="basic")).json["error"] == "invalid_client"


# The order: the login, then the request


@pytest.mark.parametrize(
    "defect",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"response_type": None},
        {"code_challenge": None},
        {"redirect_uri": "https://evil.example/cb"},
    ],
)
def test_authz_01_authz_02_and_redir_01_a_request_is_looked_at_after_the_login(person, client, defect):
    early, late = person.passer_by(client, **defect), person.ask(client, **defect)

    assert early.location.startswith("/accounts/login/")
    assert late.status == 400 or "error=" in late.location


def test_authz_02_an_empty_response_type_is_unsupported_not_missing(person, client):
    assert person.ask(client, response_type=None).redirect["error"] == "invalid_request"
    assert person.ask(client, response_type="").redirect["error"] == "unsupported_response_type"


@pytest.mark.parametrize(
    ("name", "value"), [("state", "another"), ("scope", "read"), ("response_type", "token"), ("client_id", "x")]
)
def test_authz_04_most_repetitions_are_refused(person, client, name, value):
    assert person.ask(client, (name, value), scope="read write").status == 400


def test_authz_04_of_two_challenges_the_last_counts(person, client):
    other = base64.urlsafe_b64encode(hashlib.sha256(b"x" * 43).digest()).rstrip(b"=").decode()
    code = person.code(client, ("code_challenge", CHALLENGE), code_challenge=other)

    assert person.redeem(client, code, code_verifier=VERIFIER).status == 200


def test_authz_12_a_port_beyond_65535_is_a_server_error(person, client):
    assert person.ask(client, redirect_uri="https://client.example.com:99999/cb").status == 500
    assert person.ask(client, redirect_uri="https://client.example.com:port/cb").status == 400


# Warnings about answers of the authorization endpoint


def test_iss_01_and_02_no_answer_names_the_issuer(person, client):
    metadata = person.send("GET", METADATA).json

    assert "authorization_response_iss_parameter_supported" not in metadata
    assert person.authorize(client).redirect.keys() == {"code", "state"}
    assert person.authorize(client, scope="other").redirect.keys() == {"error", "state"}


def test_iss_03_a_registered_state_stands_beside_the_right_one(person):
    registered = f"{CALLBACK}?state=registered"
    client = person.client(registered)

    answer = person.authorize(client, redirect_uri=registered)

    assert re.findall(r"state=(\w+)", answer.location) == ["registered", "s"]


def test_redir_17_the_registered_query_is_written_anew(person):
    registered = f"{CALLBACK}?tenant=a%20b&flag"
    client = person.client(registered)

    assert "?tenant=a+b&flag=&code=" in person.authorize(client, redirect_uri=registered).location


def test_headers_03_no_answer_of_the_authorization_endpoint_says_no_store(person, client):
    answers = [person.passer_by(client), person.ask(client), person.authorize(client)]

    assert [(answer.status, answer.headers["cache-control"]) for answer in answers] == [
        (302, None),
        (200, None),
        (302, None),
    ]


# Warnings about the metadata


def test_meta_03_04_and_05_what_is_advertised(person):
    metadata = person.send("GET", METADATA).json

    assert "token" in metadata["response_types_supported"]
    assert "plain" in metadata["code_challenge_methods_supported"]
    assert "none" not in metadata["token_endpoint_auth_methods_supported"]
    assert person.register(method="none").json["token_endpoint_auth_method"] == "none"


def test_meta_any_path_is_an_issuer(person):
    """Not a finding: why the suite asks the resource, and does not take its URL for an issuer."""
    metadata = person.send("GET", "/.well-known/oauth-authorization-server/notes").json

    assert (metadata["issuer"], metadata["token_endpoint"]) == (f"{person.origin}/notes", f"{person.origin}/o/token/")


def test_cors_02_a_preflight_of_the_metadata_allows_no_header(person):
    answer = person.send(
        "OPTIONS",
        METADATA,
        origin="https://client.example.com",
        access_control_request_method="GET",
        access_control_request_headers="mcp-protocol-version",
    )

    assert person.send("GET", METADATA).headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-headers"] is None


# Warnings about PKCE


def test_pkce_05_and_06_plain_is_taken_and_is_what_an_absent_method_means(person, client):
    for method in ("plain", None):
        code = person.code(client, code_challenge=VERIFIER, code_challenge_method=method)

        assert person.redeem(client, code).status == 200


def test_pkce_10_a_challenge_that_no_verifier_can_match_brings_a_code(person, client):
    assert "code" in person.authorize(client, code_challenge="short").redirect


def test_pkce_11_a_verifier_of_one_character_will_do(person, client):
    challenge = base64.urlsafe_b64encode(hashlib.sha256(b"x").digest()).rstrip(b"=").decode()

    assert person.redeem(client, person.code(client, code_challenge=challenge), code_verifier="x").status == 200


# Warnings about redirect URIs


@pytest.mark.parametrize(
    "spelling", ["HTTPS://client.example.com/cb", "https://CLIENT.example.com/cb", f"{CALLBACK}\n"]
)
def test_redir_08_and_26_another_spelling_is_taken(person, client, spelling):
    answer = person.authorize(client, redirect_uri=spelling)

    assert answer.location.lower().startswith(f"{CALLBACK}?code=")


def test_redir_13_a_loopback_port_may_be_one_that_cannot_be(person):
    client = person.client(LOOPBACK_CALLBACK)

    answer = person.authorize(client, redirect_uri="http://127.0.0.1:99999/cb")

    assert answer.location.startswith("http://127.0.0.1:99999/cb?code=")


def test_redir_16_another_redirect_uri_at_the_token_endpoint_is_an_invalid_request(person, client):
    answer = person.redeem(client, person.code(client), redirect_uri=OTHER)

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


def test_redir_16_it_may_be_left_out_where_one_is_registered_and_not_where_two_are(person, client):
    other = person.client(CALLBACK, OTHER)

    alone = person.redeem(client, person.code(client), redirect_uri=None)
    of_two = person.redeem(other, person.code(other), redirect_uri=None)

    assert (alone.status, of_two.status, of_two.json["error"]) == (200, 400, "invalid_request")


def test_redir_20_a_star_is_registered_as_it_stands(person):
    client = person.client("https://client.example.com/*")

    assert person.ask(client, redirect_uri=CALLBACK).status == 400


# Warnings about tokens


def test_replay_02_a_replayed_code_revokes_nothing(person, client):
    code = person.code(client)
    tokens = person.redeem(client, code).json

    assert person.redeem(client, code).json["error"] == "invalid_grant"
    assert person.refresh(client, tokens["refresh_token"]).status == 200


def test_replay_14_a_used_refresh_token_brings_nothing_however_soon(person, client):
    token = person.tokens(client)["refresh_token"]

    assert [person.refresh(client, token).status for _ in range(2)] == [200, 400]


def test_res_05_a_code_that_was_redeemed_for_one_resource_is_good_for_no_other(person, client):
    ours, other = f"{person.origin}/notes", "https://elsewhere.example.com/api"

    def redeemed(resource):
        code = person.code(client, ("resource", other), resource=ours)
        return person.redeem(client, code, resource=resource)

    tokens = redeemed(ours).json
    answer = person.refresh(client, tokens["refresh_token"], resource=other)

    assert redeemed(other).status == 200
    assert (answer.status, answer.json["error"]) == (400, "invalid_target")


def test_revoke_07d_every_client_with_a_secret_learns_of_every_token(person, client, confidential):
    stranger = {"client_id": confidential["client_id"], "client_secret": confidential["client_secret"]}

    told = person.form("/introspect", {**stranger, "token": person.tokens(client)["access_token"]}).json

    assert (told["active"], told["client_id"], told["username"]) == (True, client, "ada")


def test_scope_07a_nobody_is_registered_for_a_scope(person):
    document = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "scope": "read"}
    registered = person.send("POST", "/register", json.dumps(document), content_type="application/json").json

    assert "scope" not in registered
    assert person.tokens(registered["client_id"])["scope"] == "read write"


def test_scope_12c_the_challenge_of_a_refused_operation_names_no_scope(person, client):
    token = person.redeem(client, person.code(client, scope="read")).json["access_token"]

    refused = person.send("POST", "/notes", **bearer(token))

    assert refused.status == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert not re.search(r"\bscope=", refused.headers["www-authenticate"])


def test_token_03_a_missing_grant_type_is_an_unsupported_one(person, client):
    assert person.form("/token", {"client_id": client}).json["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("repeated", [("code_verifier", "x" * 43), ("code", "another")])
def test_token_05_of_a_repeated_parameter_the_last_counts(person, client, repeated):
    correct = {"grant_type": "authorization_code", "client_id": client, "redirect_uri": CALLBACK}
    body = [*correct.items(), repeated, ("code", person.code(client)), ("code_verifier", VERIFIER)]

    answer = person.send("POST", "/token", urlencode(body), content_type="application/x-www-form-urlencoded")

    assert answer.status == 200


def test_token_07_a_wrong_secret_by_basic_is_challenged_with_bearer(person, confidential):
    answer = redeemed_by_basic(person, confidential, basic(confidential["client_id"], "wrong"))

    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_client"')


def test_inj_01_two_client_ids_in_one_request_are_a_server_error(person, client, confidential):
    pair = basic(confidential["client_id"], confidential["client_secret"])

    answer = person.redeem(client, person.code(client), pair)

    assert (answer.status, answer.json["error"]) == (400, "server_error")


# Warnings about the resource


def test_bearer_01_the_challenge_names_no_scope(person):
    answer = person.send("GET", "/notes")

    assert re.findall(r'([a-z_]+)="', answer.headers["www-authenticate"]) == ["resource_metadata"]


def test_bearer_01_the_plain_view_of_the_tutorial_answers_403_without_a_challenge(person):
    for headers in ({}, bearer("no-such-token")):
        answer = person.send("GET", "/plain-notes", **headers)

        assert (answer.status, answer.headers["www-authenticate"]) == (403, None)


def test_bearer_11_a_token_in_the_header_and_one_in_the_form_are_not_too_many(person, client):
    token = person.tokens(client)["access_token"]

    assert person.form("/notes", {"access_token": token}, **bearer(token)).status == 200


def test_bearer_16_a_view_that_asks_for_no_scope_lets_in_whoever_registered(person):
    registered = person.register().json

    assert person.send("GET", "/anybody", **bearer(registered["registration_access_token"])).status == 200
    assert person.send("GET", "/notes", **bearer(registered["registration_access_token"])).status == 403


# Limits


def test_rate_01_no_number_of_requests_is_too_much(person, client):
    assert {person.passer_by(client).status for _ in range(60)} == {302}


def test_rate_13_any_number_of_wrong_secrets_is_tried(person, confidential):
    client_id = confidential["client_id"]

    assert {person.redeem(client_id, "any", client_secret=f"wrong-{n}").status for n in range(50)} == {401}


# With every switch for RFC 9700


def test_iss_02_the_switch_promises_an_iss_that_errors_lack():
    with running(strict=True) as origin:
        person = Person(origin)
        client = person.client()
        metadata, answer = person.send("GET", METADATA).json, person.authorize(client)

        assert metadata["authorization_response_iss_parameter_supported"] is True
        assert answer.redirect["iss"] == metadata["issuer"]
        assert person.authorize(client, scope="other").redirect.keys() == {"error", "state"}
