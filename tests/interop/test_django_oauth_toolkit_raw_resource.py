"""Findings about the resource and the metadata of django-oauth-toolkit, confirmed in raw exchanges without the suite.

If a test fails, the toolkit has changed: remove its pin in `test_django_oauth_toolkit_server.py` too.
"""

import re

import pytest
from django_oauth_toolkit_raw import METADATA, bearer

pytestmark = pytest.mark.sockets


def test_bearer_09_the_resource_accepts_a_token_in_the_query_string(person, public_client):
    token = person.tokens(public_client)["access_token"]

    metadata = person.send("GET", "/.well-known/oauth-protected-resource/notes").json
    answer = person.send("GET", f"/notes?access_token={token}")

    assert (metadata["bearer_methods_supported"], answer.status) == (["header"], 200)


def test_meta_03_04_and_05_the_metadata_differs_from_the_behaviour(person):
    metadata = person.send("GET", METADATA).json

    assert "token" in metadata["response_types_supported"]
    assert "plain" in metadata["code_challenge_methods_supported"]
    assert "none" not in metadata["token_endpoint_auth_methods_supported"]
    assert person.register(method="none").json["token_endpoint_auth_method"] == "none"


def test_meta_every_path_has_metadata_as_an_issuer(person):
    """Not a finding: this is why the suite reads the resource's metadata and does not treat its URL as an issuer."""
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


def test_scope_12c_the_challenge_of_a_refused_operation_names_no_scope(person, public_client):
    token = person.redeem(public_client, person.code(public_client, scope="read")).json["access_token"]

    refused = person.send("POST", "/notes", **bearer(token))

    assert refused.status == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
    assert not re.search(r"\bscope=", refused.headers["www-authenticate"])


def test_bearer_01_the_challenge_names_no_scope(person):
    answer = person.send("GET", "/notes")

    assert re.findall(r'([a-z_]+)="', answer.headers["www-authenticate"]) == ["resource_metadata"]


def test_bearer_01_the_plain_view_of_the_tutorial_answers_403_without_a_challenge(person):
    for headers in ({}, bearer("no-such-token")):
        answer = person.send("GET", "/plain-notes", **headers)

        assert (answer.status, answer.headers["www-authenticate"]) == (403, None)


def test_bearer_11_a_token_in_the_header_and_in_the_form_is_accepted(person, public_client):
    token = person.tokens(public_client)["access_token"]

    assert person.form("/notes", {"access_token": token}, **bearer(token)).status == 200


def test_bearer_16_a_view_without_a_scope_accepts_registration_access_tokens(person):
    registered = person.register().json

    assert person.send("GET", "/anybody", **bearer(registered["registration_access_token"])).status == 200
    assert person.send("GET", "/notes", **bearer(registered["registration_access_token"])).status == 403
