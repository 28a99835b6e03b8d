"""The recorded exchanges of a run, redacted as they are recorded: nothing else is ever kept."""

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
"""Characters of a body that are kept."""
_BODY_READ = 65_536
"""Bytes of a body that are redacted: a megabyte would hold up everything else for half a second."""
_LONGEST_SECRET = 32_768
_HEAD_SHOWN = 100
"""Lines of a head that are kept, each as long as a body at most."""
_HEADERS_LEFT_OUT = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "date", "server", "user-agent"}
)


@dataclass(frozen=True)
class Exchange:
    """One request and its answer, without secrets."""

    number: int
    check: str
    request: str
    """Request line, telling headers, body."""
    response: str
    """Status, telling headers, body; or what went wrong instead."""


class Transcript:
    """Numbers the exchanges of a run and keeps them, redacted, by check."""

    def __init__(self, redactor: Redactor | None = None) -> None:
        self.redactor = redactor or Redactor()
        self._count = 0
        self._by_check: defaultdict[str, list[Exchange]] = defaultdict(list)

    def next_number(self) -> int:
        """The number of the exchange that begins now."""
        self._count += 1
        return self._count

    @property
    def count(self) -> int:
        """How many exchanges have begun."""
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
        """Keep one exchange. `response` is a sentence where there was no answer."""
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
        """The exchanges that a check caused, in order."""
        return sorted(self._by_check[check], key=lambda exchange: exchange.number)

    def numbered(self, numbers: Iterable[int]) -> Sequence[Exchange]:
        """The exchanges with these numbers, whichever check caused them, in order."""
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
            # What was cut may be the beginning of a secret, which nobody recognises: the end is not shown.
            text, length = text[:-_LONGEST_SECRET], len(body)
        return "\n".join([*head, "", _cut(text, length)])


def _cut(text: str, length: int | None = None) -> str:
    length = len(text) if length is None else length
    return text if length <= _BODY_SHOWN else f"{text[:_BODY_SHOWN]}… ({length} characters)"
