"""The token endpoint: answers and errors, and the binding of grants to clients (OAuth 2.1 sections 3.2 and 4.1.3)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from oauth_litmus import expect
from oauth_litmus.answer import Answer
from oauth_litmus.authorization import new_verifier
from oauth_litmus.check import CONFIDENTIAL_CLIENT, LOGIN, REFRESH, REGISTRATION, check
from oauth_litmus.client import Client, Target
from oauth_litmus.clients import AuthMethod, basic

_ALLOWED = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]*")
"""What error and error_description may consist of (OAuth 2.1 section 3.2.4)."""
SECRETS: tuple[AuthMethod, ...] = ("client_secret_post", "client_secret_basic")

Parameters = Mapping[str, str | None]


@check("TOKEN-01", needs={LOGIN})
async def token_response_is_whole_and_not_stored(target: Target) -> None:
    """Look at the answers to an exchange and to a refresh."""
    answer = await target.redeem(await target.login())
    expect.tokens(answer)
    answers = [answer]
    if answer.member("refresh_token"):
        answers.append(await target.refresh(target.tokens_of(answer, await target.client(), None)))

    for answer in answers:
        expect.tokens(answer)
        _is_json(answer)
        expect.that(answer.status == 200, expected="status 200", got=f"{answer.status}", at=answer)
        token_type = answer.member("token_type")
        known = token_type.lower() in ("bearer", "dpop")
        expect.that(known, expected="token_type Bearer or DPoP", got=f"token_type {token_type!r}", at=answer)
        caching = answer.headers.get("cache-control", "")
        expect.that(_no_store(answer), expected="Cache-Control: no-store", got=caching or "none", at=answer)
        empty = sorted(name for name, value in answer.json_object().items() if value is None or value == "")
        expect.ideally(
            not empty, expected="members without a value are left out", got=f"{', '.join(empty)} is empty", at=answer
        )


@check("TOKEN-02", needs={REGISTRATION})
async def error_is_json_with_a_code(target: Target) -> None:
    """Send a made-up code, no code, and a made-up refresh token."""
    client = await target.client()
    probes: dict[str, tuple[Parameters, tuple[str, ...]]] = {
        "a made-up code": (_made_up_code(client), ("invalid_grant",)),
        "no code": ({**_made_up_code(client), "code": None}, ("invalid_request",)),
        "a made-up refresh token": (
            {"grant_type": "refresh_token", "refresh_token": secrets.token_urlsafe(32)},
            ("invalid_grant",),
        ),
    }

    for what, (parameters, codes) in probes.items():
        answer = expect.no_server_error(
            await target.lasting(lambda p=parameters: target.token_request(p, client), target.tokens)
        )

        expect.that(400 <= answer.status < 500, expected=f"400 for {what}", got=expect.describe(answer), at=answer)
        _is_json(answer)
        expect.that(bool(answer.error), expected="a JSON object with error", got="no error", at=answer)
        expect.ideally(answer.error in codes, expected=f"error={codes[0]}", got=f"error={answer.error}", at=answer)
        expect.ideally(answer.status in (400, 401), expected="status 400", got=f"{answer.status}", at=answer)
        expect.ideally(_no_store(answer), expected="Cache-Control: no-store", got="a storable error", at=answer)
        for member in ("error", "error_description"):
            text = answer.member(member)
            clean = _ALLOWED.fullmatch(text) is not None
            expect.ideally(clean, expected=f'printable ASCII but " and \\ in {member}', got=repr(text), at=answer)


@check("TOKEN-03", needs={REGISTRATION})
async def unsupported_grant_is_refused(target: Target) -> None:
    """Ask with no grant_type, a made-up one, password, implicit, and client_credentials as a public client."""
    client = await target.client()
    unsupported = ("unsupported_grant_type", "unauthorized_client")
    probes: dict[str | None, tuple[str, ...]] = {
        None: ("invalid_request",),
        "urn:example:no-such-grant": ("unsupported_grant_type",),
        "password": unsupported,
        "implicit": unsupported,
        "client_credentials": unsupported,
    }

    for grant_type, codes in probes.items():
        parameters = {"grant_type": grant_type, **(_user(target) if grant_type == "password" else {})}
        answer = expect.no_server_error(
            await target.lasting(lambda p=parameters: target.token_request(p, client), target.tokens)
        )
        what = f"grant_type={grant_type} is not supported" if grant_type else "grant_type is missing"
        expect.refused_grant(answer, *codes, because=what, statuses=(400,))


@check("TOKEN-07", needs={LOGIN}, logins=5)
async def failed_authentication_is_invalid_client(target: Target) -> None:
    """Ask as an unknown client, and with a wrong secret by every method; then with Basic that is malformed."""
    stranger = Client(secrets.token_urlsafe(16), (await target.client()).redirect_uris)
    answer = expect.no_server_error(
        await target.lasting(lambda: target.token_request(_made_up_code(stranger), stranger), target.tokens)
    )
    expect.refused_grant(answer, "invalid_client", because="the client is unknown", steering=True)

    if await _works(target, "client_secret_post"):
        client = await target.confidential_client(auth_method="client_secret_post")
        code = await target.login(client)
        answer = expect.no_server_error(
            await target.lasting(lambda: target.redeem(code, client_secret=secrets.token_urlsafe(32)), target.tokens)
        )
        expect.refused_grant(answer, "invalid_client", because="the client_secret is wrong", steering=True)
    if await _works(target, "client_secret_basic"):
        client = await target.confidential_client(auth_method="client_secret_basic")
        for header, codes in (
            (basic(client.client_id, secrets.token_urlsafe(32)), ("invalid_client",)),
            ("Basic %%%", ("invalid_client", "invalid_request")),
        ):
            code = await target.login(client)
            answer = expect.no_server_error(
                await target.lasting(
                    lambda c=code, h=header: target.redeem(c, headers={"authorization": h}), target.tokens
                )
            )
            expect.refused_grant(answer, *codes, because="HTTP Basic does not prove the client", steering=True)
            _names_basic(answer, malformed=len(codes) > 1)


@check("TOKEN-08", needs={LOGIN, CONFIDENTIAL_CLIENT}, logins=2)
async def advertised_authentication_works_by_itself(target: Target) -> None:
    """Redeem codes by each advertised kind of client secret, with Basic without client_id in the body."""
    for method in SECRETS:
        if method in target.server.token_auth_methods:
            answer = await _exchange_by(target, method)
            expect.tokens(answer, expected=f"tokens for a client that authenticates by {method}")


@check("INJ-01", needs={LOGIN}, logins=4)
async def code_is_bound_to_its_client(target: Target) -> None:
    """Redeem a code, with all that belongs to it, as another client, with another's credentials, and as nobody."""
    errors = ("invalid_grant", "invalid_client", "invalid_request")
    stranger = await target.client("b")

    answer = await target.redeem(await target.login(), client=stranger)
    expect.refused_grant(answer, *errors, because="the code belongs to another client")

    answer = await target.redeem(await target.login(), client_id=None)
    expect.refused_grant(answer, *errors, because="the request names no client")

    if await _works(target, "client_secret_basic"):
        stranger = await target.confidential_client("b", auth_method="client_secret_basic")
        code = await target.login()
        answer = await target.redeem(code, client=stranger, client_id=code.client.client_id)
        expect.refused_grant(answer, *errors, because="the credentials are another client's")


