"""The recorded exchanges of a run. They are redacted before they are stored, and no other record is kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oauth_litmus.http.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import httpx

PREFLIGHT = "preflight"
"""The name under which the exchanges of the preflight are recorded."""
DISCOVERY = "discovery"
"""The name under which the exchanges of the discovery are recorded."""
HEALTH = "health"
"""The name under which the requests are recorded that ask whether the server still answers."""
_BODY_SHOWN = 2_000
"""The most characters of a body that are kept."""
_BODY_READ = 65_536
"""The most bytes of a body that are redacted: a megabyte would block the event loop for half a second."""
_LONGEST_SECRET = 32_768
_HEAD_SHOWN = 100
"""The most lines of a head that are kept; each has at most `_BODY_SHOWN` characters."""
_HEADERS_LEFT_OUT = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "date", "server", "user-agent"}
)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, without secrets."""

    number: int
    check: str
    request: str
    """Request line, informative headers, and body."""
    response: str
    """Status, informative headers, and body; or a sentence that says why there was no answer."""


class Transcript:
    """Numbers the exchanges of a run and stores them, redacted, by check."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        self.redactor = redactor or Redactor()
        self._count = 0
        self._by_check: defaultdict[str, list[Exchange]] = defaultdict(list)

    def next_number(self) -> int:
        """Return the number for a new exchange."""
        self._count += 1
        return self._count

    @property
    def count(self) -> int:
        """The number of exchanges that have begun."""
        return self._count

    def record(
        self,
        number: int,
        check: str,
        request: httpx.Request,
        body: bytes,
        response: httpx.Response | str,
        content: bytes = b"",
    ) -> None:
        """Store one exchange. `response` is a sentence if there was no answer."""
        if not isinstance(response, str):
            self.redactor.learn_from(response.headers.get("location", ""))
        asked = [
            f"{request.method} {_cut(self.redactor.text(str(request.url)))}",
            *self._headers(request.headers.multi_items()),
        ]
        if isinstance(response, str):
            answered = [self.redactor.text(response)]
        else:
            status = f"{response.status_code} {self.redactor.text(response.reason_phrase)}".rstrip()
            answered = [status, *self._headers(response.headers.multi_items())]
        exchange = Exchange(number, check, self._message(asked, body), self._message(answered, content))
        self._by_check[check].append(exchange)

    def of(self, check: str) -> Sequence[Exchange]:
        """Return the exchanges of a check, in order."""
        return sorted(self._by_check[check], key=lambda exchange: exchange.number)

    def numbered(self, numbers: Iterable[int]) -> Sequence[Exchange]:
        """Return the exchanges with these numbers, of any check, in order."""
        wanted = set(numbers)
        found = [
            exchange for exchanges in self._by_check.values() for exchange in exchanges if exchange.number in wanted
        ]
        return sorted(found, key=lambda exchange: exchange.number)

    def _headers(self, headers: Iterable[tuple[str, str]]) -> list[str]:
        telling = [(name, value) for name, value in headers if name.lower() not in _HEADERS_LEFT_OUT]
        lines = [f"{name}: {_cut(self.redactor.header(name, value))}" for name, value in telling[:_HEAD_SHOWN]]
        return lines if len(telling) <= _HEAD_SHOWN else [*lines, f"… ({len(telling)} lines)"]

    def _message(self, head: list[str], body: bytes) -> str:
        if not body:
            return "\n".join(head)
        text = self.redactor.text(body[:_BODY_READ].decode("utf-8", "replace"))
        length = len(text)
        if len(body) > _BODY_READ:
            # The cut may split a secret, whose beginning alone is not recognised: do not show the end of the text.
            text, length = text[:-_LONGEST_SECRET], len(body)
        return "\n".join([*head, "", _cut(text, length)])


def _cut(text: str, length: int | None = None) -> str:
    length = len(text) if length is None else length
    return text if length <= _BODY_SHOWN else f"{text[:_BODY_SHOWN]}… ({length} characters)"
