"""Findings about registration, tokens, revocation and introspection of django-oauth-toolkit, confirmed in raw exchanges.

If a test fails, the toolkit has changed: remove its pin in `test_django_oauth_toolkit_server.py` too.
"""

import json
from urllib.parse import urlencode

import pytest
from django_oauth_toolkit_raw import basic, redeemed_by_basic
from raw_http import CALLBACK, VERIFIER

pytestmark = pytest.mark.sockets

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


def test_expiry_16_and_reg_03_the_answer_with_a_secret_lacks_its_expiry_and_no_store(person):
    answer = person.register(method="client_secret_basic")

    assert answer.json["client_secret"]
    assert "client_secret_expires_at" not in answer.json
    assert answer.headers["cache-control"] is None


def test_replay_07_reuse_of_a_refresh_token_revokes_nothing(person, public_client):
    first = person.tokens(public_client)["refresh_token"]
    second = person.refresh(public_client, first).json["refresh_token"]

    reused, successor = person.refresh(public_client, first), person.refresh(public_client, second)

    assert (reused.status, reused.json["error"], successor.status) == (400, "invalid_grant", 200)


def test_revoke_07a_introspection_needs_no_credentials(person, public_client, confidential_client):
    token = person.tokens(public_client)["access_token"]
    form = {"client_id": public_client, "token": token}

    assert person.form("/introspect", form).status == 403
    assert person.form("/introspect", form | {"grant_type": DEVICE_CODE}).json["active"] is True


def test_scope_05_a_narrowing_refresh_narrows_the_refresh_token(person, public_client):
    original = person.tokens(public_client)
    narrowed = person.refresh(public_client, original["refresh_token"], scope="read").json

    again = person.refresh(public_client, narrowed["refresh_token"], scope="read write")

    assert (original["scope"], narrowed["scope"]) == ("read write", "read")
    assert (again.status, again.json["error"]) == (400, "invalid_scope")


def test_token_09_one_of_two_secrets_may_be_wrong(person, confidential_client):
    client_id, secret = confidential_client["client_id"], confidential_client["client_secret"]

    right_header = redeemed_by_basic(
        person, confidential_client, basic(client_id, secret), client_id=client_id, client_secret="wrong"
    )
    right_body = redeemed_by_basic(
        person, confidential_client, basic(client_id, "wrong"), client_id=client_id, client_secret=secret
    )

    assert (right_header.status, right_body.status) == (200, 200)


def test_token_12_the_scheme_basic_in_small_letters_is_refused(person, confidential_client):
    pair = confidential_client["client_id"], confidential_client["client_secret"]

    capital = redeemed_by_basic(person, confidential_client, basic(*pair))
    small = redeemed_by_basic(person, confidential_client, basic(*pair, scheme="basic"))

    assert (capital.status, small.json["error"]) == (200, "invalid_client")


def test_replay_02_a_replayed_code_revokes_nothing(person, public_client):
    code = person.code(public_client)
    tokens = person.redeem(public_client, code).json

    assert person.redeem(public_client, code).json["error"] == "invalid_grant"
    assert person.refresh(public_client, tokens["refresh_token"]).status == 200


def test_replay_14_a_used_refresh_token_is_refused_at_once(person, public_client):
    token = person.tokens(public_client)["refresh_token"]

    assert [person.refresh(public_client, token).status for _ in range(2)] == [200, 400]


def test_res_05_tokens_redeemed_for_one_resource_cannot_be_refreshed_for_another(person, public_client):
    ours, other = f"{person.origin}/notes", "https://elsewhere.example.com/api"

    def redeemed(resource):
        code = person.code(public_client, ("resource", other), resource=ours)
        return person.redeem(public_client, code, resource=resource)

    tokens = redeemed(ours).json
    answer = person.refresh(public_client, tokens["refresh_token"], resource=other)

    assert redeemed(other).status == 200
    assert (answer.status, answer.json["error"]) == (400, "invalid_target")


def test_revoke_07d_a_confidential_client_can_introspect_tokens_of_another_client(
    person, public_client, confidential_client
):
    stranger = {"client_id": confidential_client["client_id"], "client_secret": confidential_client["client_secret"]}

    told = person.form("/introspect", {**stranger, "token": person.tokens(public_client)["access_token"]}).json

    assert (told["active"], told["client_id"], told["username"]) == (True, public_client, "ada")


def test_scope_07a_a_registered_scope_has_no_effect(person):
    document = {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", "scope": "read"}
    registered = person.send("POST", "/register", json.dumps(document), content_type="application/json").json

    assert "scope" not in registered
    assert person.tokens(registered["client_id"])["scope"] == "read write"


def test_token_03_a_missing_grant_type_counts_as_unsupported(person, public_client):
    assert person.form("/token", {"client_id": public_client}).json["error"] == "unsupported_grant_type"


@pytest.mark.parametrize("repeated", [("code_verifier", "x" * 43), ("code", "another")])
def test_token_05_the_last_value_of_a_repeated_parameter_is_used(person, public_client, repeated):
    correct = {"grant_type": "authorization_code", "client_id": public_client, "redirect_uri": CALLBACK}
    body = [*correct.items(), repeated, ("code", person.code(public_client)), ("code_verifier", VERIFIER)]

    answer = person.send("POST", "/token", urlencode(body), content_type="application/x-www-form-urlencoded")

    assert answer.status == 200


def test_token_07_the_challenge_after_a_wrong_basic_secret_is_bearer(person, confidential_client):
    answer = redeemed_by_basic(person, confidential_client, basic(confidential_client["client_id"], "wrong"))

    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer error="invalid_client"')


def test_inj_01_two_client_ids_in_one_request_are_a_server_error(person, public_client, confidential_client):
    pair = basic(confidential_client["client_id"], confidential_client["client_secret"])

    answer = person.redeem(public_client, person.code(public_client), pair)

    assert (answer.status, answer.json["error"]) == (400, "server_error")


def test_rate_13_wrong_secrets_have_no_rate_limit(person, confidential_client):
    client_id = confidential_client["client_id"]

    assert {person.redeem(client_id, "any", client_secret=f"wrong-{n}").status for n in range(50)} == {401}
