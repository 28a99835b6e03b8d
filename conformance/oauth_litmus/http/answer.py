"""The answer to one request, and the properties of it that checks read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urljoin, urlsplit

from oauth_litmus.http.challenges import Challenge, parse_challenges

if TYPE_CHECKING:
    import httpx

INCONCLUSIVE_STATUSES = frozenset({429, 502, 503, 504})
"""Statuses of a rate limiter, an edge, or a server without its store: no check can judge a probe by them."""

_LONGEST_INTEGER = 20


@dataclass(frozen=True)
class Answer:
    """One answer. `number` is its exchange in the transcript; times are instants of the run's clock, in seconds."""

    number: int
    method: str
    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    sent_at: float
    received_at: float
    truncated: bool = False

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def media_type(self) -> str:
        """The media type without parameters, in lower case."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_html(self) -> bool:
        """Whether the body is HTML."""
        return self.media_type in ("text/html", "application/xhtml+xml")

    @property
    def is_shown(self) -> bool:
        """Whether a browser shows this as a page: it is HTML, and not a redirect, whose body a browser ignores."""
        return self.is_html and self.location is None

    @property
    def is_inconclusive(self) -> bool:
        """Whether no check can judge a probe by this answer (rule 3 of judging)."""
        return self.status in INCONCLUSIVE_STATUSES

    def json_object(self) -> dict[str, object]:
        """Return the body as a JSON object; empty if it is not one."""
        try:
            parsed = json.loads(self.body, parse_int=_integer, parse_constant=_no_number)
        except (ValueError, RecursionError):
            return {}
        return cast("dict[str, object]", parsed) if isinstance(parsed, dict) else {}

    def member(self, name: str) -> str:
        """Return a string member of the JSON object; empty if it is absent or not a string."""
        value = self.json_object().get(name)
        return value if isinstance(value, str) else ""

    @property
    def error(self) -> str:
        """The OAuth error code of a JSON error body; empty if there is none."""
        return self.member("error")

    @property
    def in_words(self) -> str:
        """Status, OAuth error, and the size of a body that was too long to be read, for the reason of a verdict."""
        without_end = f"with more than {len(self.body) / 1e6:.0f} MB" if self.truncated else ""
        return " ".join(filter(None, (str(self.status), self.error, without_end)))

    @property
    def has_tokens(self) -> bool:
        """Whether this answer issues an access token."""
        return self.status < 300 and bool(self.member("access_token"))

    @property
    def location(self) -> str | None:
        """The absolute target of a redirect; None if this is not a redirect."""
        raw = self.headers.get("location")
        if raw is None or not 300 <= self.status < 400:
            return None
        try:
            return urljoin(self.url, raw)
        except ValueError:
            return raw

    @property
    def challenges(self) -> list[Challenge] | None:
        """The challenges of WWW-Authenticate, in order; None if they break the grammar (RFC 9110 section 11.6.1)."""
        return parse_challenges(self.headers.get_list("www-authenticate"))

    @property
    def is_never_stored(self) -> bool:
        """Whether Cache-Control has `no-store`, so that no cache keeps the answer (RFC 9111 section 5.2.2.5)."""
        directives = self.headers.get("cache-control", "").lower().split(",")
        return "no-store" in (directive.strip() for directive in directives)

    @property
    def set_cookies(self) -> list[str]:
        """Every Set-Cookie header, raw."""
        return self.headers.get_list("set-cookie")


def _integer(digits: str) -> int | float:
    """Parse an integer; one of 20 or more digits becomes a float, and infinity if a float cannot hold it."""
    return int(digits) if len(digits) < _LONGEST_INTEGER else float(digits)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not JSON (RFC 8259 section 6)")


@dataclass(frozen=True)
class AuthorizationResponse:
    """The authorization response, sent to the client by a redirect to its `redirect_uri` (OAuth 2.1 section 4.1.2)."""

    location: str
    answer: Answer
    parameters: tuple[tuple[str, str], ...] = ()
    fragment: tuple[tuple[str, str], ...] = ()
    _index: dict[str, str] = field(default_factory=dict[str, str], repr=False, compare=False)

    @classmethod
    def at(cls, location: str, answer: Answer) -> AuthorizationResponse:
        """Parse the response from the URL to which the browser is sent."""
        parts = urlsplit(location)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        fragment = tuple(parse_qsl(parts.fragment, keep_blank_values=True))
        return cls(location, answer, query, fragment, {**dict(fragment), **dict(query)})

    def get(self, name: str) -> str | None:
        """Return a parameter, from the query or else from the fragment."""
        return self._index.get(name)

    def count(self, name: str) -> int:
        """Return how often a parameter occurs in the query."""
        return sum(1 for key, _ in self.parameters if key == name)

    @property
    def code(self) -> str | None:
        """The authorization code, if one was issued."""
        return self.get("code") or None

    @property
    def error(self) -> str | None:
        """The OAuth error code, if the request was refused."""
        return self.get("error") or None
