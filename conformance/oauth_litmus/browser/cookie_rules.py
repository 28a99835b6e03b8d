"""The rules by which a browser stores and sends cookies, with the reason if it does not (RFC 6265bis 5.4, 5.7, 5.8.3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from oauth_litmus.browser.cookies import MAX_PAIR_OCTETS, SameSite, SetCookie, default_path, octets, path_matches
from oauth_litmus.http.sites import (
    domain_matches,
    host_of,
    is_public_suffix,
    path_of,
    registrable_domain,
    same_site,
    scheme_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LONGEST_LIFETIME = 400 * 24 * 3600
"""Seconds to which browsers shorten every lifetime (RFC 6265bis 5.5)."""

LAX_POST_WINDOW = 120
"""Seconds for which a new cookie without SameSite is sent with a cross-site POST (RFC 6265bis 5.6.7.2; Chrome)."""

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_CONTROL = re.compile(r"[\x00-\x08\x0A-\x1F\x7F]")


class Rule(StrEnum):
    """The rule by which a browser does not store or send a cookie, for code that must distinguish the rules."""

    CONTROL_CHARACTER = "control-character"
    EMPTY = "empty"
    TOO_LARGE = "too-large"
    DOMAIN = "domain"
    PUBLIC_SUFFIX = "public-suffix"
    SECURE = "secure"
    OVERLAYS_SECURE = "overlays-secure"
    SAME_SITE = "same-site"
    SAME_SITE_NONE = "same-site-none"
    PREFIX = "prefix"
    HOST = "host"
    PATH = "path"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a cookie is not stored or not sent: the rule, a sentence for the report, and the clause."""

    rule: Rule
    sentence: str
    clause: str

    def __str__(self) -> str:
        return f"{self.sentence} ({self.clause})"


@dataclass(frozen=True, slots=True)
class StoredCookie:
    """A cookie in a browser's store (RFC 6265bis 5.7).

    `created` and `expires` are Unix seconds. With `expires` None it is a session cookie; with `same_site` None the
    browser's default applies. A `forced` cookie is sent to its host regardless of the other fields.
    """

    name: str
    value: str = field(repr=False)
    domain: str
    path: str = "/"
    host_only: bool = True
    secure: bool = False
    http_only: bool = False
    same_site: SameSite | None = None
    created: float = 0.0
    expires: float | None = None
    forced: bool = False

    @property
    def identity(self) -> tuple[str, str, bool, str]:
        """The key by which a later cookie replaces this one: name, domain, host-only flag and path."""
        return self.name, self.domain, self.host_only, self.path

    def is_expired(self, now: float) -> bool:
        """Whether the cookie is expired at `now` (Unix seconds)."""
        return self.expires is not None and self.expires <= now


@dataclass(frozen=True, slots=True)
class Navigation:
    """One browser request for a document.

    `initiator` is the URL of the page that began it. None means that a person typed the URL or the system opened it,
    which counts as same-site. In a chain of redirects, the initiator stays the page that began the chain. A redirect
    through another site does not make the chain cross-site (Chrome tried that in version 91 and reverted it). So a
    Strict cookie is still sent after an upstream that only redirects, but not after a person clicks at the upstream.
    """

    url: str
    method: str = "GET"
    top_level: bool = True
    initiator: str | None = None

    @property
    def is_cross_site(self) -> bool:
        """Whether a page of another schemeful site began the navigation (RFC 6265bis 5.2)."""
        return self.initiator is not None and not same_site(self.initiator, self.url)

    @property
    def is_safe(self) -> bool:
        """Whether the method is a safe one (RFC 9110 9.2.1)."""
        return self.method.upper() in _SAFE_METHODS


