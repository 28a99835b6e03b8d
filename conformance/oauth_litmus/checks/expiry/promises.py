"""Lifetimes of access tokens, as token responses declare them (OAuth 2.1 section 3.2.3)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from oauth_litmus import expect
from oauth_litmus.check import JWT_ACCESS_TOKENS, LOGIN, REFRESH, check
from oauth_litmus.checks.expiry.codes import redeemed_at_the_last_moment
from oauth_litmus.client import Target, Tokens
from oauth_litmus.http.answer import Answer
from oauth_litmus.oauth.jwts import header_of
from oauth_litmus.probes.boundary import Boundary
from oauth_litmus.verdict import NotApplicable

A_DAY, TEN_YEARS = 86_400, 3_653 * 86_400
SAME = 1.0
"""Seconds by which two equal expiry times may differ, because servers count lifetimes in whole seconds."""


@check("EXPIRY-08", needs={LOGIN, JWT_ACCESS_TOKENS}, logins=2)
async def expires_in_agrees_with_exp(target: Target) -> None:
    """Compare expires_in with exp after an exchange, after a refresh, and after an exchange shortly before the code expires."""
    ordinary = await target.grants.exchanged_and_refreshed()
    if ordinary[0].expires_in is None:
        raise NotApplicable("the token response has no expires_in")
    for tokens in ordinary:
        _agrees(tokens)

    declared = target.server.profile.lifetimes.code
    if declared is not None and declared <= target.max_wait:
        # This shows a server that sets exp at the login, but always sends the full lifetime as expires_in.
        code, _, answer = await redeemed_at_the_last_moment(target)
        if answer.has_tokens:
            _agrees(target.tokens.read(answer, code.client, None))


@check("EXPIRY-14", needs={LOGIN})
async def expires_in_is_a_positive_integer(target: Target) -> None:
    """Read expires_in in the answers to an exchange and to a refresh."""
    for tokens in await target.grants.exchanged_and_refreshed():
        promised = tokens.answer.json_object().get("expires_in")
        if promised is None and "expires_in" not in tokens.answer.json_object():
            expect.ideally(False, expected="expires_in, which is recommended", got="none", at=tokens.answer)
            continue
        got = f"expires_in {promised!r}"
        is_number = isinstance(promised, int | float) and not isinstance(promised, bool)
        expect.that(is_number, expected="expires_in as a JSON number", got=got, at=tokens.answer)
        seconds = float(promised) if isinstance(promised, int | float) else 0.0
        wanted = "expires_in as the lifetime in seconds"
        expect.that(0 < seconds <= TEN_YEARS, expected=wanted, got=got, at=tokens.answer)
        expect.ideally(isinstance(promised, int), expected="whole seconds", got=got, at=tokens.answer)
        expect.ideally(
            seconds <= A_DAY, expected="an access token lifetime of at most a day", got=got, at=tokens.answer
        )


@check("EXPIRY-15", needs={REFRESH})
async def refresh_returns_a_fresher_token(target: Target) -> None:
    """Compare the access token of an exchange with that of a refresh three seconds later."""
    first, *later = await target.grants.exchanged_and_refreshed()
    if not later:
        raise NotApplicable("the server issues no refresh token")
    second = later[0]
    same = second.access_token == first.access_token
    at = (first.answer, second.answer)

    if same and second.claims.get("exp") is not None and first.expires_in and second.expires_in:
        restored = second.expires_in >= first.expires_in - SAME
        got = f"the same token with the full expires_in {second.expires_in:g} again"
        expect.safe(not restored, expected="a new token, or the old one with its remaining lifetime", got=got, at=at)
    exp = second.claims.get("exp")
    if isinstance(exp, int | float) and not isinstance(exp, bool):
        over = Boundary.of_instant(float(exp), second.answer)
        got = "an access token whose exp has passed"
        expect.safe(second.answer.sent_at < over.latest, expected="a token that has not expired", got=got, at=at)
    expect.that(not same, expected="a new access token", got="the access token of the exchange", at=at)
    if target.server.profile.lifetimes.session is None and first.expires_in and second.expires_in:
        gained = second.ends_at - first.ends_at
        wanted = "a token that expires later than the previous one"
        expect.that(gained > SAME, expected=wanted, got=f"an expiry {gained:.0f} s later", at=at)


def _agrees(tokens: Tokens) -> None:
    exp, promised = tokens.claims.get("exp"), tokens.expires_in or 0.0
    if exp is None:
        judge = (
            expect.that if str(header_of(tokens.access_token).get("typ", "")).lower() == "at+jwt" else expect.ideally
        )
        judge(False, expected="an access token with exp", got="none", at=tokens.answer)
        return
    number = exp if isinstance(exp, int | float) and not isinstance(exp, bool) else float("inf")
    expect.that(number < 1e11, expected="exp in seconds since 1970", got=f"exp {exp}", at=tokens.answer)
    later = number - (_server_time(tokens.answer) + promised)
    wanted = f"an exp {promised:.0f} s after the response, as expires_in says"
    got = f"an exp {abs(later):.0f} s {'later' if later > 0 else 'earlier'}"
    expect.that(later >= -60, expected=wanted, got=got, at=tokens.answer)
    expect.ideally(abs(later) <= 5, expected=wanted, got=got, at=tokens.answer)


def _server_time(answer: Answer) -> float:
    """The time of the answer, by the server's Date header, or by our clock if there is none."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        return answer.received_at
