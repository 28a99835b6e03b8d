"""What several of these checks look at, sent once: an ordinary login, an error page, and what programs are answered."""

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
    from oauth_litmus.oauth.authorization import Attempt

SERVER_FAILURE = 500
FOREIGN_ORIGIN = "https://app.example"
ASKED_HEADERS = "authorization, content-type, mcp-protocol-version"
NOBODY = f"nobody-{IMAGE}"
"""A client_id that no server knows, and that an answer in HTML had better escape."""


@dataclass(frozen=True)
class Called:
    """What a script of another origin is told of one endpoint."""

    name: str
    preflight: Answer
    answer: Answer

    @property
    def allows(self) -> bool:
        """Whether the script may send its request and read the answer; for a form or a GET no browser asks before."""
        needed = (self.preflight, self.answer) if self.name in ("registration", "resource") else (self.answer,)
        return all(allowed_origin(answer) in ("*", FOREIGN_ORIGIN) for answer in needed)

    @property
    def allows_a_part(self) -> bool:
        """Whether CORS shows at all."""
        return any(allowed_origin(answer) for answer in (self.preflight, self.answer))


def allowed_origin(answer: Answer) -> str:
    """Access-Control-Allow-Origin; empty if it is absent."""
    return answer.headers.get("access-control-allow-origin", "").strip()


async def whole_login(target: Target) -> Attempt:
    """A login that is only looked at, as far as this run can go with it.

    Raises:
        Blocked: it broke off at a failure of the server, and nobody knows which pages would have come.
    """
    login = await target.logins.finished()
    if login.answers and login.last.status >= SERVER_FAILURE:
        target.authorization.code_of(login)
    return login


@shared
async def called(target: Target) -> dict[str, Called]:
    """Every endpoint that programs call, as a script of another origin finds it; errors where that costs least.

    Endpoints on other hosts than the issuer's are left alone.
    """
    server = target.server
    form = urlencode({"grant_type": "authorization_code", "code": secrets.token_urlsafe(16), "client_id": NOBODY})
    revocation = urlencode({"token": secrets.token_urlsafe(16), "client_id": NOBODY})
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
        return Called(name, preflight, await script.clients.register({"redirect_uris": [IMAGE], "client_name": NOBODY}))
    headers = {"accept": "application/json"} | ({"content-type": FORM} if body else {})
    return Called(name, preflight, await script.send(method, url, kind=kind, headers=headers, body=body.encode()))


def path_of(answer: Answer) -> str:
    """Where an answer came from, in few words."""
    return urlsplit(answer.url).path[:60]