@dataclass(frozen=True, slots=True)
class Arrival:
    """A Set-Cookie header that a browser is about to process, with its URL, its time, and the cookies already stored."""

    set_cookie: SetCookie
    url: str
    now: float
    trustworthy: bool
    cross_site_subresource: bool
    present: Sequence[StoredCookie]

    @property
    def host(self) -> str:
        """The host that sent the header."""
        return host_of(self.url)

    @property
    def domain(self) -> str | None:
        """The Domain to store; None makes the cookie host-only. A Domain that is the host and a public suffix counts as None."""
        domain = self.set_cookie.domain
        return None if domain == self.host and is_public_suffix(self.host) else domain

    def cookie(self) -> StoredCookie:
        """Return the cookie as it would be stored; if it is already expired, `expires` equals `now`."""
        lifetime = self.set_cookie.lifetime(self.now)
        expires = None if lifetime is None else self.now + min(max(lifetime, 0), LONGEST_LIFETIME)
        return StoredCookie(
            name=self.set_cookie.name,
            value=self.set_cookie.value,
            domain=self.domain or self.host,
            path=self.set_cookie.path or default_path(path_of(self.url)),
            host_only=self.domain is None,
            secure=self.set_cookie.secure,
            http_only=self.set_cookie.http_only,
            same_site=self.set_cookie.same_site,
            created=self.now,
            expires=expires,
        )


def refusal(arrival: Arrival) -> Reason | None:
    """Return the first rule of RFC 6265bis 5.7 by which a browser ignores the cookie; None if the browser stores it."""
    return next((reason for rule in _STORAGE_RULES if (reason := rule(arrival))), None)


def withholding(
    cookie: StoredCookie, navigation: Navigation, now: float, *, trustworthy: bool, lax_post_exception: bool
) -> Reason | None:
    """Return why a browser does not send the cookie with the navigation (RFC 6265bis 5.8.3); None if it sends it."""
    host, path = host_of(navigation.url), path_of(navigation.url)
    if not (host == cookie.domain if cookie.host_only else domain_matches(host, cookie.domain)):
        scope = "the host" if cookie.host_only else "the domain"
        return Reason(Rule.HOST, f"it belongs to {scope} {cookie.domain}, not to {host}", "RFC 6265bis 5.8.3")
    if cookie.forced:
        return None
    if cookie.is_expired(now):
        return Reason(Rule.EXPIRED, "it has expired", "RFC 6265bis 5.7")
    if not path_matches(path, cookie.path):
        return Reason(Rule.PATH, f"its Path {cookie.path} does not cover {path}", "RFC 6265bis 5.1.4")
    if cookie.secure and not trustworthy:
        return Reason(Rule.SECURE, "it is Secure and the request is plain http", "RFC 6265bis 5.8.3")
    return _same_site_withholding(cookie, navigation, now, lax_post_exception=lax_post_exception)


def is_of_interest(cookie: StoredCookie, url: str) -> bool:
    """Whether the server of `url` may expect the cookie, because both have one registrable domain."""
    return registrable_domain(cookie.domain) == registrable_domain(host_of(url))


def _same_site_withholding(
    cookie: StoredCookie, navigation: Navigation, now: float, *, lax_post_exception: bool
) -> Reason | None:
    if cookie.same_site == "None" or not navigation.is_cross_site:
        return None
    mode = f"SameSite={cookie.same_site}" if cookie.same_site else "without SameSite, hence Lax"
    origin = f"another site began the navigation ({_origin(navigation.initiator or '')})"
    if cookie.same_site == "Strict":
        return Reason(Rule.SAME_SITE, f"it is {mode} and {origin}", "RFC 6265bis 5.6.7.1")
    if not navigation.top_level:
        return Reason(Rule.SAME_SITE, f"it is {mode}, {origin}, and it is not top-level", "RFC 6265bis 5.6.7.1")
    recent = cookie.same_site is None and lax_post_exception and now - cookie.created <= LAX_POST_WINDOW
    if navigation.is_safe or recent:
        return None
    return Reason(Rule.SAME_SITE, f"it is {mode}, {origin}, and {navigation.method} is not safe", "RFC 6265bis 5.6.7.1")


def _origin(url: str) -> str:
    """Return only scheme and host, because the query of a page in an OAuth flow holds secrets."""
    host = host_of(url)
    return f"{scheme_of(url)}://{host}" if host else "an opaque origin"


