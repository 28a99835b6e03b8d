"""Takes secrets out of whatever is kept, in a form that still shows whether two were equal."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import defaultdict
from urllib.parse import quote, quote_plus

SECRET_PARAMETERS = frozenset(
    {
        "access_token", "refresh_token", "id_token", "token", "code", "auth_code", "code_verifier", "code_challenge",
        "client_secret", "registration_access_token", "password", "assertion", "client_assertion", "state", "nonce",
        "subject_token", "actor_token", "session_id", "csrf_token", "apikey", "provider_token",
    }
)  # fmt: skip
"""Names whose values are secret wherever they stand: query, form, JSON."""

_NAMES = "|".join(sorted(SECRET_PARAMETERS, key=len, reverse=True))
_IN_FORM = re.compile(rf"(?<![A-Za-z0-9_])({_NAMES})=([^&\s\"'<>;#]+)", re.IGNORECASE)
_IN_JSON = re.compile(rf"\"({_NAMES})\"(\s*:\s*)\"((?:[^\"\\]|\\.)+)\"", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")
_OPAQUE = re.compile(
    r"(?<![A-Za-z0-9_~-])(?=[A-Za-z0-9_~.-]*\d)(?=[A-Za-z0-9_~.-]*[A-Za-z])[A-Za-z0-9_~-]{20,}(?:\.[A-Za-z0-9_~-]{16,})*"
)
_AUTHORIZATION = re.compile(r"^(\s*[A-Za-z]+\s+)(\S.*)$", re.DOTALL)
_SHORTEST_SECRET = 6


class Redactor:
    """Replaces secrets by fingerprints that are equal exactly when the secrets were.

    The fingerprint is keyed with a random key of the run, so that a guess cannot be tested against a report.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._known: dict[str, str] = {}
        self._by_beginning: defaultdict[str, set[str]] = defaultdict(set)
        self._public: set[str] = set()

    def fingerprint(self, secret: str, kind: str = "secret") -> str:
        """The form in which a secret is shown: `<kind:1a2b3c4d>`."""
        if secret.startswith("<") and secret.endswith(">"):
            return secret
        digest = hmac.new(self._key, secret.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"<{kind}:{digest[:8]}>"

    def learn(self, secret: str | None, kind: str = "secret") -> None:
        """Remember a secret, so that it is replaced wherever it turns up, also percent-encoded."""
        if not secret or len(secret) < _SHORTEST_SECRET or secret in self._public:
            return
        shown = self.fingerprint(secret, kind)
        for spelling in {secret, quote(secret, safe=""), quote_plus(secret)}:
            self._known[spelling] = shown
            self._by_beginning[spelling[:_SHORTEST_SECRET]].add(spelling)

    def publish(self, value: str) -> None:
        """Remember a value that looks like a secret and is none (a `client_id`, a run id)."""
        self._public.add(value)

    def text(self, text: str) -> str:
        """The text without secrets: the learnt ones, those in telling places, and what looks like one."""
        text = self._without_known(text)
        text = _IN_FORM.sub(self._form_value, text)
        text = _IN_JSON.sub(self._json_value, text)
        text = _JWT.sub(lambda match: self.fingerprint(match.group(), "jwt"), text)
        return _OPAQUE.sub(self._opaque, text)

    def _without_known(self, text: str) -> str:
        # One pass by first characters: thousands of secrets in one pattern would be compiled again with each new one.
        pieces: list[str] = []
        begin = position = 0
        while position <= len(text) - _SHORTEST_SECRET:
            candidates = self._by_beginning.get(text[position : position + _SHORTEST_SECRET])
            matching = [known for known in candidates or () if text.startswith(known, position)]
            found = max(matching, key=len, default=None)
            if found:
                pieces += [text[begin:position], self._known[found]]
                begin = position = position + len(found)
            else:
                position += 1
        return "".join([*pieces, text[begin:]])

    def header(self, name: str, value: str) -> str:
        """One header's value without secrets; whole values where the header is nothing but a secret."""
        match name.lower():
            case "authorization" | "proxy-authorization":
                parts = _AUTHORIZATION.match(value)
                return f"{parts[1]}{self.fingerprint(parts[2], 'credentials')}" if parts else self.fingerprint(value)
            case "cookie":
                return "; ".join(self._cookie(pair) for pair in value.split("; "))
            case "set-cookie":
                pair, separator, attributes = value.partition(";")
                return f"{self._cookie(pair)}{separator}{attributes}"
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
        return f"{match[1]}={self._value(match[2], match[1])}"

    def _json_value(self, match: re.Match[str]) -> str:
        return f'"{match[1]}"{match[2]}"{self._value(match[3], match[1])}"'

    def _value(self, value: str, name: str) -> str:
        return value if value in self._public or len(value) < _SHORTEST_SECRET else self.fingerprint(value, name)

    def _opaque(self, match: re.Match[str]) -> str:
        return match.group() if match.group() in self._public else self.fingerprint(match.group(), "opaque")
