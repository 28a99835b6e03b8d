"""Exchanges that several checks share: an ordinary login, and calls of each endpoint as a foreign script."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from oauth_litmus.client.session import FORM
from oauth_litmus.client.shared import shared
from oauth_litmus.http.sites import host_of
from oauth_litmus.limits.rates import Kind
from oauth_litmus.probes.markup import IMAGE

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.oauth.attempt import Attempt

SERVER_FAILURE = 500
FOREIGN_ORIGIN = "https://app.example"
ASKED_HEADERS = "authorization, content-type, mcp-protocol-version"
UNKNOWN_CLIENT = f"unknown-{IMAGE}"
"""A client_id that no server knows, with markup that an answer in HTML must escape."""


@dataclass(frozen=True)
class Called:
    """The answers of one endpoint to a script of another origin."""

    name: str
    preflight: Answer
    answer: Answer

    @property
    def allows(self) -> bool:
        """Whether the script may send its request and read the answer. A form or a GET needs no preflight."""
        needed = (self.preflight, self.answer) if self.name in ("registration", "resource") else (self.answer,)
        return all(allowed_origin(answer) in ("*", FOREIGN_ORIGIN) for answer in needed)

    @property
    def allows_a_part(self) -> bool:
        """Whether any of the answers allows an origin."""
        return any(allowed_origin(answer) for answer in (self.preflight, self.answer))


def allowed_origin(answer: Answer) -> str:
    """Access-Control-Allow-Origin; empty if it is absent."""
    return answer.headers.get("access-control-allow-origin", "").strip()


async def whole_login(target: Target) -> Attempt:
    """The shared finished login, as far as this run can follow it; checks only read it.

    Raises:
        Blocked: the login broke off at a server error, so the suite has not seen all of its pages.
    """
    login = await target.logins.finished()
    if login.answers and login.last.status >= SERVER_FAILURE:
        target.authorization.code_of(login)
    return login


@shared
async def called(target: Target) -> dict[str, Called]:
    """Call every endpoint for programs as a script of another origin, once for all checks.

    Calls of the token, registration, revocation and resource endpoints provoke errors, so they need no login. Apart from
    the resource, endpoints on other hosts than the issuer's are left out.
    """
    server = target.server
    form = urlencode(
        {"grant_type": "authorization_code", "code": secrets.token_urlsafe(16), "client_id": UNKNOWN_CLIENT}
    )
    revocation = urlencode({"token": secrets.token_urlsafe(16), "client_id": UNKNOWN_CLIENT})
    calls: dict[str, tuple[str | None, Kind, str]] = {
        "metadata": (server.discovered.metadata_url, Kind.RESOURCE, ""),
        "jwks": (server.endpoint("jwks_uri"), Kind.RESOURCE, ""),
        "token": (server.endpoint("token"), Kind.TOKEN, form),
        "registration": (server.endpoint("registration"), Kind.REGISTER, ""),
        "revocation": (server.endpoint("revocation"), Kind.TOKEN, revocation),
        "resource": (server.resource, Kind.RESOURCE, ""),
    }
    return {
        name: await _call(target, name, url, kind, body)
        for name, (url, kind, body) in calls.items()
        if url is not None and (host_of(url) == host_of(server.issuer) or name == "resource")
    }


async def _call(target: Target, name: str, url: str, kind: Kind, body: str) -> Called:
    method = "POST" if kind in (Kind.TOKEN, Kind.REGISTER) else "GET"
    preflight = await target.send(
        "OPTIONS",
        url,
        kind=kind,
        headers={
            "origin": FOREIGN_ORIGIN,
            "access-control-request-method": method,
            "access-control-request-headers": ASKED_HEADERS,
        },
    )
    script = target.with_headers({"origin": FOREIGN_ORIGIN})
    if name == "registration":
        return Called(
            name, preflight, await script.clients.register({"redirect_uris": [IMAGE], "client_name": UNKNOWN_CLIENT})
        )
    headers = {"accept": "application/json"} | ({"content-type": FORM} if body else {})
    return Called(name, preflight, await script.send(method, url, kind=kind, headers=headers, body=body.encode()))


def path_of(answer: Answer) -> str:
    """The path of an answer's URL, cut to 60 characters."""
    return urlsplit(answer.url).path[:60]
