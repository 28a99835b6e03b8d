"""Replace secrets in recorded text by fingerprints, which still show whether two secrets are equal."""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
import secrets
from collections import defaultdict
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote_plus

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET_PARAMETERS = frozenset(
    {
        "access_token", "refresh_token", "id_token", "token", "code", "auth_code", "code_verifier", "code_challenge",
        "client_secret", "registration_access_token", "password", "assertion", "client_assertion", "state", "nonce",
        "subject_token", "actor_token", "session_id", "csrf_token", "apikey", "provider_token",
    }
)  # fmt: skip
"""Parameters whose values are secret in a query, a form or JSON."""
_ISSUED = frozenset({"code", "access_token", "refresh_token", "id_token"})
"""Parameters by which a server issues a credential in a URL."""
_CREDENTIALS = frozenset({"client_secret", "password", "apikey"})
"""Parameters whose values are secret even if they are short."""

_NAMES = "|".join(sorted(SECRET_PARAMETERS, key=len, reverse=True))
_IN_FORM = re.compile(rf"(?<![A-Za-z0-9_])(?=[A-Za-z_]+=)({_NAMES})=([^&\s\"'<>;#]+)", re.IGNORECASE)
_IN_JSON = re.compile(rf"\"({_NAMES})\"(\s*:\s*)\"((?:[^\"\\]|\\.)+)\"", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")
_OPAQUE = re.compile(
    r"(?<![A-Za-z0-9_~-])(?=[A-Za-z0-9_~-]{20})(?=[A-Za-z0-9_~.-]*\d)(?=[A-Za-z0-9_~.-]*[A-Za-z])[A-Za-z0-9_~-]{20,}(?:\.[A-Za-z0-9_~-]{16,})*"
)
_AUTHORIZATION = re.compile(r"^(\s*[A-Za-z]+\s+)(\S.*)$", re.DOTALL)
_ANGLED = re.compile(r"<[^<>]+>")
_ESCAPE = re.compile(r"%[0-9A-F]{2}")
_SHORTEST_SECRET = 6
_STRIDE = 8
"""Distance between the positions at which a text is searched, in characters.

A longer secret is indexed by its last pieces, one for each alignment, so that one of them is always found.
"""
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 2_000, 300
"""How many texts without secrets are remembered, and how many characters each may have."""


class Redactor:
    """Replaces secrets by fingerprints, which are equal exactly if the secrets are equal.

    Each run keys its fingerprints with a random key, so that a guessed secret cannot be tested against a report.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._known: dict[str, str] = {}
        self._by_piece: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)
        """The known spellings that contain a piece, each with the offset of the piece."""
        self._too_short_to_stride: set[str] = set()
        self._beginnings: list[str] = []
        self._harmless: dict[str, int] = {}
        """Texts without secrets, each with the number of known spellings at its last check."""
        self._public: set[str] = set()
        self._public_in_parts: set[str] = set()
        self._shown: set[str] = set()
        self._hidden: set[str] = set()
        self._of_hidden: re.Pattern[str] | None = None

    def fingerprint(self, secret: str, kind: str = "secret") -> str:
        """Return the text that replaces a secret: `<kind:1a2b3c4d>`."""
        if secret in self._shown:
            return secret
        digest = hmac.new(self._key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        shown = f"<{kind}:{digest[:8]}>"
        self._shown.add(shown)
        return shown

    def learn(self, secret: str | None, kind: str = "secret") -> None:
        """Remember a secret, so that it is replaced in every text, also if it is encoded for a URL, JSON or HTML."""
        if not secret or len(secret) < _SHORTEST_SECRET or secret in self._public or secret in self._shown:
            return
        shown = self.fingerprint(secret, kind)
        for spelling in _spellings(secret):
            self._known[spelling] = shown
            self._beginnings.append(spelling[:_SHORTEST_SECRET])
            # Index the end of the secret, because tokens of one issuer begin alike.
            last = len(spelling) - _SHORTEST_SECRET
            if last < _STRIDE - 1:
                self._too_short_to_stride.add(spelling)
                continue
            for offset in range(last - _STRIDE + 1, last + 1):
                self._by_piece[spelling[offset : offset + _SHORTEST_SECRET]].add((offset, spelling))

    def learn_from(self, url: str) -> None:
        """Remember the credentials in a URL; a code is secret even if no client redeems it."""
        for match in _IN_FORM.finditer(url):
            if match[1].lower() in _ISSUED:
                self.learn(unquote_plus(match[2]), match[1])

    def hide(self, names: Iterable[str]) -> None:
        """Replace the values of these parameters in forms and URLs, even short ones, such as text that a person types."""
        self._harmless.clear()
        self._hidden |= {spelling for name in names for spelling in (name, quote_plus(name))}
        if self._hidden:
            every = "|".join(re.escape(name) for name in sorted(self._hidden, key=len, reverse=True))
            self._of_hidden = re.compile(rf"(?<![A-Za-z0-9_])({every})=([^&\s\"'<>;#]+)")

    def publish(self, value: str) -> None:
        """Remember a value that looks like a secret but is not, such as a `client_id` or a run id, and never replace it."""
        for spelling in _spellings(value):
            self._public.add(spelling)
            if not _OPAQUE.fullmatch(spelling) and _OPAQUE.search(spelling):
                self._public_in_parts.add(spelling)

    def text(self, text: str) -> str:
        """Return the text without secrets: remembered ones, values of secret parameters, and strings that look like one."""
        if self._is_harmless(text):
            return text
        redacted = self._redacted(text)
        if redacted == text and len(text) <= _LONGEST_REMEMBERED and len(self._harmless) < _MOST_REMEMBERED:
            self._harmless[text] = len(self._beginnings)
        return redacted

    def _is_harmless(self, text: str) -> bool:
        # Nearly every answer has the same headers: search a remembered text only for secrets that were learnt since.
        since = self._harmless.pop(text, None)
        if since is None or any(beginning in text for beginning in self._beginnings[since:]):
            return False
        self._harmless[text] = len(self._beginnings)
        return True

    def _redacted(self, text: str) -> str:
        text = self._without_known(text)
        if self._of_hidden is not None:
            text = self._of_hidden.sub(lambda match: f"{match[1]}={self.fingerprint(unquote_plus(match[2]))}", text)
        text = _IN_FORM.sub(self._form_value, text)
        text = _IN_JSON.sub(self._json_value, text)
        text = _JWT.sub(lambda match: self.fingerprint(match.group(), "jwt"), text)
        return _OPAQUE.sub(self._opaque, text)

    def _without_known(self, text: str) -> str:
        found = self._known_in(text)
        if not found:
            return text
        shown = [match.span() for match in _ANGLED.finditer(text) if match.group() in self._shown]
        pieces: list[str] = []
        begin = 0
        for at, known in sorted(found.items()):
            if at < begin or any(first <= at < last for first, last in shown):
                continue
            pieces += [text[begin:at], self._known[known]]
            begin = at + len(known)
        return "".join([*pieces, text[begin:]])

    def _known_in(self, text: str) -> dict[int, str]:
        """Return the longest known spelling at each position at which one begins."""
        # Search by pieces: a pattern of thousands of secrets would have to be recompiled for each new one.
        by_piece, length = self._by_piece, _SHORTEST_SECRET
        looks = range(0, len(text) - length + 1, _STRIDE)
        candidates = [
            (at - offset, known)
            for at in [at for at in looks if text[at : at + length] in by_piece]
            for offset, known in by_piece[text[at : at + length]]
            if at >= offset and text.startswith(known, at - offset)
        ]
        for known in self._too_short_to_stride:
            if known in text:
                # Use a lookahead, because occurrences may overlap.
                candidates += [(match.start(), known) for match in re.finditer(f"(?={re.escape(known)})", text)]
        return dict(sorted(candidates, key=lambda candidate: len(candidate[1])))

    def header(self, name: str, value: str) -> str:
        """Return a header value without secrets; the whole value is replaced if the header carries only a secret."""
        match name.lower():
            case "authorization" | "proxy-authorization":
                parts = _AUTHORIZATION.match(value)
                return f"{parts[1]}{self.fingerprint(parts[2], 'credentials')}" if parts else self.fingerprint(value)
            case "cookie":
                return "; ".join(self._cookie(pair) for pair in value.split("; "))
            case "set-cookie":
                pair, separator, attributes = value.partition(";")
                return f"{self._cookie(pair)}{separator}{self.text(attributes)}"
            case lowered if any(word in lowered for word in ("api-key", "apikey", "secret", "token")):
                return self.fingerprint(value)
            case _:
                return self.text(value)

    def _cookie(self, pair: str) -> str:
        name, separator, value = pair.partition("=")
        if value:
            self.learn(value, "cookie")
        return f"{self.text(name)}{separator}{self.fingerprint(value, 'cookie') if value else ''}"

    def _form_value(self, match: re.Match[str]) -> str:
        return f"{match[1]}={self._value(match[2], unquote_plus(match[2]), match[1])}"

    def _json_value(self, match: re.Match[str]) -> str:
        return f'"{match[1]}"{match[2]}"{self._value(match[3], match[3], match[1])}"'

    def _value(self, written: str, meant: str, name: str) -> str:
        short = len(meant) < _SHORTEST_SECRET and name.lower() not in _CREDENTIALS
        return written if short or written in self._public else self.fingerprint(meant, name)

    def _opaque(self, match: re.Match[str]) -> str:
        found = match.group()
        if found in self._public or any(_covers(value, match) for value in self._public_in_parts):
            return found
        return self.fingerprint(found, "opaque")


def _spellings(value: str) -> set[str]:
    """Return the forms of a value in plain text, in a URL, in JSON, and in HTML."""
    encoded = {quote(value, safe="", errors="replace"), quote_plus(value, errors="replace")}
    in_lower_case = {_ESCAPE.sub(lambda match: match.group().lower(), each) for each in encoded}
    in_json = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    slashes_escaped = {each.replace("/", "\\/") for each in in_json}
    in_html = {html.escape(value), html.escape(value).replace("+", "&#43;")}
    return {value, *encoded, *in_lower_case, *in_json, *slashes_escaped, *in_html}


def _covers(value: str, match: re.Match[str]) -> bool:
    begin = match.string.find(value, max(0, match.end() - len(value)), match.start() + len(value))
    return 0 <= begin <= match.start() and begin + len(value) >= match.end()
