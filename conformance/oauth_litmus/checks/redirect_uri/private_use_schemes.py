"""Private-use schemes of native applications (OAuth 2.1 section 8.4.3; RFC 8252 section 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, check
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target

REVERSE_DOMAIN, WITHOUT_PERIOD = "com.example.litmus", "litmusapp"
WITH_ONE_SLASH, WITH_TWO = ":/cb", "://cb"
"""RFC 8252 section 7.1 has one slash, because these schemes have no naming authority. Many applications use two slashes."""


@check("REDIR-21", needs={DYNAMIC_REGISTRATION})
async def schemes_without_a_period_are_refused(target: Target) -> None:
    """Register redirect URIs whose scheme is a reversed domain name; then register redirect URIs without a period in the scheme."""
    admitted = [rest for rest in (WITH_ONE_SLASH, WITH_TWO) if await _registers(target, REVERSE_DOMAIN + rest)]
    if not admitted:
        raise NotApplicable("the server registers no private-use schemes, and need not")

    got = f"{REVERSE_DOMAIN}{WITH_TWO} is registered, and {REVERSE_DOMAIN}{WITH_ONE_SLASH} is refused"
    expect.ideally(WITH_ONE_SLASH in admitted, expected="the form of RFC 8252 section 7.1, with one slash", got=got)
    for rest in admitted:
        taken = await _registers(target, WITHOUT_PERIOD + rest)
        expected = f"a refusal of {WITHOUT_PERIOD}{rest}, since any application may claim a scheme without a period"
        expect.that(not taken, expected=expected, got="it is registered")


async def _registers(target: Target, uri: str) -> bool:
    # OpenID Connect's rules for redirect URIs differ by the kind of application.
    answer = expect.conclusive(
        await target.clients.register(target.clients.metadata(uri) | {"application_type": "native"})
    )
    expect.ideally(answer.status < 500, expected="400", got=f"{expect.describe(answer)} for {uri}", at=answer)
    kept = answer.json_object().get("redirect_uris", [uri])
    return answer.status < 300 and isinstance(kept, list) and uri in cast("list[object]", kept)
