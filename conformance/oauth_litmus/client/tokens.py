"""The token endpoint (OAuth 2.1 section 3.2) and the revocation endpoint (RFC 7009)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from oauth_litmus.client.session import FORM
from oauth_litmus.http.urls import with_query
from oauth_litmus.limits.rates import Kind
from oauth_litmus.oauth.grants import Code, Tokens
from oauth_litmus.verdict import Blocked, Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oauth_litmus.client.session import Session
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.http.wire import Cut, Gate
    from oauth_litmus.oauth.clients import Client

_LEAST_CODE_LIFETIME = 30.0
"""Seconds that a code is assumed to be valid if nothing is declared: the shortest lifetime found in the field."""


@dataclass(frozen=True)
class TokenEndpoint:
    """Redeems codes, refreshes and revokes tokens."""

    session: Session

    async def request(
        self,
        parameters: Mapping[str, str | None],
        client: Client | None,
        *,
        via: Gate | None = None,
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> Answer:
        """POST to the token endpoint as this client, or without client authentication if None.

        Parameters that are None are left out.
        """
        own_headers, body = _form(parameters, client)
        answer = await self.session.send(
            "POST",
            self.session.endpoint("token") + query,
            kind=Kind.TOKEN,
            headers={**own_headers, **(headers or {})},
            body=body,
            via=via,
        )
        for member in ("access_token", "refresh_token", "id_token"):
            self.session.secret(answer.member(member), member)
        return answer

    async def redeem(
        self,
        code: Code,
        *,
        client: Client | None = None,
        via: Gate | None = None,
        headers: Mapping[str, str] | None = None,
        even_if_ended: bool = False,
        **changes: str | None,
    ) -> Answer:
        """Exchange a code (OAuth 2.1 section 4.1.3), with parameters changed or left out (None).

        Raises:
            Blocked: the code was refused, and its lifetime had ended before the request was sent. With `even_if_ended`
                the refusal is returned instead.
        """
        parameters: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code.value,
            "code_verifier": code.code_verifier,
            "redirect_uri": code.redirect_uri,
            "resource": self.session.server.resource_indicator,
            **changes,
        }
        age, declared = self.session.now() - code.issued_after, self.session.server.profile.lifetimes.code
        # If a fresh code expires here, it expired while the check was queued. An old code is presented late on purpose.
        lifetime = declared or (_LEAST_CODE_LIFETIME if age < _LEAST_CODE_LIFETIME else None)
        in_time = lifetime is None or age < lifetime / 4
        sender = self if in_time else replace(self, session=self.session.urgent())
        answer = await sender.request(parameters, client or code.client, via=via, headers=headers)
        if not even_if_ended and via is None:
            _require_in_time("code", answer, code.issued_after, lifetime, is_declared=declared is not None)
        return answer

    async def refresh(
        self,
        tokens: Tokens,
        *,
        client: Client | None = None,
        via: Gate | None = None,
        even_if_ended: bool = False,
        **changes: str | None,
    ) -> Answer:
        """Refresh (OAuth 2.1 section 4.3.1), with parameters changed or left out (None).

        Raises:
            Blocked: the refresh token was refused, and its declared lifetime had ended before the request was sent. With
                `even_if_ended` the refusal is returned instead.
            Skipped: there is no refresh token.
        """
        if tokens.refresh_token is None and "refresh_token" not in changes:
            raise Skipped(
                f'a login for scope "{tokens.requested_scope or ""}" issued no refresh token: '
                "list a scope that does (offline_access?) first in `scopes`"
            )
        parameters: dict[str, str | None] = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh_token,
            "resource": self.session.server.resource_indicator,
            **changes,
        }
        answer = await self.request(parameters, client or tokens.client, via=via)
        if not even_if_ended and via is None:
            lifetime = self.session.server.profile.lifetimes.refresh_token
            _require_in_time("refresh token", answer, tokens.answer.sent_at, lifetime)
        return answer

    async def lose_refresh_answer(self, tokens: Tokens, cut: Cut) -> float:
        """Refresh, and close the connection before the answer is read. Returns when it began, in Unix seconds."""
        parameters = {
            "grant_type": "refresh_token",
            "refresh_token": tokens.refresh_token,
            "resource": self.session.server.resource_indicator,
        }
        headers, body = _form(parameters, tokens.client)
        session = self.session
        if session.paced:
            await session.run.pacer.charge(Kind.TOKEN, session.source)
        begun_at = session.now()
        await session.run.wire.hang_up(
            "POST",
            session.endpoint("token"),
            check=session.check,
            cut=cut,
            headers={**headers, **session.extra_headers},
            body=body,
            source=session.source,
        )
        session.run.last_sent[Kind.TOKEN] = session.now()
        return begun_at

    async def for_code(self, code: Code) -> Tokens:
        """Exchange a code and read the tokens.

        Raises:
            Blocked: the exchange was refused.
        """
        return self.read(await self.redeem(code), code.client, code.request.get("scope"))

    async def refreshed(self, tokens: Tokens, *, scope: str | None = None) -> Tokens:
        """Refresh and read the new tokens.

        Raises:
            Blocked: the refresh was refused.
        """
        return self.successor_of(await self.refresh(tokens, scope=scope), tokens, scope=scope)

    def successor_of(self, answer: Answer, tokens: Tokens, *, scope: str | None = None) -> Tokens:
        """The tokens that a client uses after a refresh. It keeps a refresh token that was not replaced (OAuth 2.1 section 4.3.1).

        Raises:
            Blocked: the refresh was refused.
        """
        successor = self.read(answer, tokens.client, scope or tokens.granted_scope)
        return replace(successor, refresh_token=successor.refresh_token or tokens.refresh_token)

    def read(self, answer: Answer, client: Client, requested_scope: str | None) -> Tokens:
        """Read a token response.

        Raises:
            Blocked: the answer is not a token response.
        """
        if not answer.has_tokens:
            without = "" if answer.status >= 300 else ", without an access_token"
            raise Blocked(f"set-up: the token request was answered {answer.in_words}{without}", (answer.number,))
        disclosed = answer.json_object().get("scope")
        granted = disclosed if isinstance(disclosed, str) else requested_scope
        return Tokens(
            answer.member("access_token"),
            answer.member("refresh_token") or None,
            client,
            answer,
            requested_scope,
            granted,
        )

    async def revoke(
        self, token: str | None, client: Client, *, hint: str | None = None, query: Mapping[str, str] | None = None
    ) -> Answer:
        """Revoke a token (RFC 7009 section 2.1); None is left out. `query` is added to the URL, where no parameter belongs."""
        credentials, authorization = client.credentials()
        form = {
            **credentials,
            **({} if token is None else {"token": token}),
            **({"token_type_hint": hint} if hint else {}),
        }
        headers = {"content-type": FORM, "accept": "application/json", **authorization}
        url = with_query(self.session.endpoint("revocation"), query)
        return await self.session.send("POST", url, kind=Kind.TOKEN, headers=headers, body=urlencode(form).encode())


def _form(parameters: Mapping[str, str | None], client: Client | None) -> tuple[dict[str, str], bytes]:
    """Headers and body of a token request of this client (None: without client authentication)."""
    credentials, authorization = client.credentials() if client else ({}, {})
    form = {name: value for name, value in {**credentials, **parameters}.items() if value is not None}
    return {"content-type": FORM, "accept": "application/json", **authorization}, urlencode(form).encode()


def _require_in_time(
    what: str, answer: Answer, issued_at: float, lifetime: float | None, *, is_declared: bool = True
) -> None:
    """Ensure that a refusal is not due to expiry: every server refuses an expired grant.

    Raises:
        Blocked: the grant was refused after its lifetime.
    """
    age = answer.sent_at - issued_at
    if lifetime is not None and age >= lifetime and not answer.has_tokens:
        known = f"and expires after {lifetime:g} s" if is_declared else f"and no lifetime of a {what} is declared"
        otherwise = "" if is_declared else ", or declare its lifetime in the profile, as `[lifetimes] code = SECONDS`"
        raise Blocked(
            f"the {what} was {age:.0f} s old when its request was sent, {known}: limits or answers were too slow for it; "
            f"judge less at once (--only){otherwise}",
            (answer.number,),
        )
