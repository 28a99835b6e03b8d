"""Redirect URIs: which may be registered, when two match, and how response parameters are added."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supabase_relay.redirect_uris import append_to_query, find_registered, host_of, may_be_registered, same_redirect_uri

REGISTERED = "https://client.example.com/app/cb"


@pytest.mark.parametrize(
    "uri",
    [
        REGISTERED,
        "https://client.example.com",
        "https://client.example.com:8443/cb?tenant=a%20b&flag",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:3000/cb",
        "http://[::1]:3000/cb",
        "http://localhost:3000/cb",
        "com.example.app:/cb",
        "com.example.app://cb",
    ],
)
def test_a_safe_uri_may_be_registered(uri):
    assert may_be_registered(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "javascript://client.example.com/%0aalert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:https://client.example.com/x",
        "http://client.example.com/cb",
        "http://192.168.1.5/cb",
        "http://127.0.0.1.nip.example/cb",
        "http://localhost.evil.example/cb",
        "http://localhost:80@evil.example/cb",
        "http://127.0.0.1:3000@evil.example/cb",
        "http://localhost%2f@evil.example/cb",
        "http://[::1]@evil.example/cb",
        "http://127.0.0.1\\@evil.example/cb",
        "http://localhost#@evil.example/cb",
        REGISTERED + "#fragment",
        REGISTERED + "#",
        "/cb",
        "",
        "https://",
        "https:///cb",
        "https:client.example.com/cb",
        "https://*.example.com/cb",
        "https://client.example.com/*",
        "https://user@client.example.com/cb",
        "https://client.example.com:0/cb",
        "https://client.example.com:99999/cb",
        "https://client.example.com/a b",
        "https://client.example.com/\n",
        "https://client.example.com./cb",
        "https://clíent.example.com/cb",
        "myapp:/cb",
        "com.example.app:",
        REGISTERED + "?iss=https://evil.example",
        REGISTERED + "?co%64e=x",
        REGISTERED + "?state",
        "https://client.example.com/" + "x" * 2048,
    ],
)
def test_an_unsafe_uri_may_not_be_registered(uri):
    assert not may_be_registered(uri)


def test_the_operator_may_allow_a_scheme_without_a_period():
    assert may_be_registered("cursor://callback", ["cursor"])
    assert not may_be_registered("javascript:alert(1)", ["javascript"])


@pytest.mark.parametrize(
    "requested",
    [
        REGISTERED + "/",
        REGISTERED + "/evil",
        REGISTERED + "evil",
        REGISTERED + "?",
        REGISTERED + "?x=1",
        REGISTERED + "#x",
        REGISTERED + "/../evil",
        REGISTERED + "%00",
        " " + REGISTERED,
        REGISTERED + " ",
        "HTTPS://client.example.com/app/cb",
        "https://CLIENT.example.com/app/cb",
        "https://client.example.com:443/app/cb",
        "https://client.example.com/app/c%62",
        "https://client.example.com/app/x/../cb",
        "http://client.example.com/app/cb",
        "https://client.example.com@evil.example/app/cb",
        "https://evil.example/app/cb",
        "//client.example.com/app/cb",
    ],
)
def test_a_different_spelling_does_not_match(requested):
    assert not same_redirect_uri(requested, REGISTERED)


@pytest.mark.parametrize(
    ("requested", "registered"),
    [
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1/cb"),
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1:3000/cb"),
        ("http://127.0.0.1/cb", "http://127.0.0.1:3000/cb"),
        ("http://[::1]:61023/cb", "http://[::1]/cb"),
        ("http://localhost:61023/cb", "http://localhost:1/cb"),
    ],
)
def test_a_loopback_address_matches_with_any_port(requested, registered):
    assert same_redirect_uri(requested, registered)


@pytest.mark.parametrize(
    "requested",
    [
        "http://127.0.0.1:3000/evil",
        "http://127.0.0.1:3000/cb?x=1",
        "https://127.0.0.1:3000/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.2:3000/cb",
        "http://2130706433:3000/cb",
        "http://0x7f.1:3000/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://user@127.0.0.1:3000/cb",
        "http://[::1]:3000/cb",
        "http://127.0.0.1:abc/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:\u0663\u0660/cb",
        "http://127.0.0.1:3000.evil.example/cb",
    ],
)
def test_a_loopback_address_matches_only_if_all_but_the_port_is_equal(requested):
    assert not same_redirect_uri(requested, "http://127.0.0.1:3000/cb")


def test_the_redirect_uri_is_optional_if_exactly_one_is_registered():
    assert find_registered(None, [REGISTERED]) == REGISTERED
    assert find_registered(None, [REGISTERED, REGISTERED + "2"]) is None
    assert find_registered(None, []) is None


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://a.example/cb", "https://a.example/cb?code=x%2By"),
        ("https://a.example/cb?", "https://a.example/cb?code=x%2By"),
        ("https://a.example/cb?tenant=a%20b&flag", "https://a.example/cb?tenant=a%20b&flag&code=x%2By"),
        ("com.example.app:/cb", "com.example.app:/cb?code=x%2By"),
    ],
)
def test_response_parameters_keep_the_registered_query(uri, expected):
    assert append_to_query(uri, {"code": "x+y"}) == expected


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        (REGISTERED, "client.example.com"),
        ("http://127.0.0.1:3/cb", "127.0.0.1:3"),
        ("com.example.app:/cb", "com.example.app:"),
    ],
)
def test_the_recipient_is_shown_by_its_host(uri, host):
    assert host_of(uri) == host


@given(st.text())
def test_no_text_raises_an_error(text):
    assert same_redirect_uri(text, "http://127.0.0.1:3000/cb") in {True, False}
    assert may_be_registered(text) in {True, False}
