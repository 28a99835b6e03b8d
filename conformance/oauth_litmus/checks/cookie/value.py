"""The value of the state cookie: unpredictable, and without readable secrets."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.browser.cookies import SetCookie, stem
from oauth_litmus.check import LOGIN, RELAY, check
from oauth_litmus.client import Target
from oauth_litmus.client.logins import HELD_LOGINS
from oauth_litmus.http.answer import Answer
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.oauth.pkce import s256
from oauth_litmus.probes.callback_url import parameter
from oauth_litmus.probes.disclosure import discloses, verifiers_in
from oauth_litmus.probes.randomness import MIN_BITS, bits_that_vary
from oauth_litmus.probes.state_cookie import state_cookie

TELLING = 8
"""Length in characters from which a match inside another value is no coincidence."""


@check("COOKIE-11", needs={LOGIN, RELAY}, logins=HELD_LOGINS)
async def cookie_value_is_unpredictable(target: Target) -> None:
    """Start eight logins in eight browsers and compare the values of the state cookie."""
    known = await state_cookie(target)
    name = stem(known.set_cookie.name)
    values: list[str] = []
    seen: list[Answer] = []
    for held in await target.logins.several_held():
        seen.append(held.sent_upstream)
        values += [cookie.value for _, cookie in held.cookies if stem(cookie.name) == name and cookie.value][-1:]
        state = held.request.get("state") or ""
        expect.that(
            state not in values[-1:], expected="a value of the server's own", got="the client's state", at=held.answers
        )

    expect.that(
        len(set(values)) == len(values) > 1,
        expected=f"{HELD_LOGINS} different values",
        got=f"{len(set(values))}",
        at=seen,
    )
    bits = bits_that_vary(values)
    in_order = values == sorted(values) or values == sorted(values, reverse=True)
    expect.that(
        bits >= MIN_BITS,
        expected="at least 128 random bits",
        got=f"at most {bits:.0f} bits that vary between the values",
        at=seen,
    )
    expect.ideally(not in_order, expected="values in no order", got="values that rise or fall with time", at=seen)


@check("COOKIE-12", needs={LOGIN, RELAY})
async def cookie_discloses_nothing(target: Target) -> None:
    """Decode every cookie of a login. Look for the client secret, the upstream's code_verifier, the user and the request."""
    client = (await target.clients.of_each_kind())[-1]
    request = target.authorization.request(client)
    user = target.user() if target.controls_upstream else None
    held = await target.callbacks.hold(request, user=user)
    ended = await target.callbacks.deliver(held)

    for answer, cookie in [*held.cookies, *ended.cookies]:
        expect.safe(
            not (client.client_secret and discloses(cookie.value, client.client_secret)),
            expected="no client secret in a cookie",
            got=f"the secret is readable in {stem(cookie.name)}",
            at=answer,
        )
        for what in _readable(held, cookie, user):
            expect.ideally(
                False,
                expected="a cookie that discloses nothing",
                got=f"{stem(cookie.name)} discloses {what}",
                at=answer,
            )
    expect.that(True, expected="no secret of the login in a cookie", got="none")


def _readable(held: Attempt, cookie: SetCookie, user: str | None) -> list[str]:
    """List, in words, the values that are readable in a cookie. LOGIN-15 judges tokens of the upstream."""
    challenge = parameter(held.upstream_url, "code_challenge")
    found = ["the verifier of the upstream leg"] if _holds_verifier(cookie.value, challenge) else []
    told = {name: held.request.get(name) for name in ("redirect_uri", "client_id", "state")} | {"the user": user}
    return found + [
        name for name, value in told.items() if value and len(value) >= TELLING and discloses(cookie.value, value)
    ]


def _holds_verifier(value: str, challenge: str | None) -> bool:
    return challenge is not None and any(s256(word) == challenge for word in verifiers_in(value))
