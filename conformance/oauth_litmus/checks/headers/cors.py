"""CORS: which endpoints scripts of other origins may call, and with which headers (OAuth 2.1 sections 3.1 and 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.check import REGISTRATION, RESOURCE, check
from oauth_litmus.limits.rates import Kind
from oauth_litmus.probes.observed import (
    FOREIGN_ORIGIN,
    Called,
    allowed_origin,
    called,
    path_of,
)
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer

FOR_BROWSER_CLIENTS = ("metadata", "token", "registration", "revocation")
"""Endpoints that a client in a browser calls (OAuth 2.1 section 3.2, RFC 7009 section 2.3)."""
MAY_STAY_OUT = ("revocation",)
"""Endpoints where CORS is a MAY (RFC 7009 section 2.3)."""
PRIVATE_ORIGIN = "null"
"""The Origin that browsers send for a sandboxed frame or a local file: any site can use it."""


@check("CORS-01", needs={REGISTRATION})
async def browser_legs_offer_no_cors(target: Target) -> None:
    """Navigate through a login with a foreign Origin, and send a preflight to every URL of the login."""
    request = target.authorization.request(await target.clients.shared())
    attempt = await target.authorization.attempt_upstream(request, headers={"origin": FOREIGN_ORIGIN})

    answers = target.authorization.own_answers(attempt)
    urls = [answer.url for answer in answers]
    if target.server.seen.callback_url is not None:
        urls.append(target.server.seen.callback_url.partition("?")[0])
    headers = {"origin": FOREIGN_ORIGIN, "access-control-request-method": "GET"}
    for url in urls:
        answers.append(await target.send("OPTIONS", url, kind=Kind.AUTHORIZE, headers=headers))

    endpoint = target.endpoint("authorization").partition("?")[0]
    for answer in answers:
        allowed = answer.headers.get("access-control-allow-origin")
        got = f"Access-Control-Allow-Origin: {allowed} at {urlsplit(answer.url).path}"
        foreign = allowed in ("*", FOREIGN_ORIGIN)
        open_to_all = foreign and (_with_cookies(answer) or answer.url.startswith(endpoint))
        expect.that(not open_to_all, expected="no Access-Control-Allow-Origin", got=got, at=answer)
        expect.ideally(allowed is None, expected="no Access-Control-Allow-Origin", got=got, at=answer)


@check("CORS-02a")
async def cors_covers_all_that_browser_clients_call(target: Target) -> None:
    """Send each endpoint a preflight and a request from a foreign origin. See whether scripts there may read the answers."""
    calls = await called(target)
    wanted = {name: calls[name] for name in FOR_BROWSER_CLIENTS if name in calls}
    # A server may open its documents to scripts and still not support clients in a browser.
    begun = [name for name, call in wanted.items() if call.allows_a_part and name != "metadata"]

    for name, call in wanted.items():
        expect.conclusive(call.answer)
        missing = call.preflight if allowed_origin(call.preflight) not in ("*", FOREIGN_ORIGIN) else call.answer
        what = f"no CORS headers in the answer to {missing.method} ({missing.status})"
        if target.server.profile.browser_clients:
            judge = expect.ideally if name in MAY_STAY_OUT else expect.safe
            wanted = f"CORS at the {name} endpoint, since the profile declares browser_clients"
            judge(call.allows, expected=wanted, got=what, at=missing)
        complete = call.allows or not begun or name in MAY_STAY_OUT
        got = f"CORS at {', '.join(begun)}, and at {name} {what}"
        expect.that(
            complete, expected="CORS at every endpoint that browser clients call, or at none", got=got, at=missing
        )


@check("CORS-02b")
async def preflights_allow_what_clients_send(target: Target) -> None:
    """Read the headers that the preflight of each endpoint allows, if the endpoint is open to scripts."""
    calls = await called(target)
    if not any(call.allows for name, call in calls.items() if name in FOR_BROWSER_CLIENTS):
        raise NotApplicable("the server opens no endpoint to scripts of other origins")

    for call in calls.values():
        if call.allows:
            allowed = call.preflight.headers.get("access-control-allow-headers", "").lower()
            listed = {name.strip() for name in allowed.split(",")}
            missing = sorted(name for name in _sent_to(target, call) if not _covers(listed, name))
            got = f"a preflight of {path_of(call.preflight)} without {', '.join(missing)}"
            expect.that(
                not missing,
                expected="Access-Control-Allow-Headers with all headers that clients send",
                got=got,
                at=call.preflight,
            )


@check("CORS-02c", needs={RESOURCE})
async def scripts_can_read_the_challenge(target: Target) -> None:
    """Call the resource without a token, as a foreign script, and read Access-Control-Expose-Headers."""
    call = (await called(target))["resource"]
    if allowed_origin(call.answer) not in ("*", FOREIGN_ORIGIN) or "www-authenticate" not in call.answer.headers:
        raise NotApplicable("the resource is not open to scripts of other origins, or sends no challenge")

    exposed = call.answer.headers.get("access-control-expose-headers", "").lower()
    named = {name.strip() for name in exposed.split(",")}
    got = f"Access-Control-Expose-Headers: {exposed or 'none'}"
    readable = bool(named & {"www-authenticate", "*"})
    expect.that(readable, expected="WWW-Authenticate in Access-Control-Expose-Headers", got=got, at=call.answer)


@check("CORS-03", needs={REGISTRATION})
async def credentials_are_for_no_foreign_origin(target: Target) -> None:
    """Call every endpoint and every URL of the login from foreign origins, and see whether credentials are allowed."""
    attempt = await target.logins.finished()
    for url in dict.fromkeys(answer.url for answer in target.authorization.own_answers(attempt)):
        answer = await _preflight(target, url, Kind.AUTHORIZE)
        reflected = allowed_origin(answer) == PRIVATE_ORIGIN and _with_cookies(answer)
        got = f"Access-Control-Allow-Origin: null with credentials at {path_of(answer)}, which has cookies"
        expect.safe(not reflected, expected="no credentials for a foreign origin", got=got, at=answer)

    answers = [part for call in (await called(target)).values() for part in (call.preflight, call.answer)]
    urls = dict.fromkeys(answer.url for answer in answers)
    answers += [await _preflight(target, url, Kind.RESOURCE) for url in urls]
    for answer in answers:
        allowed = allowed_origin(answer)
        open_to_all = allowed in ("*", FOREIGN_ORIGIN, PRIVATE_ORIGIN) and _with_cookies(answer)
        got = f"Access-Control-Allow-Origin: {allowed} with credentials at {path_of(answer)}"
        expect.that(not open_to_all, expected="no credentials for a foreign origin", got=got, at=answer)


async def _preflight(target: Target, url: str, kind: Kind) -> Answer:
    headers = {"origin": PRIVATE_ORIGIN, "access-control-request-method": "POST"}
    return await target.send("OPTIONS", url, kind=kind, headers=headers)


def _with_cookies(answer: Answer) -> bool:
    return answer.headers.get("access-control-allow-credentials", "").strip().lower() == "true"


def _sent_to(target: Target, call: Called) -> set[str]:
    """Headers that clients send to this endpoint and that need a preflight."""
    basic = "client_secret_basic" in target.server.token_auth_methods
    mcp = target.server.profile.specification == "mcp"
    headers = {
        "metadata": {"mcp-protocol-version"} if mcp else set[str](),
        "token": {"authorization"} if basic else set[str](),
        "registration": {"content-type"},
        "revocation": {"authorization"} if basic else set[str](),
        "resource": {"authorization", *({"content-type", "mcp-protocol-version"} if mcp else ())},
    }
    return headers.get(call.name, set())


def _covers(listed: set[str], name: str) -> bool:
    """Whether the list allows a header. A star allows every header but Authorization (Fetch, CORS-preflight fetch)."""
    return name in listed or ("*" in listed and name != "authorization")
