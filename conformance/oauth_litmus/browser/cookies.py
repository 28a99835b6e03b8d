"""One Set-Cookie header value, parsed as browsers parse it (RFC 6265bis 5.1.1, 5.1.4 and 5.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

SameSite = Literal["Lax", "Strict", "None"]

MAX_PAIR_OCTETS = 4096
"""The most octets that name and value may have together (RFC 6265bis 5.6, step 5)."""

MAX_ATTRIBUTE_OCTETS = 1024
"""The most octets of an attribute value; browsers ignore a longer one (RFC 6265bis 5.6, unparsed-attributes step 6)."""

_WSP = " \t"
_SAME_SITE: dict[str, SameSite] = {"lax": "Lax", "strict": "Strict", "none": "None"}
_MAX_AGE = re.compile(r"-?[0-9]+")
_FOREVER = 10**12

_DELIMITERS = re.compile(r"[\x09\x20-\x2F\x3B-\x40\x5B-\x60\x7B-\x7E]+")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY_OF_MONTH = re.compile(r"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(r"([0-9]{2,4})(?![0-9])")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(frozen=True, slots=True)
class SetCookie:
    """The parsed value of one Set-Cookie header; the browser model decides whether a browser stores the cookie.

    `attributes` keep their order and the names as written; of a repeated attribute, the last one counts.
    The repr omits the value and the raw string, because they are secrets.
    """

    name: str
    value: str = field(repr=False)
    attributes: tuple[tuple[str, str], ...]
    raw: str = field(repr=False)

    @classmethod
    def parse(cls, header: str) -> SetCookie:
        """Parse any string (RFC 6265bis 5.6); never raises. A pair without `=` is a value without a name."""
        pair, *rest = header.split(";")
        name, equals, value = pair.partition("=")
        if not equals:
            name, value = "", pair
        attributes = (_attribute(part) for part in rest if part.strip(_WSP))
        kept = tuple((key, text) for key, text in attributes if octets(text) <= MAX_ATTRIBUTE_OCTETS)
        return cls(name.strip(_WSP), value.strip(_WSP), kept, header)

    def attribute(self, name: str) -> str | None:
        """Return the value of the last attribute called `name`, in upper or lower case; None if it is absent."""
        wanted = name.lower()
        return next((value for key, value in reversed(self.attributes) if key.lower() == wanted), None)

    @property
    def secure(self) -> bool:
        """Whether the Secure attribute is present (5.6.5)."""
        return self.attribute("Secure") is not None

    @property
    def http_only(self) -> bool:
        """Whether the HttpOnly attribute is present (5.6.6)."""
        return self.attribute("HttpOnly") is not None

    @property
    def same_site(self) -> SameSite | None:
        """The SameSite value (5.6.7); None if it is absent or unknown, which browsers treat as their default."""
        return _SAME_SITE.get((self.attribute("SameSite") or "").lower())

    @property
    def path(self) -> str | None:
        """The Path (5.6.4); None if it is absent or does not begin with `/`, so that the default path applies."""
        path = self.attribute("Path") or ""
        return path if path.startswith("/") else None

    @property
    def domain(self) -> str | None:
        """The Domain in lower case without its leading dot (5.6.3); None if it is absent or empty."""
        return (self.attribute("Domain") or "").removeprefix(".").lower() or None

    @property
    def max_age(self) -> int | None:
        """The Max-Age in seconds (5.6.2); None if no such attribute is a number."""
        ages = [value for key, value in self.attributes if key.lower() == "max-age" and _MAX_AGE.fullmatch(value)]
        return max(-_FOREVER, min(int(ages[-1]), _FOREVER)) if ages else None

    @property
    def expires(self) -> float | None:
        """The Expires date in Unix seconds (5.6.1); None if no such attribute is a date."""
        dates = [parse_cookie_date(value) for key, value in self.attributes if key.lower() == "expires"]
        return next((date for date in reversed(dates) if date is not None), None)

    def lifetime(self, now: float) -> float | None:
        """Return the lifetime that the server asks for, in seconds from `now` (Unix seconds); Max-Age overrides Expires.

        Zero or less deletes the cookie; None means a session cookie. The browsers' maximum of 400 days is not applied.
        """
        if self.max_age is not None:
            return float(self.max_age)
        return None if self.expires is None else self.expires - now

    def is_deletion(self, now: float) -> bool:
        """Whether the cookie is already expired on arrival, so that it only removes the cookie that it replaces (5.7)."""
        lifetime = self.lifetime(now)
        return lifetime is not None and lifetime <= 0


def parse_cookie_date(text: str) -> float | None:
    """Parse a cookie date in any spelling (RFC 6265bis 5.1.1) into Unix seconds; None if the text is not one."""
    time = day = month = year = None
    for token in _DELIMITERS.split(text):
        if time is None and (match := _TIME.match(token)):
            time = tuple(int(part) for part in match.groups())
        elif day is None and (match := _DAY_OF_MONTH.match(token)):
            day = int(match[1])
        elif month is None and token[:3].lower() in _MONTHS:
            month = _MONTHS.index(token[:3].lower()) + 1
        elif year is None and (match := _YEAR.match(token)):
            year = int(match[1])
    if time is None or day is None or month is None or year is None:
        return None
    return _unix_seconds(_full_year(year), month, day, time)


def default_path(path: str) -> str:
    """Return the directory of a request path, which is the path of a cookie without Path (RFC 6265bis 5.1.4)."""
    return path[: path.rfind("/")] or "/" if path.startswith("/") else "/"


def path_matches(request_path: str, cookie_path: str) -> bool:
    """Whether a cookie of `cookie_path` is sent with a request for `request_path` (RFC 6265bis 5.1.4)."""
    if request_path == cookie_path:
        return True
    return request_path.startswith(cookie_path if cookie_path.endswith("/") else f"{cookie_path}/")


def octets(text: str) -> int:
    """Return the length of `text` in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def _attribute(part: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    return name.strip(_WSP), value.strip(_WSP)


def _full_year(year: int) -> int:
    if 70 <= year <= 99:
        return year + 1900
    return year + 2000 if year <= 69 else year


def _unix_seconds(year: int, month: int, day: int, time: tuple[int, ...]) -> float | None:
    if year < 1601:
        return None
    hour, minute, second = time
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError:
        return None


_VARYING_END = re.compile(r"[-_.](?=[A-Za-z0-9]*\d)[A-Za-z0-9]{6,}$")


def stem(name: str) -> str:
    """Return a cookie's name without the ending that differs between logins, such as a hash of the state."""
    return _VARYING_END.sub("", name)
