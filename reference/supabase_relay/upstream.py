"""The leg towards Supabase Auth: where browsers are sent, and calls whose answers are checked before they count."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

import httpx
from pydantic import BaseModel, Field, ValidationError

from supabase_relay.access_tokens import SupabaseJwts
from supabase_relay.errors import BadToken, UpstreamRefused, UpstreamUnavailable
from supabase_relay.jwt_claims import expiry_of, text_claim
from supabase_relay.storage.records import UpstreamTokens

# GoTrue's words for a login or a session that will not work again, where the status alone does not tell.
_FINAL_CODES = frozenset(
    {
        "bad_code_verifier",
        "flow_state_expired",
        "flow_state_not_found",
        "refresh_token_already_used",
        "refresh_token_not_found",
        "session_expired",
        "session_not_found",
        "user_banned",
        "user_not_found",
    }
)


class _TokenAnswer(BaseModel):
    access_token: str = Field(min_length=1)
    refresh_token: str = Field(min_length=1)


@dataclass(frozen=True)
class UpstreamSession:
    """A session of Supabase whose access token was verified."""

    tokens: UpstreamTokens
    subject: str
    session_id: str


@dataclass(frozen=True)
class UpstreamAddress:
    """Where Supabase Auth is, and what a request to it carries; the time-out is in seconds."""

    url: str
    anon_key: str | None
    provider: str
    timeout: float


class Supabase:
    """The calls that the relay makes; every one ends within the time-out, as a session or as one of two errors."""

    def __init__(self, address: UpstreamAddress, http: httpx.AsyncClient, jwts: SupabaseJwts) -> None:
        self._address = address
        self._http = http
        self._jwts = jwts

    def authorize_url(self, redirect_to: str, challenge: str) -> str:
        """Where to send the browser; nothing in it comes from the client."""
        query = {
            "provider": self._address.provider,
            "redirect_to": redirect_to,
            "code_challenge": challenge,
            "code_challenge_method": "s256",
        }
        return f"{self._address.url}/authorize?{urlencode(query)}"

    async def exchange(self, auth_code: str, verifier: str) -> UpstreamSession:
        """Redeem the code of Supabase's callback. Raises `UpstreamRefused` or `UpstreamUnavailable`."""
        answer = await self._call("pkce", {"auth_code": auth_code, "code_verifier": verifier})
        return await self.verified(answer)

    async def renew(self, refresh_token: str, *, subject: str, session_id: str) -> UpstreamSession:
        """Refresh a session; the answer must be of the same person and session. Raises as `exchange` does."""
        answer = await self._call("refresh_token", {"refresh_token": refresh_token})
        session = await self.verified(answer)
        if (session.subject, session.session_id) != (subject, session_id):
            raise UpstreamUnavailable("other_session")
        return session

    async def sign_out(self, access_token: str) -> None:
        """Ask Supabase to end one session; a failure is of no consequence here, since its tokens are kept sealed."""
        headers = {**self._headers(), "Authorization": f"Bearer {access_token}"}
        try:
            async with asyncio.timeout(self._address.timeout):
                await self._http.post(f"{self._address.url}/logout", params={"scope": "local"}, headers=headers)
        except (httpx.HTTPError, TimeoutError):
            return

    async def _call(self, grant_type: str, body: Mapping[str, str]) -> _TokenAnswer:
        try:
            async with asyncio.timeout(self._address.timeout):
                response = await self._http.post(
                    f"{self._address.url}/token", params={"grant_type": grant_type}, json=body, headers=self._headers()
                )
        except (httpx.HTTPError, TimeoutError):
            raise UpstreamUnavailable("no_answer") from None
        if response.status_code != 200:
            raise failure_of(response)
        try:
            return _TokenAnswer.model_validate_json(response.content)
        except ValidationError:
            raise UpstreamUnavailable("malformed_answer") from None

    async def verified(self, answer: _TokenAnswer) -> UpstreamSession:
        """A token that does not verify is nonsense, whoever sent it: no login rests on it."""
        try:
            claims = await self._jwts.check(answer.access_token)
        except BadToken as refusal:
            raise UpstreamUnavailable(f"bad_token_{refusal.reason}") from None
        tokens = UpstreamTokens(
            access_token=answer.access_token, refresh_token=answer.refresh_token, expires_at=expiry_of(claims)
        )
        return UpstreamSession(tokens, text_claim(claims, "sub"), text_claim(claims, "session_id"))

    def _headers(self) -> dict[str, str]:
        return {"apikey": self._address.anon_key} if self._address.anon_key else {}


def failure_of(response: httpx.Response) -> UpstreamRefused | UpstreamUnavailable:
    """Whether Supabase refused for good, or could not answer this time.

    A 400 is a refusal; so are GoTrue's own words for a dead login or session. The rest (5xx, 409 lock contention,
    429, and what a gateway says in its stead: 401, 404) may be different in a moment.
    """
    code = _error_code(response)
    if response.status_code == 400 or (response.is_client_error and code in _FINAL_CODES):
        return UpstreamRefused(code if code in _FINAL_CODES else "refused")
    return UpstreamUnavailable(f"status_{response.status_code}")


def _error_code(response: httpx.Response) -> str | None:
    try:
        document: Any = response.json()
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    members = cast("dict[str, Any]", document)
    code = members.get("error_code") or members.get("error")
    return code if isinstance(code, str) else None
