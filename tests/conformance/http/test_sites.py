"""Schemeful sites: RFC 6265bis 5.2."""

from __future__ import annotations

import pytest

from oauth_litmus.http.sites import same_site


@pytest.mark.parametrize(
    ("url_a", "url_b", "is_same"),
    [
        ("https://a.example.com/x", "https://b.example.com:8443/y", True),
        ("https://example.com", "http://example.com", False),
        ("https://example.com", "https://example.org", False),
        ("https://a.co.uk", "https://b.co.uk", False),
        ("https://me.github.io", "https://you.github.io", False),
        ("https://github.io", "https://github.io", True),
        ("http://localhost:1", "http://localhost:2", True),
        ("http://localhost", "http://127.0.0.1", False),
        ("http://127.0.0.1:1", "http://127.0.0.1:2", True),
        ("http://127.0.0.1", "http://127.0.0.2", False),
        ("http://10.1.0.1", "http://10.2.0.1", False),
        ("http://[::1]:1", "http://[::1]:2", True),
        ("https://EXAMPLE.com", "https://example.com", True),
        ("https://bücher.example.com", "https://xn--bcher-kva.example.com", True),
        ("about:blank", "about:blank", False),
        ("https://[", "https://[", False),
    ],
)
def test_a_site_is_scheme_and_registrable_domain(url_a, url_b, is_same):
    assert same_site(url_a, url_b) is is_same
    assert same_site(url_b, url_a) is is_same
