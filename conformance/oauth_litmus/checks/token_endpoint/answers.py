"""Answers of the token endpoint to valid and invalid requests (OAuth 2.1 sections 3.2.3 and 3.2.4)."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, REGISTRATION, check
from oauth_litmus.client.shared import shared
from oauth_litmus.http.answer import Answer
from oauth_litmus.oauth.jwts import unsigned
from oauth_litmus.probes.token_requests import made_up_code

if TYPE_CHECKING:
    from oauth_litmus.client import Client, Target

_ALLOWED = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]*")
"""The characters allowed in error and error_description (OAuth 2.1 section 3.2.4)."""
Parameters = Mapping[str, str | None]
_MEMBERS = ("access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token")
"""The members that a client reads; it ignores all others (OAuth 2.1 section 3.2.3)."""
_UNSUPPORTED = ("unsupported_grant_type", "unauthorized_client")
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
"""The grant type in which an assertion identifies the user (RFC 7523 section 2.1)."""


@check("TOKEN-01", needs={LOGIN})
async def token_response_is_whole(target: Target) -> None:
    """Inspect status, media type and token_type of the answers to an exchange and to a refresh."""
    for tokens in await target.grants.exchanged_and_refreshed():
        answer = tokens.answer
        _is_json(answer)
        expect.that(answer.status == 200, expected="status 200", got=f"{answer.status}", at=answer)
        token_type = answer.member("token_type")
        known = token_type.lower() in ("bearer", "dpop")
        expect.that(known, expected="token_type Bearer or DPoP", got=f"token_type {token_type!r}", at=answer)


@check("TOKEN-01a", needs={LOGIN}, logins=0)
async def token_response_is_not_stored(target: Target) -> None:
    """Inspect Cache-Control of the answers to an exchange and to a refresh."""
    for tokens in await target.grants.exchanged_and_refreshed():
        answer = tokens.answer
        caching = answer.headers.get("cache-control", "")
        expect.that(
            answer.is_never_stored, expected="Cache-Control: no-store", got=caching or "no Cache-Control", at=answer
        )


@check("TOKEN-01b", needs={LOGIN}, logins=0)
async def token_response_omits_empty_members(target: Target) -> None:
    """Look for empty members in the answers to an exchange and to a refresh."""
    for tokens in await target.grants.exchanged_and_refreshed():
        answer = tokens.answer
        empty = sorted(name for name in _MEMBERS if answer.json_object().get(name, name) in (None, ""))
        expect.ideally(
            not empty, expected="members without a value are left out", got=f"{', '.join(empty)} is empty", at=answer
        )


@shared
async def _errors(target: Target) -> dict[str, tuple[Answer, tuple[str, ...]]]:
    """Send a made-up code, no code, and a made-up refresh token. Returns the answers, each with its possible error codes."""
    client = await target.clients.shared()
    issues_none = target.server.seen.refresh_token is False
    probes: dict[str, tuple[Parameters, tuple[str, ...]]] = {
        "a made-up code": (made_up_code(client), ("invalid_grant",)),
        "no code": ({**made_up_code(client), "code": None}, ("invalid_request",)),
        "a made-up refresh token": (
            {"grant_type": "refresh_token", "refresh_token": secrets.token_urlsafe(32)},
            ("invalid_grant", *(("unsupported_grant_type", "unauthorized_client") if issues_none else ())),
        ),
    }
    return {what: (await _sent(target, client, parameters), codes) for what, (parameters, codes) in probes.items()}


async def _sent(target: Target, client: Client, parameters: Parameters) -> Answer:
    return await target.settled(lambda: target.tokens.request(parameters, client), target.grants.fresh)


@check("TOKEN-02", needs={REGISTRATION})
async def error_is_json_with_a_code(target: Target) -> None:
    """Send a made-up code, no code, and a made-up refresh token."""
    for what, (answer, codes) in (await _errors(target)).items():
        expect.no_server_error(answer)
        expect.that(400 <= answer.status < 500, expected=f"400 for {what}", got=expect.describe(answer), at=answer)
        _is_json(answer)
        expect.that(bool(answer.error), expected="a JSON object with error", got="no error", at=answer)
        expect.ideally(answer.error in codes, expected=f"error={codes[0]}", got=f"error={answer.error}", at=answer)
        expect.ideally(answer.status in (400, 401), expected="status 400", got=f"{answer.status}", at=answer)


@check("TOKEN-02a", needs={REGISTRATION})
async def error_uses_allowed_characters(target: Target) -> None:
    """Inspect error and error_description of the same three refusals."""
    for answer, _ in (await _errors(target)).values():
        expect.no_server_error(answer)
        for member in ("error", "error_description"):
            text = answer.member(member)
            clean = _ALLOWED.fullmatch(text) is not None
            expect.ideally(clean, expected=f'printable ASCII except " and \\ in {member}', got=repr(text), at=answer)


@check("TOKEN-03", needs={REGISTRATION})
async def missing_or_unknown_grant_type_is_refused(target: Target) -> None:
    """Send no grant_type, and a made-up one."""
    await _refuses_grant(target, {"grant_type": None}, ("invalid_request",), "grant_type is missing")
    await _refuses_grant(target, {"grant_type": "urn:example:no-such-grant"}, _UNSUPPORTED)


@check("TOKEN-03a", needs={REGISTRATION})
async def password_and_implicit_do_not_exist(target: Target) -> None:
    """Send grant_type password, with the credentials of the profile's user if it has one, and grant_type implicit."""
    await _refuses_grant(target, {"grant_type": "password", **_user(target)}, _UNSUPPORTED)
    await _refuses_grant(target, {"grant_type": "implicit"}, _UNSUPPORTED)