@check("INJ-02", needs={REFRESH}, logins=2)
async def refresh_token_is_bound_to_its_client(target: Target) -> None:
    """Use a refresh token as another client, and (another one) without naming a client."""
    errors = ("invalid_grant", "invalid_client", "invalid_request")

    answer = await target.refresh(await target.tokens(), client=await target.client("b"))
    expect.refused_grant(answer, *errors, because="the refresh token belongs to another client")

    answer = expect.conclusive(await target.refresh(await target.tokens(), client_id=None))
    expect.ideally(
        not answer.has_tokens, expected="a refusal, since the request names no client", got="tokens", at=answer
    )


async def _exchange_by(target: Target, method: AuthMethod) -> Answer:
    """The answer to an ordinary exchange of a client that has this method."""

    async def exchange() -> Answer:
        return await target.redeem(await target.login(await target.client(auth_method=method)))

    return await target.once(("exchange by", method), exchange)


async def _works(target: Target, method: AuthMethod) -> bool:
    """Whether a client gets tokens by this method: where it never does, refusals show nothing (see TOKEN-08)."""
    if method not in target.server.token_auth_methods:
        return False
    return expect.conclusive(await _exchange_by(target, method)).has_tokens


def _made_up_code(client: Client) -> dict[str, str | None]:
    return {
        "grant_type": "authorization_code",
        "code": secrets.token_urlsafe(32),
        "code_verifier": new_verifier(),
        "redirect_uri": client.redirect_uri,
    }


def _user(target: Target) -> dict[str, str]:
    """The suite's own user where the profile has one: only with true credentials would a password grant be seen."""
    fields = target.server.profile.login.values()
    named = next(
        (fields[name] for name in ("username", "email", "login", "user") if name in fields), "nobody@example.com"
    )
    return {"username": named, "password": fields.get("password", secrets.token_urlsafe(16))}


def _is_json(answer: Answer) -> None:
    media_type = answer.media_type
    expect.that(
        media_type == "application/json", expected="application/json", got=media_type or "no media type", at=answer
    )


def _no_store(answer: Answer) -> bool:
    directives = answer.headers.get("cache-control", "").lower().split(",")
    return "no-store" in (directive.strip() for directive in directives)


def _names_basic(answer: Answer, *, malformed: bool) -> None:
    named = any(challenge.scheme == "basic" for challenge in answer.challenges or ())
    expect.ideally(
        (answer.status == 401 and named) or (malformed and answer.status == 400),
        expected="401 with WWW-Authenticate: Basic",
        got=f"{answer.status}, {answer.headers.get('www-authenticate', 'no challenge')}",
        at=answer,
    )