def _is_malformed(arrival: Arrival) -> Reason | None:
    cookie = arrival.set_cookie
    if _CONTROL.search(cookie.raw):
        return Reason(Rule.CONTROL_CHARACTER, "the header contains a control character", "RFC 6265bis 5.6")
    if not cookie.name and not cookie.value:
        return Reason(Rule.EMPTY, "name and value are both empty", "RFC 6265bis 5.7")
    size = octets(cookie.name) + octets(cookie.value)
    if size > MAX_PAIR_OCTETS:
        sentence = f"name and value have {size} octets, more than {MAX_PAIR_OCTETS}"
        return Reason(Rule.TOO_LARGE, sentence, "RFC 6265bis 5.6")
    return None


def _is_for_a_foreign_domain(arrival: Arrival) -> Reason | None:
    domain = arrival.domain
    if domain is None:
        return None
    if not domain.isascii():
        return Reason(Rule.DOMAIN, "its Domain is not ASCII", "RFC 6265bis 5.7")
    if is_public_suffix(domain):
        return Reason(Rule.PUBLIC_SUFFIX, f"its Domain {domain} is a public suffix", "RFC 6265bis 5.7")
    if not domain_matches(arrival.host, domain):
        return Reason(Rule.DOMAIN, f"its Domain {domain} does not cover {arrival.host}", "RFC 6265bis 5.7")
    return None


def _is_secure_from_plain_http(arrival: Arrival) -> Reason | None:
    if arrival.set_cookie.secure and not arrival.trustworthy:
        return Reason(Rule.SECURE, "it is Secure and came over plain http", "RFC 6265bis 5.7")
    return None


def _would_overlay_a_secure_cookie(arrival: Arrival) -> Reason | None:
    if arrival.trustworthy:
        return None
    new = arrival.cookie()
    for old in arrival.present:
        related = domain_matches(old.domain, new.domain) or domain_matches(new.domain, old.domain)
        if old.secure and old.name == new.name and related and path_matches(new.path, old.path):
            sentence = f"it came over plain http and would overlay the Secure cookie of Path {old.path}"
            return Reason(Rule.OVERLAYS_SECURE, sentence, "RFC 6265bis 5.7")
    return None


def _is_same_site_from_elsewhere(arrival: Arrival) -> Reason | None:
    if arrival.cross_site_subresource and arrival.set_cookie.same_site != "None":
        sentence = "it is not SameSite=None and came with a subresource of another site's page"
        return Reason(Rule.SAME_SITE, sentence, "RFC 6265bis 5.7")
    return None


def _is_none_without_secure(arrival: Arrival) -> Reason | None:
    if arrival.set_cookie.same_site == "None" and not arrival.set_cookie.secure:
        return Reason(Rule.SAME_SITE_NONE, "it is SameSite=None without Secure", "RFC 6265bis 5.7")
    return None


def _breaks_its_prefix(arrival: Arrival) -> Reason | None:
    cookie = arrival.set_cookie
    prefix = (cookie.name or cookie.value).lower()
    if not prefix.startswith(("__secure-", "__host-")):
        return None
    if not cookie.name:
        return Reason(Rule.PREFIX, "a value without a name imitates a prefixed name", "RFC 6265bis 5.7")
    if not cookie.secure:
        return Reason(Rule.PREFIX, f"{cookie.name} lacks Secure, which its prefix demands", "RFC 6265bis 4.1.3")
    if prefix.startswith("__secure-"):
        return None
    if cookie.domain is not None:
        return Reason(Rule.PREFIX, f"{cookie.name} has a Domain, which its prefix forbids", "RFC 6265bis 4.1.3.2")
    if cookie.path != "/":
        return Reason(Rule.PREFIX, f"{cookie.name} lacks Path=/, which its prefix demands", "RFC 6265bis 4.1.3.2")
    return None


_STORAGE_RULES: tuple[Callable[[Arrival], Reason | None], ...] = (
    _is_malformed,
    _is_for_a_foreign_domain,
    _is_secure_from_plain_http,
    _would_overlay_a_secure_cookie,
    _is_same_site_from_elsewhere,
    _is_none_without_secure,
    _breaks_its_prefix,
)