@check("TOKEN-03b", needs={REGISTRATION})
async def client_credentials_need_authentication(target: Target) -> None:
    """Send grant_type client_credentials as an ordinary client."""
    # A server with this grant may first refuse the public client, which cannot authenticate (OAuth 2.1 section 4.2).
    await _refuses_grant(target, {"grant_type": "client_credentials"}, (*_UNSUPPORTED, "invalid_client"))


@check("TOKEN-03c", needs={REGISTRATION})
async def unsigned_assertion_is_refused(target: Target) -> None:
    """Send a jwt-bearer request whose assertion is a JWT with alg none."""
    client = await target.clients.shared()
    claims = {"iss": client.client_id, "sub": "litmus", "aud": target.endpoint("token"), "exp": int(target.now()) + 300}
    assertion = next(iter(unsigned({}, claims).values()))

    answer = await target.tokens.request({"grant_type": JWT_BEARER, "assertion": assertion}, client)

    issued = expect.conclusive(answer).has_tokens
    expect.that(not issued, obtained=True, expected="a refusal", got="tokens for an unsigned assertion", at=answer)


async def _refuses_grant(
    target: Target, parameters: Parameters, codes: tuple[str, ...], because: str | None = None
) -> None:
    answer = expect.no_server_error(await _sent(target, await target.clients.shared(), parameters))
    statuses = (400, 401) if "invalid_client" in codes else (400,)
    because = because or f"grant_type={parameters['grant_type']} is not supported"
    expect.refused_grant(answer, *codes, because=because, statuses=statuses)


def _user(target: Target) -> dict[str, str]:
    """The user of the profile, if it has one: only real credentials show that a password grant works."""
    fields = target.server.profile.login.values()
    named = next(
        (fields[name] for name in ("username", "email", "login", "user") if name in fields), "unknown@example.com"
    )
    return {"username": named, "password": fields.get("password", secrets.token_urlsafe(16))}


def _is_json(answer: Answer) -> None:
    media_type = answer.media_type
    expect.that(
        media_type == "application/json", expected="application/json", got=media_type or "no media type", at=answer
    )
