"""The jar of a browser, as checks use it: copies, forced cookies and planted cookies."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cookie_jar import CALLBACK, RELAY, from_provider, the_only

from oauth_litmus.browser.model import Browser, Navigation, SetCookie, StoredCookie


def test_a_forced_cookie_is_sent_despite_its_attributes(browser, clock):
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
