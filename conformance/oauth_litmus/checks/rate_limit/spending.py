"""A 429 has no other effect: the login, code or refresh token of the refused request can still be used afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import BROWSER_LEG, BURST, LOGIN, RELAY, check
from oauth_litmus.oauth.attempt import ending_of
from oauth_litmus.probes.limited_actions import GUARD, TOO_MANY, limited_action, quiet_after, rate_of, refused
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Target
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.probes.limited_actions import LimitedAction
    from oauth_litmus.target.server import Server

AT_THE_TOKEN_ENDPOINT = ("token_failures", "token")
MARGIN = 2.0
"""Seconds of a lifetime that must remain after the wait, because servers count in whole seconds."""


def _window_of(*names: str) -> Callable[[Server], float]:
    return lambda server: rate_of(server, *names)[1].seconds + GUARD


@check("RATE-12a", needs={BURST, BROWSER_LEG, LOGIN}, logins=1, waits=_window_of("start"))
async def refused_start_leaves_the_login_as_it_was(target: Target) -> None:
    """Exhaust the limit of login starts, open the start URL of a pending login, and open it again after the advised delay."""
    action = await limited_action(target, "start")
    begun = await target.authorization.first_answer(target.authorization.request(await target.clients.shared()))
    url = begun.last.location
    if url is None or not target.authorization.is_home(url):
        raise NotApplicable("the authorization endpoint itself begins the login")
    await refused(target, action)
    early = await target.authorization.resume(begun, url)
    await _until_admitted(target, action, early.answers[0], until=begun.last.sent_at + target.server.pending_login_ttl)

    late = await target.authorization.resume(begun, url)

    expect.conclusive(late.last)
    goes_on = late.went_on or late.unfinished or late.code is not None
    expected = "the login begins, as without the earlier 429"
    expect.that(goes_on, expected=expected, got=ending_of(late), at=(early.answers[0], late.last))


@check("RATE-12b", needs={BURST, RELAY}, logins=1, waits=_window_of("callback"))
async def refused_callback_leaves_the_login_as_it_was(target: Target) -> None:
    """Exhaust the limit of callbacks, deliver the callback of a real login, and deliver it again after the advised delay."""
    action = await limited_action(target, "callback")
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()))
    cookies = {cookie.name for cookie in held.browser.jar()}
    await refused(target, action)
    early = await target.callbacks.deliver(held)
    lost = cookies - {cookie.name for cookie in held.browser.jar()}
    ends_at = held.answers[0].sent_at + target.server.pending_login_ttl
    await _until_admitted(target, action, early.answers[0], until=ends_at)

    late = await target.callbacks.deliver(held)

    expect.conclusive(late.answers[0])
    expected = "the login finishes, as without the earlier 429"
    got, at = ending_of(late), (early.answers[0], late.last)
    lost_silently = late.code is None and late.response is None and lost
    expect.safe(not lost_silently, expected=expected, got=f"{got}, and the 429 deleted the cookie", at=at)
    expect.that(late.code is not None, expected=expected, got=got, at=at)


@check("RATE-12c", needs={BURST, LOGIN}, logins=2, waits=_window_of(*AT_THE_TOKEN_ENDPOINT))
async def refused_token_request_spends_nothing(target: Target) -> None:
    """Exhaust the limit of the token endpoint, refresh and redeem, and do both again after the advised delay."""
    name, rate = rate_of(target.server, *AT_THE_TOKEN_ENDPOINT)
    action = await limited_action(target, name)
    tokens = await target.grants.fresh()
    asked: dict[str, Callable[[], Awaitable[Answer]]] = {}
    ends_at: float | None = None
    if tokens.refresh_token is not None:
        asked["a refresh token"] = lambda: target.tokens.refresh(tokens)
    if (target.server.profile.lifetimes.code or 0.0) > rate.seconds + GUARD + MARGIN:
        code = await target.authorization.login()
        ends_at = code.issued_after + target.server.code_ttl
        asked["a code"] = lambda: target.tokens.redeem(code)
    if not asked:
        raise Skipped(
            "there is no refresh token, and no code is known to outlive the window: "
            "declare the lifetime of codes in the profile, as `[lifetimes] code = SECONDS`"
        )
    await refused(target, action)
    early = {what: await ask() for what, ask in asked.items()}
    if any(answer.has_tokens for answer in early.values()):
        raise NotApplicable("the server admits correct token requests, although failed ones have exhausted the limit")
    await _until_admitted(target, action, *early.values(), until=ends_at)

    for what, ask in asked.items():
        late = expect.conclusive(await ask())
        expected = f"tokens for {what} whose first request got a 429"
        expect.that(late.has_tokens, expected=expected, got=expect.describe(late), at=(early[what], late))


async def _until_admitted(target: Target, action: LimitedAction, *refusals: Answer, until: float | None = None) -> None:
    """Wait until the limiter admits requests again: as long as the refusals of real requests advise, or one window.

    Raises:
        Blocked: one of the real requests was not answered 429.
        Skipped: the login or code expires before then (at `until`), or the wait is longer than the operator allows.
    """
    for refusal in refusals:
        if refusal.status != TOO_MANY:
            raise Blocked(f"a real request was answered {expect.describe(refusal)} instead of 429", (refusal.number,))
    admitted_from = max(quiet_after(refusal, action.rate) for refusal in refusals)
    if until is not None and until < admitted_from + MARGIN:
        raise Skipped(
            "the login or code expires before the limit ends, so the check could not tell whether the 429 used it up"
        )
    target.may_wait(admitted_from - target.now())
    await target.until(admitted_from)
