"""One Set-Cookie header, its date, its path: RFC 6265bis 5.1 and 5.6."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oauth_litmus.browser.cookies import SetCookie, default_path, parse_cookie_date, path_matches

START = 1_800_000_000.0


@pytest.mark.parametrize(
    ("header", "name", "value"),
    [
        ("a=b", "a", "b"),
        (" a = b ; Secure", "a", "b"),
        ("a=b=c", "a", "b=c"),
        ("bare", "", "bare"),
        ("=v", "", "v"),
        ("a=", "a", ""),
        ('a="q"', "a", '"q"'),
        ("", "", ""),
        (";Secure", "", ""),
    ],
)
def test_the_pair_is_read_up_to_the_first_semicolon(header, name, value):
    cookie = SetCookie.parse(header)

    assert (cookie.name, cookie.value, cookie.raw) == (name, value, header)


def test_attributes_keep_their_order_and_the_last_of_a_name_counts():
    cookie = SetCookie.parse("a=b; path=/x; SECURE; Path = /y; HttpOnly=whatever;; SameSite=lax; SameSite=STRICT")

    assert [name for name, _ in cookie.attributes] == [
        "path",
        "SECURE",
        "Path",
        "HttpOnly",
        "SameSite",
        "SameSite",
    ]
    assert (cookie.path, cookie.secure, cookie.http_only, cookie.same_site) == ("/y", True, True, "Strict")


@pytest.mark.parametrize(
    ("attribute", "domain", "path"),
    [
        ("Domain=.Example.COM", "example.com", None),
        ("Domain=", None, None),
        ("Domain", None, None),
        ("Path=relative", None, None),
        ("Path=", None, None),
        ("Path=/a;Path=b", None, None),
        (f"Path=/{'x' * 1024}", None, None),
    ],
)
def test_domain_and_path_are_normalised(attribute, domain, path):
    cookie = SetCookie.parse(f"a=b; {attribute}")

    assert (cookie.domain, cookie.path) == (domain, path)


@pytest.mark.parametrize(
    ("value", "same_site_value"),
    [("LAX", "Lax"), ("strict", "Strict"), ("None", "None"), ("maybe", None), ("", None)],
)
def test_an_unknown_same_site_value_is_the_default(value, same_site_value):
    assert SetCookie.parse(f"a=b; SameSite={value}").same_site == same_site_value


@pytest.mark.parametrize(
    ("attributes", "lifetime"),
    [
        ("", None),
        ("Max-Age=60", 60.0),
        ("Max-Age=0", 0.0),
        ("Max-Age=-5", -5.0),
        ("Max-Age=60; Max-Age=nonsense", 60.0),
        ("Max-Age=+5", None),
        ("Max-Age=1.5", None),
        ("Max-Age=-", None),
        (f"Max-Age={'9' * 1000}", 1e12),
        ("Expires=Fri, 15 Jan 2027 08:01:40 GMT", 100.0),
        ("Expires=Fri, 15 Jan 2027 08:01:40 GMT; Max-Age=60", 60.0),
        ("Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60.0),
        ("Expires=soon", None),
    ],
)
def test_max_age_wins_over_expires(attributes, lifetime):
    assert SetCookie.parse(f"a=b; {attributes}").lifetime(START) == lifetime


@pytest.mark.parametrize(
    ("attributes", "deletes"),
    [("Max-Age=0", True), ("Expires=Thu, 01-Jan-1970 00:00:00 GMT", True), ("Max-Age=1", False), ("", False)],
)
def test_a_lifetime_that_is_over_is_a_deletion(attributes, deletes):
    assert SetCookie.parse(f"a=b; {attributes}").is_deletion(START) is deletes


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("Wed, 09 Jun 2021 10:18:14 GMT", (2021, 6, 9, 10, 18, 14)),
        ("Wednesday, 09-Jun-21 10:18:14 GMT", (2021, 6, 9, 10, 18, 14)),
        ("Wed Jun  9 10:18:14 2021", (2021, 6, 9, 10, 18, 14)),
        ("9 june 2021 1:2:3", (2021, 6, 9, 1, 2, 3)),
        ("01 Jan 70 00:00:00", (1970, 1, 1, 0, 0, 0)),
        ("01 Jan 69 00:00:00", (2069, 1, 1, 0, 0, 0)),
        ("01st Jan 2030AD 00:00:00Z", (2030, 1, 1, 0, 0, 0)),
        ("30 Feb 2021 00:00:00", None),
        ("01 Jan 1600 00:00:00", None),
        ("01 Jan 2021 24:00:00", None),
        ("01 Jan 2021 00:00:60", None),
        ("00 Jan 2021 00:00:00", None),
        ("01 Jan 2021", None),
        ("01 Jan 20210 00:00:00", None),
        ("2021-06-09T10:18:14Z", None),
        ("", None),
    ],
)
def test_cookie_dates_are_read_as_5_1_1_says(text, instant):
    expected = None if instant is None else datetime(*instant, tzinfo=UTC).timestamp()

    assert parse_cookie_date(text) == expected


@pytest.mark.parametrize(
    ("path", "directory"),
    [("/auth/start/xyz", "/auth/start"), ("/auth", "/"), ("/", "/"), ("", "/"), ("x", "/"), ("/a/", "/a")],
)
def test_the_default_path_is_the_directory(path, directory):
    assert default_path(path) == directory


@pytest.mark.parametrize(
    ("request_path", "cookie_path", "matches"),
    [
        ("/auth/callback", "/", True),
        ("/auth/callback", "/auth", True),
        ("/auth/callback", "/auth/", True),
        ("/auth", "/auth", True),
        ("/auth", "/auth/", False),
        ("/authorize", "/auth", False),
        ("/auth/callback", "/auth/start", False),
        ("/Auth", "/auth", False),
    ],
)
def test_paths_match_at_a_slash(request_path, cookie_path, matches):
    assert path_matches(request_path, cookie_path) is matches
