"""Invalid registrations: the server refuses them, or names the values that it registered instead (RFC 7591 section 3.2.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, check

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer

METADATA_ERRORS = ("invalid_redirect_uri", "invalid_client_metadata")
MALFORMED = {
    "truncated JSON": b'{"redirect_uris": [',
    "an empty JSON array": b"[]",
    "a JSON array with an element": b"[42]",
    "the JSON value null": b"null",
    "a JSON string": b'"litmus"',
}
WRONGLY_TYPED = ("client_name", "client_uri", "scope", "grant_types", "contacts")
A_NUMBER = 42
UNSUPPORTED_METHOD = "urn:example:no-such-method"
A_MEGABYTE = 1_048_576
NOT_FORMS = (400, 413, 414, 415, 422, 431)
"""Statuses with which servers, and proxies in front of them, refuse a body that they do not read."""


@check("REG-02a", needs={DYNAMIC_REGISTRATION})
async def malformed_registration_is_refused(target: Target) -> None:
    """Register with truncated JSON, arrays, null, a string, and a number as redirect_uris: each must be refused."""
    wrong_type = json.dumps({**target.clients.metadata(), "redirect_uris": A_NUMBER}).encode()

    for what, body in {**MALFORMED, "redirect_uris: 42": wrong_type}.items():
        answer = expect.no_server_error(
            await target.settled(lambda b=body: target.clients.register_body(b), target.clients.new)
        )
        got = f"{expect.describe(answer)} for {what}"
        replaced = isinstance(answer.json_object().get("redirect_uris"), list)
        judge = expect.ideally if what.startswith("redirect_uris") and replaced else expect.that
        judge(answer.status >= 300, expected="400", got=got, at=answer)
        expect.ideally(answer.status in (400, *range(300)), expected="status 400", got=got, at=answer)
        names_the_fault(answer)


@check("REG-02b", needs={DYNAMIC_REGISTRATION})
async def unsupported_values_are_refused_or_replaced(target: Target) -> None:
    """Register with a response type that does not fit the grant types, and with an unknown authentication method."""
    faults: dict[str, object] = {"response_types": ["token"], "token_endpoint_auth_method": UNSUPPORTED_METHOD}

    for member, value in faults.items():
        document = {**target.clients.metadata(), member: value}
        answer = expect.no_server_error(
            await target.settled(lambda d=document: target.clients.register(d), target.clients.new)
        )
        echoed = answer.status < 300 and answer.json_object().get(member) == value
        got = f"{answer.status} with {member}: {value}"
        expect.ideally(not echoed, expected=f"400, or another {member}", got=got, at=answer)
        names_the_fault(answer)


@check("REG-02d", needs={DYNAMIC_REGISTRATION})
async def wrong_types_are_refused_or_left_out(target: Target) -> None:
    """Register with a number as the name, URL, scope, grant types or contacts."""
    for member in WRONGLY_TYPED:
        document = {**target.clients.metadata(), member: A_NUMBER}
        answer = expect.no_server_error(
            await target.settled(lambda d=document: target.clients.register(d), target.clients.new)
        )
        echoed = answer.status < 300 and answer.json_object().get(member) == A_NUMBER
        got = f"{answer.status} with {member}: {A_NUMBER}"
        expect.ideally(not echoed, expected=f"400, or a client without {member}", got=got, at=answer)
        names_the_fault(answer)


@check("REG-02c", needs={DYNAMIC_REGISTRATION})
async def body_of_another_kind_is_refused(target: Target) -> None:
    """Register with a form instead of JSON, and with a client_name of one megabyte."""
    form = b"redirect_uris=https%3A%2F%2Fclient.example.com%2Fcb&token_endpoint_auth_method=none"
    huge = json.dumps({**target.clients.metadata(), "client_name": "A" * A_MEGABYTE}).encode()

    for what, body, media_type in (
        ("a form", form, "application/x-www-form-urlencoded"),
        ("a body of a megabyte", huge, "application/json"),
    ):
        answer = await target.settled_or_cut(
            lambda b=body, m=media_type: target.clients.register_body(b, media_type=m), target.clients.new
        )
        if answer is None and body is huge:
            # A server may close the connection before it has read the whole body (RFC 9112 section 9.6).
            expect.that(True, expected="400 or 413", got="")
            continue
        expect.that(answer is not None, expected=f"400 or 415 for {what}", got="a closed connection")
        if answer is not None:
            expect.no_server_error(answer)
            got = f"{expect.describe(answer)} for {what}"
            expect.ideally(answer.status in NOT_FORMS, expected="400, 413 or 415", got=got, at=answer)


def names_the_fault(answer: Answer) -> None:
    """Record a WARN if a refusal names neither invalid_redirect_uri nor invalid_client_metadata (RFC 7591 section 3.2.2)."""
    if answer.status >= 300:
        precise, expected = answer.error in METADATA_ERRORS, f"400 with error={METADATA_ERRORS[0]}"
        expect.ideally(precise, expected=expected, got=expect.describe(answer), at=answer)
