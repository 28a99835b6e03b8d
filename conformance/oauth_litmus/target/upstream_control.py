"""A client for the HTTP API by which the suite controls the operator's upstream (docs/upstream-control.md)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlencode

from oauth_litmus.verdict import Blocked

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer

Call = Callable[[str, str, bytes], Awaitable["Answer"]]
"""Sends a request with this method, URL and JSON body to the upstream."""


class UpstreamControl:
    """The upstream, as far as the suite may control it; each command applies to one user, so that checks do not interfere."""

    def __init__(self, base_url: str, call: Call) -> None:
        self._base = base_url.rstrip("/")
        self._call = call

    async def callback(
        self,
        authorize_url: str,
        *,
        user: str | None = None,
        outcome: str | None = None,
        access_token_lifetime: float | None = None,
        any_verifier: bool | None = None,
    ) -> str:
        """Log a person in at the upstream, and return the callback URL to which it would send the browser, not yet followed.

        A second call with the same URL returns another upstream code for the same challenge. With `any_verifier`, the
        upstream accepts any verifier for the code.
        """
        asked = {
            "authorize_url": authorize_url,
            "user": user,
            "outcome": outcome,
            "access_token_lifetime": access_token_lifetime,
            "any_verifier": any_verifier,
        }
        return self._text(await self._post("callbacks", asked), "callback_url")

    async def session(self, *, user: str | None = None) -> str:
        """Create an upstream session independently of the server under test, and return its access token."""
        return self._text(await self._post("sessions", {"user": user}), "access_token")

    async def session_tokens(self, *, user: str | None = None) -> tuple[str, str]:
        """Create an upstream session independently of the server under test; return its access and refresh token."""
        document = await self._post("sessions", {"user": user})
        return self._text(document, "access_token"), self._text(document, "refresh_token")

    async def jwt(
        self,
        *,
        like: str | None = None,
        claims: dict[str, object] | None = None,
        without: list[str] | None = None,
        key: str | None = None,
    ) -> str:
        """Return a JWT that is signed with the upstream's active key, or with another key (`key="stranger"`)."""
        return self._text(
            await self._post("jwts", {"like": like, "claims": claims, "without": without, "key": key}), "token"
        )

    async def fault(self, route: str, kind: str, **members: object) -> str:
        """Make the next matching calls of the server under test fail; return the id of the fault, for `lift`."""
        return self._text(await self._post("faults", {"route": route, "kind": kind, **members}), "id")

    async def lift(self, fault: str) -> None:
        """Remove a fault, even if it has not yet applied to all of its calls."""
        self._checked(await self._call("DELETE", f"{self._base}/faults/{quote(fault, safe='')}", b""))

    async def requests(self, **filters: str) -> list[dict[str, object]]:
        """Return the requests that the server under test sent to the upstream, oldest first."""
        answer = await self._call("GET", f"{self._base}/requests?{urlencode(filters)}", b"")
        seen = self._checked(answer).get("requests")
        return cast("list[dict[str, object]]", seen) if isinstance(seen, list) else []

    async def _post(self, path: str, members: Mapping[str, object]) -> dict[str, object]:
        body = {name: value for name, value in members.items() if value is not None}
        return self._checked(await self._call("POST", f"{self._base}/{path}", json.dumps(body).encode()))

    def _checked(self, answer: Answer) -> dict[str, object]:
        if answer.status >= 300:
            raise Blocked(f"the upstream control answered {answer.status}: {answer.text[:200]}", (answer.number,))
        return answer.json_object()

    @staticmethod
    def _text(document: dict[str, object], member: str) -> str:
        value = document.get(member)
        if not isinstance(value, str):
            raise Blocked(f"the upstream control's answer has no {member}")
        return value
