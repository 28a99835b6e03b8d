"""Supabase's signing keys. Concurrent requests share one fetch, and invented key ids cannot force many fetches."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import httpx
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from supabase_relay.errors import UpstreamUnavailable

ALGORITHMS = frozenset({"ES256", "RS256"})
"""The accepted algorithms; HS256 is not one of them, because the relay does not have Supabase's shared secret."""

_FETCHES_PER_COOLDOWN = 3


@dataclass(frozen=True)
class VerificationKey:
    """A public key and its algorithm, which comes from the key and never from a token."""

    kid: str | None
    algorithm: str
    key: PyJWK


class JwksCache:
    """The key set at `url`; known keys keep working while it cannot be fetched.

    A set is fresh for `ttl` seconds, and a fetch may take `timeout` seconds. The cache tries at most three fetches
    in any `cooldown` seconds, no matter which keys are requested.
    """

    def __init__(self, url: str, http: httpx.AsyncClient, *, ttl: float, cooldown: float, timeout: float) -> None:
        self._url = url
        self._http = http
        self._ttl = ttl
        self._cooldown = cooldown
        self._timeout = timeout
        self._keys: tuple[VerificationKey, ...] | None = None
        self._fetched_at = 0.0
        self._attempts: deque[float] = deque(maxlen=_FETCHES_PER_COOLDOWN)
        self._generation = 0
        self._lock = asyncio.Lock()

    async def find(self, kid: str | None) -> VerificationKey | None:
        """Return the key with that id; without an id, the only key of the set. Raises `UpstreamUnavailable`."""
        if not self._is_fresh():
            await self._fetch_once(self._generation)
        found = self._pick(kid)
        if found is None and kid is not None:
            await self._fetch_once(self._generation)  # Supabase may have added the key since the last fetch
            found = self._pick(kid)
        if self._keys is None:
            raise UpstreamUnavailable("jwks_unavailable")
        return found

    def _is_fresh(self) -> bool:
        return self._keys is not None and time.time() < self._fetched_at + self._ttl

    def _pick(self, kid: str | None) -> VerificationKey | None:
        keys = self._keys or ()
        if kid is None:
            return keys[0] if len(keys) == 1 else None
        return next((key for key in keys if key.kid == kid), None)

    async def _fetch_once(self, generation: int) -> None:
        async with self._lock:
            if generation != self._generation or not self._may_fetch():
                return
            self._attempts.append(time.time())
            self._generation += 1
            keys = await self._fetch()
            if keys is not None:
                self._keys, self._fetched_at = keys, time.time()

    def _may_fetch(self) -> bool:
        exhausted = len(self._attempts) == _FETCHES_PER_COOLDOWN
        return not exhausted or time.time() >= self._attempts[0] + self._cooldown

    async def _fetch(self) -> tuple[VerificationKey, ...] | None:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await self._http.get(self._url)
            document: Any = answer.json() if answer.status_code == 200 else None
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError):
            return None
        members = cast("Mapping[str, Any]", document).get("keys") if isinstance(document, dict) else None
        return parse_keys(cast("list[Any]", members)) if isinstance(members, list) else None


def parse_keys(members: Iterable[Any]) -> tuple[VerificationKey, ...]:
    """Return the usable keys of a JWK set and ignore all others (RFC 7517 section 5)."""
    return tuple(key for member in members if (key := _parse_key(member)) is not None)


def _parse_key(member: Any) -> VerificationKey | None:  # noqa: ANN401 - external JSON
    if not isinstance(member, dict):
        return None
    fields = cast("dict[str, Any]", member)
    try:
        key = PyJWK(fields)
    except (PyJWTError, ValueError, TypeError, KeyError):
        return None
    kid = fields.get("kid")
    usable = key.algorithm_name in ALGORITHMS and fields.get("use", "sig") == "sig"
    return VerificationKey(kid if isinstance(kid, str) else None, key.algorithm_name, key) if usable else None
