"""Requests to Supabase Auth: the URL of its login, and calls whose answers are verified before use."""

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

# GoTrue's error codes for a login or session that will not work again; the status alone does not say so.
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
    """The URL of Supabase Auth and the parameters of requests to it; the time-out is in seconds."""

    url: str
    anon_key: str | None
    provider: str
    timeout: float


class Supabase:
    """The relay's calls to Supabase Auth; none takes longer than the time-out.

    A call for a session returns a verified one, or raises `UpstreamRefused` or `UpstreamUnavailable`.
    """

    def __init__(self, address: UpstreamAddress, http: httpx.AsyncClient, jwts: SupabaseJwts) -> None:
        self._address = address
        self._http = http
        self._jwts = jwts

    def authorize_url(self, redirect_to: str, challenge: str) -> str:
        """Build the URL of Supabase's login; no part of it comes from the client."""
        query = {
            "provider": self._address.provider,
            "redirect_to": redirect_to,
            "code_challenge": challenge,
            "code_challenge_method": "s256",
        }
        return f"{self._address.url}/authorize?{urlencode(query)}"

    async def exchange(self, auth_code: str, verifier: str) -> UpstreamSession:
        """Redeem the code from Supabase's callback. Raises `UpstreamRefused` or `UpstreamUnavailable`."""
        answer = await self._call("pkce", {"auth_code": auth_code, "code_verifier": verifier})
        return await self.verified(answer)

    async def renew(self, refresh_token: str, *, subject: str, session_id: str) -> UpstreamSession:
        """Refresh a session; the answer must have the same subject and session id.

        Raises `UpstreamRefused` or `UpstreamUnavailable`.
        """
        answer = await self._call("refresh_token", {"refresh_token": refresh_token})
        session = await self.verified(answer)
        if (session.subject, session.session_id) != (subject, session_id):
            raise UpstreamUnavailable("other_session")
        return session

    async def sign_out(self, access_token: str) -> None:
        """Ask Supabase to end one session; ignore failures.

        A session that stays open does no harm, because the relay keeps its tokens only encrypted.
        """
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
        """Verify the access token of an answer and return the session; raises `UpstreamUnavailable` if it is not valid."""
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
    """Tell a permanent refusal of Supabase from a temporary failure.

    A 400 is a refusal, and so is any 4xx with GoTrue's error code for a dead login or session. All other statuses may
    be temporary: 5xx, 409 for lock contention, 429, and a gateway's 401 or 404.
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
