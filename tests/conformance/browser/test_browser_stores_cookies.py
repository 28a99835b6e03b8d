"""Which cookies the browser model stores, against RFC 6265bis section 5.7, rule by rule."""

from __future__ import annotations

import pytest
from cookie_jar import RELAY, START, rule_of, the_only
from hypothesis import given
from hypothesis import strategies as st

from oauth_litmus.browser.model import Browser, Navigation, Rejected, Rule, Stored


@given(st.text(), st.sampled_from(["", "a=b; Expires=", "a=b; Max-Age=", "a=b; Domain=", "__Host-a=b; Path="]))
def test_any_string_at_all_can_be_received(text, beginning):
    browser = Browser(lambda: START)

    outcome = the_only(browser.receive(RELAY, [beginning + text]))

    assert isinstance(outcome, Stored | Rejected)


@given(st.text(), st.text())
def test_any_string_at_all_can_be_navigated_to(url, initiator):
    browser = Browser(lambda: START)
    browser.receive(url, ["a=b"])

    assert browser.withheld(Navigation(url, initiator=initiator)) is not None


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("__Host-a=b; Secure; Path=/", None),
        ("__Host-a=b; Path=/", Rule.PREFIX),
        ("__Host-a=b; Secure", Rule.PREFIX),
        ("__Host-a=b; Secure; Path=/auth", Rule.PREFIX),
        ("__Host-a=b; Secure; Path=/; Domain=relay.example.com", Rule.PREFIX),
        ("__hOsT-a=b; Secure", Rule.PREFIX),
        ("__Secure-a=b; Secure; Domain=example.com", None),
        ("__Secure-a=b", Rule.PREFIX),
        ("__secure-a=b", Rule.PREFIX),
        ("=__Host-a=b; Secure; Path=/", Rule.PREFIX),
        ("__Hostile=b", None),
    ],
)
def test_prefixes_are_enforced_in_any_case(browser, header, rule):
    assert rule_of(browser, header) is rule


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://relay.example.com", None),
        ("http://relay.example.com", Rule.SECURE),
        ("http://localhost:8000", None),
        ("http://auth.localhost", None),
        ("http://127.0.0.1:9", None),
        ("http://127.8.8.8", None),
        ("http://[::1]:9", None),
        ("http://10.0.0.1", Rule.SECURE),
        ("http://localhost.example.com", Rule.SECURE),
    ],
)
def test_secure_cookies_come_from_trustworthy_origins_only(browser, url, rule):
    assert rule_of(browser, "a=b; Secure", url) is rule


def test_safari_takes_http_on_loopback_for_plain_http(clock):
    safari = Browser(clock, secure_on_loopback=False)

    assert rule_of(safari, "a=b; Secure", "http://localhost") is Rule.SECURE


@pytest.mark.parametrize(
    ("url", "domain", "rule"),
    [
        (RELAY, "example.com", None),
        (RELAY, "relay.example.com", None),
        (RELAY, "EXAMPLE.com", None),
        (RELAY, "other.example.com", Rule.DOMAIN),
        (RELAY, "y.example.com", Rule.DOMAIN),
        (RELAY, "deeper.relay.example.com", Rule.DOMAIN),
        (RELAY, "com", Rule.PUBLIC_SUFFIX),
        ("https://a.co.uk", "co.uk", Rule.PUBLIC_SUFFIX),
        ("https://me.github.io", "github.io", Rule.PUBLIC_SUFFIX),
        ("https://github.io", "github.io", None),
        (RELAY, "exämple.com", Rule.DOMAIN),
        ("http://127.0.0.1", "0.0.1", Rule.DOMAIN),
        ("http://localhost", "localhost", None),
    ],
)
def test_the_domain_must_cover_the_host_and_be_no_registry(browser, url, domain, rule):
    assert rule_of(browser, f"a=b; Domain={domain}", url) is rule


def test_a_public_suffix_that_names_its_own_host_makes_a_host_only_cookie(browser):
    stored = the_only(browser.receive("http://localhost", ["a=b; Domain=localhost"]))

    assert stored.cookie.host_only


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        (f"a={'x' * 4095}", None),
        (f"a={'x' * 4096}", Rule.TOO_LARGE),
        (f"a={'é' * 2048}", Rule.TOO_LARGE),
        ("a=b\x00", Rule.CONTROL_CHARACTER),
        ("a=b; Path=/\x7f", Rule.CONTROL_CHARACTER),
        ("a=b\tc", None),
        ("=", Rule.EMPTY),
        ("", Rule.EMPTY),
        ("a=b; SameSite=None", Rule.SAME_SITE_NONE),
        ("a=b; SameSite=None; Secure", None),
    ],
)
def test_malformed_and_half_meant_cookies_are_refused(browser, header, rule):
    assert rule_of(browser, header) is rule


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("a=b; SameSite=Strict", Rule.SAME_SITE),
        ("a=b", Rule.SAME_SITE),
        ("a=b; SameSite=None; Secure", None),
    ],
)
def test_a_foreign_pages_subresource_sets_same_site_none_only(browser, header, rule):
    assert rule_of(browser, header, cross_site_subresource=True) is rule


@pytest.mark.parametrize(
    ("path", "rule"),
    [("/login", Rule.OVERLAYS_SECURE), ("/login/en", Rule.OVERLAYS_SECURE), ("/", None), ("/foo", None)],
)
def test_plain_http_cannot_overlay_a_secure_cookie(browser, path, rule):
    browser.receive(RELAY, ["a=b; Secure; Path=/login"])

    assert rule_of(browser, f"a=evil; Path={path}", "http://relay.example.com") is rule


def test_a_rejection_tells_its_reason_and_clause(browser):
    rejected = the_only(browser.receive(RELAY, ["__Host-a=b; Secure; Path=/auth"]))

    assert str(rejected.reason) == "__Host-a lacks Path=/, which its prefix demands (RFC 6265bis 4.1.3.2)"


def test_a_cookie_without_path_gets_the_directory_of_its_url(browser):
    stored = the_only(browser.receive(f"{RELAY}/auth/start/xyz?q=/", ["a=b"]))

    assert stored.cookie.path == "/auth/start"


def test_lifetimes_are_shortened_to_400_days(browser):
    stored = the_only(browser.receive(RELAY, ["a=b; Max-Age=99999999999"]))

    assert stored.cookie.expires == START + 400 * 86400


def test_a_deletion_removes_the_cookie_of_the_same_name_domain_and_path(browser):
    browser.receive(RELAY, ["a=b; Path=/"])

    deletion = the_only(browser.receive(RELAY, ["a=; Path=/; Max-Age=0"]))

    assert deletion.is_deletion
    assert deletion.replaced is not None
    assert browser.jar() == []


@pytest.mark.parametrize("attributes", ["Path=/auth", "Path=/; Domain=relay.example.com"])
def test_a_deletion_with_other_attributes_replaces_nothing(browser, attributes):
    browser.receive(RELAY, ["a=b; Path=/"])

    deletion = the_only(browser.receive(RELAY, [f"a=; Max-Age=0; {attributes}"]))

    assert (deletion.is_deletion, deletion.replaced) == (True, None)
    assert browser.cookie_header(Navigation(RELAY)) == "a=b"


def test_a_deletion_that_breaks_its_prefix_is_rejected(browser):
    browser.receive(RELAY, ["__Host-a=b; Secure; Path=/"])

    assert rule_of(browser, "__Host-a=; Path=/; Max-Age=0") is Rule.PREFIX
    assert len(browser.jar()) == 1
