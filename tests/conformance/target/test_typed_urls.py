"""The URL that a person types, and the addresses of metadata that follow from it."""

import pytest

from oauth_litmus.target.discovery import NoServerError, metadata_urls, normalise, resource_metadata_urls

AS = "http://127.0.0.1:8000"
RS = "http://localhost:9000"
OAUTH = ".well-known/oauth-authorization-server"
OPENID = ".well-known/openid-configuration"
PROTECTED = ".well-known/oauth-protected-resource"


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://as.example.com", "https://as.example.com"),
        ("https://as.example.com/", "https://as.example.com"),
        ("  https://as.example.com/tenant/ \n", "https://as.example.com/tenant"),
        ("as.example.com", "https://as.example.com"),
        ("as.example.com:8443/t1", "https://as.example.com:8443/t1"),
        ("https://as.example.com/x?y=z#frag", "https://as.example.com/x?y=z"),
        ("HTTPS://as.example.com", "https://as.example.com"),
        ("localhost:8080", "http://localhost:8080"),
        ("localhost", "http://localhost"),
        ("127.0.0.1:8080/mcp", "http://127.0.0.1:8080/mcp"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("127.example.com", "https://127.example.com"),
        ("localhost.example.com", "https://localhost.example.com"),
    ],
)
def test_a_typed_url_is_completed(typed, url):
    assert normalise(typed) == url


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "ftp://as.example.com", "https://", "http:///x", "https://a b.example.com", "mailto:a@b.example"],
)
def test_what_is_no_url_of_a_server_is_said(typed):
    with pytest.raises(NoServerError):
        normalise(typed)


@pytest.mark.parametrize(
    "typed", ["https://[broken", "https://a.example:99999", "https://a.example:0", "http://a.example:x"]
)
def test_what_is_no_url_at_all_is_said(typed):
    with pytest.raises(NoServerError, match="is no"):
        normalise(typed)


def test_credentials_in_a_url_are_refused_and_not_repeated():
    with pytest.raises(NoServerError, match="must not hold credentials") as refused:
        normalise("https://ann:hunter2@as.example.com")

    assert "hunter2" not in str(refused.value)


def test_metadata_of_an_issuer_without_a_path():
    assert metadata_urls(AS) == [f"{AS}/{OAUTH}", f"{AS}/{OPENID}"]


def test_metadata_of_an_issuer_with_a_path_is_looked_for_in_the_order_of_clients():
    assert metadata_urls(f"{AS}/t1") == [
        f"{AS}/{OAUTH}/t1",
        f"{AS}/{OPENID}/t1",
        f"{AS}/t1/{OPENID}",
        f"{AS}/t1/{OAUTH}",
    ]


def test_metadata_of_a_resource():
    assert resource_metadata_urls(f"{RS}/mcp/") == [f"{RS}/{PROTECTED}/mcp", f"{RS}/{PROTECTED}"]
    assert resource_metadata_urls(RS) == [f"{RS}/{PROTECTED}"]
