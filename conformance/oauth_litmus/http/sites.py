"""Hosts, registrable domains and schemeful sites, as browsers determine them (RFC 6265bis 5.1.2, 5.1.3 and 5.2)."""

from __future__ import annotations

import ipaddress
from functools import cache, lru_cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

_HOSTS = 1024
"""Size of each cache by host: a run asks for a few hosts again and again."""


def scheme_of(url: str) -> str:
    """Return the scheme in lower case; empty if `url` is not a URL."""
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def host_of(url: str) -> str:
    """Return the canonicalized host of `url` (RFC 6265bis 5.1.2), without port and brackets; empty if there is none."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return canonical_host(host)


def canonical_host(host: str) -> str:
    """Return `host` in lower case, with its labels as A-labels unless IDNA cannot convert the name."""
    if host.isascii():
        return host.lower()
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.lower()


def path_of(url: str) -> str:
    """Return the path of `url`, or `/` if it is empty."""
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return "/"


@lru_cache(maxsize=_HOSTS)
def is_ip_address(host: str) -> bool:
    """Whether `host` is an IPv4 or IPv6 address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=_HOSTS)
def is_loopback(host: str) -> bool:
    """Whether browsers trust `host` without TLS: 127.0.0.0/8, ::1, localhost and below (Secure Contexts 3.1)."""
    if is_ip_address(host):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def is_public_suffix(host: str) -> bool:
    """Whether `host` is a registry's own domain, such as `com` or `github.io`; an unlisted single label is one too."""
    return not is_ip_address(host) and _public_suffixes().is_public(host)


@lru_cache(maxsize=_HOSTS)
def registrable_domain(host: str) -> str:
    """Return the registrable domain of `host`; for an IP address, a public suffix or `localhost`, `host` itself."""
    if is_ip_address(host):
        return host
    return _public_suffixes().privatesuffix(host) or host


def domain_matches(host: str, domain: str) -> bool:
    """Whether `host` is `domain` or a subdomain of it (RFC 6265bis 5.1.3)."""
    return host == domain or (host.endswith(f".{domain}") and not is_ip_address(host))


def same_site(url_a: str, url_b: str) -> bool:
    """Whether two URLs belong to one schemeful site (RFC 6265bis 5.2).

    Scheme and registrable domain decide; ports do not matter. So `http://localhost` and `http://127.0.0.1` are two
    sites, and two ports of 127.0.0.1 are one. A URL without a host (`about:blank`, `data:`) belongs to no site.
    """
    host_a, host_b = host_of(url_a), host_of(url_b)
    if not host_a or not host_b or scheme_of(url_a) != scheme_of(url_b):
        return False
    return registrable_domain(host_a) == registrable_domain(host_b)


@cache
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()
