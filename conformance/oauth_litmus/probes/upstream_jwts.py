"""Presents JWTs of the upstream with chosen faults to the protected resource (needs the upstream control)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import count
from typing import TYPE_CHECKING, TypedDict

from oauth_litmus import expect
from oauth_litmus.client.shared import shared
from oauth_litmus.http.answer import Answer

if TYPE_CHECKING:
    from oauth_litmus.client import Target
    from oauth_litmus.oauth.grants import Tokens


class Changes(TypedDict, total=False):
    """The differences of a JWT from the upstream's own: claims with other values, and claims left out."""

    claims: dict[str, object]
    without: list[str]


Present = Callable[[Changes], Awaitable[Answer | None]]
"""Presents a JWT with these changes to the resource; None if the login that should issue it fails."""


async def forgery(target: Target) -> Present | None:
    """Return a function that presents forged JWTs, or None if the resource would refuse every forgery.

    As a positive control, the resource has accepted a JWT without a fault that was presented in the same way. A resource
    that accepts only tokens that it knows to be issued refuses every other JWT, even one without a fault. The function then has
    the upstream issue the forgery in a login. That is impossible too if the server issues access tokens of its own.
    """
    tokens, opened = await target.resource.valid_tokens()
    persons = count()

    async def directly(changes: Changes) -> Answer:
        return await target.resource.call(await target.upstream.jwt(like=tokens.access_token, **changes))

    async def by_login(changes: Changes) -> Answer | None:
        issued = await _tokens_behind(target, f"{next(persons)}", changes)
        return None if issued is None else await target.resource.call(issued.access_token)

    if expect.let_in(expect.conclusive(await _call_with_a_copy(target, tokens.access_token)), opened):
        return directly
    return by_login if await _is_handed_on(target) else None


@shared
async def _call_with_a_copy(target: Target, access_token: str) -> Answer:
    """Call the resource with a faultless copy of an access token, signed by the upstream."""
    return await target.resource.call(await target.upstream.jwt(like=access_token))


@shared
async def _is_handed_on(target: Target) -> bool:
    """Whether a login gives the client the upstream's JWT unchanged. The resource must then accept that JWT.

    Raises:
        Blocked: the resource does not accept it.
    """
    mark = target.run_id
    marked = await _tokens_behind(target, "control", {"claims": {"litmus": mark}})
    if marked is None or marked.claims.get("litmus") != mark:
        return False
    await target.resource.accepted_call(marked)
    return True


async def _tokens_behind(target: Target, person: str, changes: Changes) -> Tokens | None:
    """Tokens of a login in which the upstream issues a JWT with these changes; None if the login fails."""
    user = target.user(person)
    await target.upstream.fault("token", "jwt", grant_type="pkce", user=user, jwt=changes)
    request = target.authorization.request(await target.clients.shared())
    attempt = await target.callbacks.deliver(await target.callbacks.hold(request, user=user))
    if attempt.code is None:
        return None
    answer = await target.tokens.redeem(target.authorization.code_of(attempt))
    return target.tokens.read(answer, request.client, request.get("scope")) if answer.has_tokens else None
