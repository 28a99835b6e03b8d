"""The state cookie belongs to one login in one browser, and is deleted when that login ends."""

from __future__ import annotations

import secrets

from oauth_litmus import expect
from oauth_litmus.browser.cookies import stem
from oauth_litmus.browser.model import Navigation, StoredCookie
from oauth_litmus.check import LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.probes.callback_url import with_parameter
from oauth_litmus.probes.delivered import finished
from oauth_litmus.probes.login_refusals import still_pending
from oauth_litmus.probes.state_cookie import state_cookie
from oauth_litmus.verdict import Blocked

TRIES = 3


@check("COOKIE-08", needs={LOGIN, RELAY})
async def callback_deletes_the_cookie(target: Target) -> None:
    """Finish a login, and see whether the browser still holds its state cookie. If so, try to use the cookie again."""
    name = stem((await state_cookie(target)).set_cookie.name)
    delivered = await finished(target)
    before = {cookie.name: cookie.value for cookie in delivered.before.jar() if stem(cookie.name) == name}

    kept = [cookie for cookie in delivered.at_home.browser.jar() if before.get(cookie.name) == cookie.value]
    if not kept:
        expect.that(True, expected="the cookie is deleted", got="it is")
        return
    # Use another login: LOGIN-05 also delivers the callback of the shared one again.
    held = await target.callbacks.hold(target.authorization.request(await target.clients.shared()))
    code = target.authorization.code_of(await target.callbacks.deliver(held))
    url = held.callback_url if not target.controls_upstream else await target.callbacks.obtain(held)
    again = await target.callbacks.deliver(held, url=url, browser=code.attempt.browser)
    expect.that(
        again.code in (None, code.value),
        expected="a cookie that is deleted, or gives no second code",
        got="the cookie stays, and gives another code",
        at=again.answers,
    )
    expect.ideally(
        False,
        expected="a deletion with the cookie's own Path and Domain",
        got="the cookie stays in the browser",
        at=code.attempt.answers,
    )


@check("COOKIE-10", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2, holds_grants=True)
async def two_logins_in_one_browser_stay_apart(target: Target) -> None:
    """Start logins for two clients in one browser, deliver their callbacks in order, and see where each code goes."""
    browser = target.new_browser()
    older = await target.callbacks.hold(
        target.authorization.request(await target.clients.shared("a")), browser=browser, user=target.user("a")
    )
    younger = await target.callbacks.hold(
        target.authorization.request(await target.clients.shared("b")), browser=browser, user=target.user("b")
    )

    first = await target.callbacks.deliver(older)
    second = await target.callbacks.deliver(younger)

    for attempt, own in ((first, older), (second, younger)):
        _goes_to_its_own_client(attempt, own)
        if attempt.code is None:
            still_pending(target, own)
    for attempt, tab in ((first, "older"), (second, "younger")):
        got = f"the {tab} tab cannot finish"
        expect.ideally(attempt.code is not None, expected="both logins can be finished", got=got, at=attempt.answers)


def _goes_to_its_own_client(attempt: Attempt, own: Attempt) -> None:
    landed = attempt.response.location if attempt.response else attempt.left_for
    at_home = landed is None or landed.startswith(own.request.lands_at)
    expect.that(
        at_home,
        obtained=True,
        expected="each code goes to its own client",
        got="a code for the other client",
        at=attempt.answers,
    )
    right_state = attempt.response is None or attempt.response.get("state") == own.request.get("state")
    expect.that(right_state, expected="the state of its own request", got="another state", at=attempt.answers)


@check("COOKIE-09", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2)
async def failed_login_leaves_nothing_usable(target: Target) -> None:
    """Fail one login by the user's refusal, another by an unknown upstream code. Then deliver a valid callback in each browser."""
    client = await target.clients.shared()
    for what, outcome in (("the user refused", "denied"), ("the upstream code was bad", None)):
        held = await target.callbacks.hold(target.authorization.request(client), outcome=outcome)
        bad = None if outcome else with_parameter(held.callback_url or "", "code", secrets.token_urlsafe(27))
        failed = await target.callbacks.deliver(held, url=bad)
        if failed.code is not None or failed.inconclusive is not None:
            raise Blocked(f"set-up: the callback did not fail, although {what}", (failed.last.number,))

        again = await target.callbacks.deliver(held, url=await target.callbacks.obtain(held))

        expect.ideally(
            again.code is None, expected=f"no code, since {what}", got="a code for a second callback", at=again.answers
        )


@check("COOKIE-14", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=4, holds_grants=True)
async def tossed_cookie_delivers_nothing_to_its_owner(target: Target) -> None:
    """Deliver a victim's callback with two cookies of one name: the victim's and an attacker's, in either order."""
    for attacker_first in (True, False):
        victim, attacker, pairs = await _two_logins(target)
        order = 1 if attacker_first else -1
        header = "; ".join(
            f"{own.name}={value}" for own, planted in pairs for value in (planted.value, own.value)[::order]
        )

        attempt = await target.callbacks.deliver(victim, browser=target.new_browser(), headers={"cookie": header})

        # Browsers do not let another host set a cookie with this prefix (rfc6265bis section 4.1.3.2).
        prefixed = all(own.name.lower().startswith("__host-") for own, _ in pairs)
        (expect.ideally if prefixed else expect.safe)(
            not _is_of(attempt, attacker),
            expected="a refusal, or the victim's own login",
            got="the victim's login ends at the attacker's client",
            at=attempt.answers,
        )


async def _two_logins(target: Target) -> tuple[Attempt, Attempt, list[tuple[StoredCookie, StoredCookie]]]:
    """Hold two logins before their callbacks. Start again if the first login's cookie expires while the second one starts.

    Raises:
        Blocked: the browsers send no cookie to the callback.
    """
    for _ in range(TRIES):
        victim = await target.callbacks.hold(
            target.authorization.request(await target.clients.shared("a")), user=target.user("victim")
        )
        attacker = await target.callbacks.hold(
            target.authorization.request(await target.clients.shared("b")), user=target.user("attacker")
        )
        pairs = _tossed(victim, attacker)
        if pairs:
            return victim, attacker, pairs
    raise Blocked("set-up: the browsers send no cookie to the callback")


def _tossed(victim: Attempt, attacker: Attempt) -> list[tuple[StoredCookie, StoredCookie]]:
    """Pair each cookie that the victim's browser sends to the callback with the attacker's cookie of that name."""
    navigation = Navigation(victim.callback_url or "", initiator=victim.callback_initiator)
    planted = {stem(cookie.name): cookie for cookie in attacker.browser.jar()}
    brought = victim.browser.cookies_for(navigation)
    return [(own, planted[stem(own.name)]) for own in brought if stem(own.name) in planted]


def _is_of(attempt: Attempt, other: Attempt) -> bool:
    """Whether this attempt ended with a code for the other login: with its state, or at its redirect URI."""
    if attempt.response is not None:
        return attempt.code is not None and attempt.response.get("state") == other.request.get("state")
    return attempt.code is not None and (attempt.left_for or "").startswith(other.request.lands_at)
