"""The browser model against RFC 6265bis, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth_litmus.browser_model import (
    Browser,
    Navigation,
    Rejected,
    Rule,
    SetCookie,
    Stored,
    StoredCookie,
)

RELAY = "https://relay.example.com"
CALLBACK = f"{RELAY}/auth/callback"
PROVIDER = "https://accounts.provider.test/consent?code=secret"
START = 1_800_000_000.0


class Clock:
    def __init__(self):
        self.time = START

    def __call__(self):
        return self.time


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def browser(clock):
    return Browser(clock)


def from_provider(method="GET", url=CALLBACK, top_level=True):
    return Navigation(url, method, top_level=top_level, initiator=PROVIDER)


def the_only(outcomes):
    (outcome,) = outcomes
    return outcome


def rule_of(browser, header, url=RELAY, **how):
    outcome = the_only(browser.receive(url, [header], **how))
    return outcome.reason.rule if isinstance(outcome, Rejected) else None


# Any input


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


# Storage (5.7)


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
def test_the_domain_must_cover_the_host_and_be_nobodys_registry(browser, url, domain, rule):
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


# Retrieval (5.8.3)


@pytest.mark.parametrize(
    ("attributes", "navigation", "is_sent"),
    [
        ("SameSite=Lax", from_provider(), True),
        ("SameSite=Lax", from_provider("HEAD"), True),
        ("SameSite=Lax", from_provider("POST"), False),
        ("SameSite=Lax", from_provider(top_level=False), False),
        ("", from_provider(), True),
        ("", from_provider("POST"), True),
        ("", from_provider("POST", top_level=False), False),
        ("SameSite=Strict", from_provider(), False),
        ("SameSite=Strict", Navigation(CALLBACK), True),
        ("SameSite=Strict", Navigation(CALLBACK, initiator="https://id.example.com:8443/x"), True),
        ("SameSite=Strict", Navigation(CALLBACK, initiator="http://relay.example.com/"), False),
        ("SameSite=Strict", Navigation(CALLBACK, initiator="about:blank"), False),
        ("SameSite=Strict", Navigation(CALLBACK, "POST", initiator=RELAY), True),
        ("SameSite=None; Secure", from_provider("POST", top_level=False), True),
    ],
)
def test_same_site_is_judged_by_kind_of_navigation(browser, attributes, navigation, is_sent):
    browser.receive(RELAY, [f"a=b; Path=/; {attributes}"])

    assert (browser.cookie_header(navigation) == "a=b") is is_sent


def test_the_post_exception_lasts_two_minutes(browser, clock):
    browser.receive(RELAY, ["a=b"])
    clock.time += 120
    at_the_edge = browser.cookie_header(from_provider("POST"))
    clock.time += 1

    assert (at_the_edge, browser.cookie_header(from_provider("POST"))) == ("a=b", None)


@pytest.mark.parametrize(("value", "sent"), [("new", "a=new"), ("old", None)])
def test_only_a_new_value_starts_the_post_window_anew(browser, clock, value, sent):
    browser.receive(RELAY, ["a=old"])
    clock.time += 100
    browser.receive(RELAY, [f"a={value}"])
    clock.time += 100

    assert browser.cookie_header(from_provider("POST")) == sent


def test_firefox_has_no_post_exception(clock):
    firefox = Browser(clock, lax_post_exception=False)
    firefox.receive(RELAY, ["a=b"])

    assert firefox.cookie_header(from_provider("POST")) is None


def test_a_chain_of_redirects_counts_by_the_page_that_began_it(browser):
    browser.receive(RELAY, ["a=b; Path=/; SameSite=Strict"])

    back_from_a_silent_provider = Navigation(CALLBACK, initiator=f"{RELAY}/consent")

    assert browser.cookie_header(back_from_a_silent_provider) == "a=b"


@pytest.mark.parametrize(
    ("secure_on_loopback", "url", "is_sent"),
    [
        (True, "http://127.0.0.1:8000/", True),
        (False, "http://127.0.0.1:8000/", False),
        (False, "https://127.0.0.1:8000/", True),
    ],
)
def test_secure_cookies_go_to_https_and_to_loopback(clock, secure_on_loopback, url, is_sent):
    browser = Browser(clock, secure_on_loopback=secure_on_loopback)
    browser.set("a", "b", url, secure=True)

    assert (browser.cookie_header(Navigation(url)) == "a=b") is is_sent


def test_a_secure_cookie_stays_away_from_plain_http(browser):
    browser.receive(RELAY, ["a=b; Secure"])

    assert browser.cookie_header(Navigation("http://relay.example.com/")) is None


def test_host_only_and_domain_cookies_differ_below_their_host(browser):
    browser.receive(RELAY, ["host=1", "domain=2; Domain=example.com"])

    assert browser.cookie_header(Navigation("https://x.relay.example.com/")) == "domain=2"
    assert browser.cookie_header(Navigation("https://example.com/")) == "domain=2"


def test_ports_share_cookies_and_hosts_do_not(browser):
    browser.receive("http://127.0.0.1:8000/", ["a=b"])

    assert browser.cookie_header(Navigation("http://127.0.0.1:9000/")) == "a=b"
    assert browser.cookie_header(Navigation("http://localhost:8000/")) is None


def test_a_cookie_is_gone_when_its_lifetime_is_over(browser, clock):
    browser.receive(RELAY, ["a=b; Max-Age=60"])
    clock.time += 59.9
    shortly_before = browser.cookie_header(Navigation(RELAY))
    clock.time += 0.1

    assert (shortly_before, browser.cookie_header(Navigation(RELAY)), browser.jar()) == ("a=b", None, [])


def test_longer_paths_come_first_and_then_older_cookies(browser, clock):
    browser.receive(RELAY, ["root=1; Path=/"])
    clock.time += 1
    browser.receive(RELAY, ["later=2; Path=/", "deep=3; Path=/auth", "bare; Path=/"])

    assert browser.cookie_header(Navigation(CALLBACK)) == "deep=3; root=1; later=2; bare"


@pytest.mark.parametrize(
    ("header", "navigation", "rule"),
    [
        ("a=b; Path=/; SameSite=Strict", from_provider(), Rule.SAME_SITE),
        ("a=b; Path=/auth/start", from_provider(), Rule.PATH),
        ("a=b; Path=/; Secure", Navigation("http://relay.example.com/auth/callback"), Rule.SECURE),
        ("a=b; Path=/", from_provider(url="https://callback.example.com/"), Rule.HOST),
    ],
)
def test_what_is_withheld_has_its_rule(browser, header, navigation, rule):
    browser.receive(RELAY, [header])

    cookie, reason = the_only(browser.withheld(navigation))

    assert (cookie.name, reason.rule) == ("a", rule)


def test_a_withheld_strict_cookie_names_the_site_and_not_its_secrets(browser):
    browser.receive(RELAY, ["a=b; Path=/; SameSite=Strict"])

    (_, reason) = the_only(browser.withheld(from_provider()))

    assert str(reason) == (
        "it is SameSite=Strict and another site began the navigation (https://accounts.provider.test)"
        " (RFC 6265bis 5.6.7.1)"
    )


def test_an_expired_cookie_is_withheld_for_its_age(browser, clock):
    browser.receive(RELAY, ["a=b; Max-Age=60"])
    clock.time += 60

    assert the_only(browser.withheld(Navigation(RELAY))).reason.rule is Rule.EXPIRED


def test_another_sites_cookies_are_not_called_withheld(browser):
    browser.receive("https://elsewhere.test", ["a=b"])

    assert browser.withheld(Navigation(RELAY)) == []


# What checks do with a jar


def test_a_forced_cookie_goes_whatever_its_attributes_say(browser, clock):
    stored = the_only(browser.receive(RELAY, ["a=b; Path=/auth/start; SameSite=Strict; Secure; Max-Age=60"]))
    clock.time += 3600

    browser.force(stored.cookie)

    assert browser.cookie_header(from_provider("POST", "http://relay.example.com/auth/callback")) == "a=b"
    assert browser.cookie_header(Navigation("https://other.example.com/")) is None
    assert len(browser.jar()) == 1


def test_a_forced_cookie_can_still_be_deleted(browser):
    browser.force(the_only(browser.receive(RELAY, ["a=b; Path=/"])).cookie)

    browser.receive(RELAY, ["a=; Path=/; Max-Age=0"])

    assert browser.jar() == []


def test_a_copy_goes_its_own_way(browser):
    browser.receive(RELAY, ["a=b"])
    attacker = browser.copy()

    attacker.receive(RELAY, ["a=evil"])

    assert (browser.cookie_header(Navigation(RELAY)), attacker.cookie_header(Navigation(RELAY))) == ("a=b", "a=evil")


def test_a_copy_keeps_the_rules_of_its_browser(clock):
    safari = Browser(clock, secure_on_loopback=False)
    safari.set("a", "b", "http://localhost/", secure=True)

    assert safari.copy().cookie_header(Navigation("http://localhost/")) is None


def test_without_gives_a_browser_that_lacks_the_name(browser):
    browser.receive(RELAY, ["a=1", "a=2; Path=/auth", "b=3; Path=/"])

    assert browser.without("a").cookie_header(Navigation(CALLBACK)) == "b=3"
    assert len(browser.jar()) == 3


def test_tampering_changes_the_value_only(browser):
    before = the_only(browser.receive(RELAY, ["a=b; Secure; Path=/; SameSite=Lax"])).cookie

    assert browser.tamper("a", "evil") == 1
    assert browser.jar() == [replace(before, value="evil")]


def test_a_cookie_can_be_planted(browser, clock):
    browser.set("a", "b", CALLBACK, domain=".example.com", path="/auth", same_site="Lax", max_age=10)

    assert browser.cookie_header(Navigation("https://other.example.com/auth/x")) == "a=b"
    clock.time += 10
    assert browser.jar() == []


def test_planting_needs_a_host(browser):
    with pytest.raises(ValueError, match="'/callback' has no host"):
        browser.set("a", "b", "/callback")


def test_values_stay_out_of_the_repr():
    header = SetCookie.parse("a=hush")

    assert "hush" not in repr(header)
    assert "hush" not in repr(StoredCookie("a", header.value, "example.com"))
