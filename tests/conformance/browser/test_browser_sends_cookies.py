"""Which cookies the browser model sends, against RFC 6265bis section 5.8.3, and by which rule it withholds the others."""

from __future__ import annotations

import pytest
from cookie_jar import CALLBACK, RELAY, from_provider, the_only

from oauth_litmus.browser.model import Browser, Navigation, Rule


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
