"""Private-use schemes of native applications (OAuth 2.1 section 8.4.3; RFC 8252 section 7.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from oauth_litmus import expect
from oauth_litmus.check import DYNAMIC_REGISTRATION, check
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Target

REVERSE_DOMAIN = "com.example.litmus:/cb"
WITHOUT_PERIOD = "litmusapp:/cb"


@check("REDIR-21", needs={DYNAMIC_REGISTRATION})
async def schemes_without_a_period_are_refused(target: Target) -> None:
    """Register a redirect URI with a scheme like a reversed domain name, and one whose scheme has no period."""
    if not await _registers(target, REVERSE_DOMAIN):
        raise NotApplicable("the server registers no private-use schemes, which is a policy of its own")

    taken = await _registers(target, WITHOUT_PERIOD)

    expected = f"a refusal of {WITHOUT_PERIOD}: any application may claim such a scheme"
    expect.that(not taken, expected=expected, got="it is registered")


async def _registers(target: Target, uri: str) -> bool:
    # OpenID Connect's rules for redirect URIs differ by the kind of application.
    answer = expect.conclusive(await target.register(target.metadata(uri) | {"application_type": "native"}))
    expect.ideally(answer.status < 500, expected="400", got=f"{expect.describe(answer)} for {uri}", at=answer)
    kept = answer.json_object().get("redirect_uris", [uri])
    return answer.status < 300 and isinstance(kept, list) and uri in cast("list[object]", kept)
