"""A model of how browsers handle cookies: one `Browser` is one cookie jar. It does no HTTP; the caller passes the clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from oauth_litmus.browser.cookie_rules import (
    Arrival,
    Navigation,
    Reason,
    Rule,
    StoredCookie,
    is_of_interest,
    refusal,
    withholding,
)
from oauth_litmus.browser.cookies import SameSite, SetCookie
from oauth_litmus.http.sites import canonical_host, host_of, is_loopback, same_site, scheme_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = [
    "Browser",
    "Navigation",
    "Reason",
    "Rejected",
    "Rule",
    "SameSite",
    "SetCookie",
    "Stored",
    "StoredCookie",
    "Withheld",
    "same_site",
]


MOST_COOKIES = 180
"""How many cookies a browser keeps, as Chrome does for one domain (RFC 6265bis section 6.1 demands 50); the oldest goes first."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A Set-Cookie that the browser acted on.

    `replaced` is the earlier cookie with the same name, domain and path. A deletion that replaced no cookie had no
    effect: no cookie in the jar has its name, domain and path.
    """

    set_cookie: SetCookie
    cookie: StoredCookie
    replaced: StoredCookie | None
    is_deletion: bool


@dataclass(frozen=True, slots=True)
class Rejected:
    """A Set-Cookie that the browser ignored, and why."""

    set_cookie: SetCookie
    reason: Reason


class Withheld(NamedTuple):
    """A cookie that is in the jar but is not sent with a navigation, and why."""

    cookie: StoredCookie
    reason: Reason


class Browser:
    """One browser with its cookies, as Chrome and Firefox keep them (RFC 6265bis).

    `now` returns Unix seconds. With `secure_on_loopback=False` it acts like Safari, which treats http on loopback as
    plain http. With `lax_post_exception=False` it acts like Firefox and Safari, which never send a cookie without
    SameSite with a cross-site POST.
    """

    def __init__(
        self, now: Callable[[], float], *, secure_on_loopback: bool = True, lax_post_exception: bool = True
    ) -> None:
        self._now = now
        self._secure_on_loopback = secure_on_loopback
        self._lax_post_exception = lax_post_exception
        self._cookies: dict[tuple[str, str, bool, str], StoredCookie] = {}

    def now(self) -> float:
        """Return the current time of this browser, in Unix seconds."""
        return self._now()

    def receive(
        self, url: str, set_cookie_headers: Sequence[str], *, cross_site_subresource: bool = False
    ) -> list[Stored | Rejected]:
        """Process the raw Set-Cookie values of the response from `url`, and return the outcome of each.

        Set `cross_site_subresource` if the response belongs to an image, frame or fetch of another site's page;
        a navigation of the whole window may set any cookie (RFC 6265bis 5.7).
        """
        headers = set_cookie_headers[:MOST_COOKIES]
        return [self._receive(url, header, cross_site_subresource) for header in headers]

    def cookie_header(self, navigation: Navigation) -> str | None:
        """Return the Cookie header for the navigation (RFC 6265bis 5.8.3); None if no cookie is sent."""
        return cookie_string(self.cookies_for(navigation)) or None

    def cookies_for(self, navigation: Navigation) -> list[StoredCookie]:
        """Return the cookies that are sent with the navigation: longer paths first, then older cookies first."""
        sent = [cookie for cookie in self._cookies.values() if self._withholding(cookie, navigation) is None]
        return sorted(sent, key=lambda cookie: (-len(cookie.path), cookie.created))

    def withheld(self, navigation: Navigation) -> list[Withheld]:
        """Return the cookies of the target's registrable domain that are not sent with the navigation, each with its reason.

        An expired cookie stays in this list until it is replaced.
        """
        related = (cookie for cookie in self._cookies.values() if is_of_interest(cookie, navigation.url))
        judged = ((cookie, self._withholding(cookie, navigation)) for cookie in related)
        return [Withheld(cookie, reason) for cookie, reason in judged if reason is not None]

    def jar(self) -> list[StoredCookie]:
        """Return every cookie that has not expired, in the order of arrival; forced cookies never expire."""
        now = self._now()
        return [cookie for cookie in self._cookies.values() if cookie.forced or not cookie.is_expired(now)]

    def force(self, cookie: StoredCookie) -> None:
        """Send `cookie` to its host from now on, regardless of its age, Path, Secure and SameSite.

        No browser does this; it shows how the server reacts to the cookie. A Set-Cookie of the server replaces it as usual.
        """
        self._cookies[cookie.identity] = replace(cookie, forced=True)

    def set(
        self,
        name: str,
        value: str,
        url: str,
        *,
        domain: str | None = None,
        path: str = "/",
        secure: bool = False,
        http_only: bool = False,
        same_site: SameSite | None = None,
        max_age: float | None = None,
    ) -> StoredCookie:
        """Store a cookie for the host of `url`, or for `domain` and its subdomains, without the storage rules.

        `max_age` is in seconds; None makes a session cookie. Raises ValueError if `url` has no host.
        """
        if not (host := host_of(url)):
            raise ValueError(f"cannot set the cookie {name!r}: {url!r} has no host; give an absolute URL")
        now = self._now()
        cookie = StoredCookie(
            name=name,
            value=value,
            domain=canonical_host(domain.removeprefix(".")) if domain else host,
            path=path,
            host_only=not domain,
            secure=secure,
            http_only=http_only,
            same_site=same_site,
            created=now,
            expires=None if max_age is None else now + max_age,
        )
        self._cookies[cookie.identity] = cookie
        return cookie

    def tamper(self, name: str, value: str) -> int:
        """Change only the value of every cookie called `name`; return how many there were."""
        cookies = [cookie for cookie in self._cookies.values() if cookie.name == name]
        self._cookies.update((cookie.identity, replace(cookie, value=value)) for cookie in cookies)
        return len(cookies)

    def forget(self, cookie: StoredCookie) -> None:
        """Remove a cookie, as a script of its site may do."""
        self._cookies.pop(cookie.identity, None)

    def copy(self) -> Browser:
        """Return an independent browser with the same cookies, clock and rules."""
        return self._twin(self._cookies.values())

    def without(self, name: str) -> Browser:
        """Return a copy without the cookies called `name`."""
        return self._twin(cookie for cookie in self._cookies.values() if cookie.name != name)

    def _twin(self, cookies: Iterable[StoredCookie]) -> Browser:
        twin = Browser(
            self._now, secure_on_loopback=self._secure_on_loopback, lax_post_exception=self._lax_post_exception
        )
        twin._cookies.update((cookie.identity, cookie) for cookie in cookies)
        return twin

    def _receive(self, url: str, header: str, cross_site_subresource: bool) -> Stored | Rejected:
        arrival = Arrival(
            set_cookie=SetCookie.parse(header),
            url=url,
            now=self._now(),
            trustworthy=self._is_trustworthy(url),
            cross_site_subresource=cross_site_subresource,
            present=self.jar(),
        )
        if reason := refusal(arrival):
            return Rejected(arrival.set_cookie, reason)
        return self._store(arrival)

    def _store(self, arrival: Arrival) -> Stored:
        cookie = arrival.cookie()
        replaced = next((old for old in arrival.present if old.identity == cookie.identity), None)
        if replaced is not None and replaced.value == cookie.value:
            # Chrome keeps the creation time only if the value is equal; a new value restarts the two-minute POST window.
            cookie = replace(cookie, created=replaced.created)
        else:
            self._cookies.pop(cookie.identity, None)
        self._cookies[cookie.identity] = cookie
        if len(self._cookies) > MOST_COOKIES:
            self._cookies.pop(next(iter(self._cookies)))
        is_deletion = cookie.is_expired(arrival.now)
        if is_deletion:
            self._cookies.pop(cookie.identity, None)
        return Stored(arrival.set_cookie, cookie, replaced, is_deletion)

    def _withholding(self, cookie: StoredCookie, navigation: Navigation) -> Reason | None:
        return withholding(
            cookie,
            navigation,
            self._now(),
            trustworthy=self._is_trustworthy(navigation.url),
            lax_post_exception=self._lax_post_exception,
        )

    def _is_trustworthy(self, url: str) -> bool:
        scheme = scheme_of(url)
        return scheme == "https" or (scheme == "http" and self._secure_on_loopback and is_loopback(host_of(url)))


def cookie_string(cookies: Iterable[StoredCookie]) -> str:
    """Return the value of a Cookie header; a cookie without a name is sent as its bare value (RFC 6265bis 5.8.3)."""
    return "; ".join(f"{cookie.name}={cookie.value}" if cookie.name else cookie.value for cookie in cookies)
