"""Lifetimes of codes, logins and tokens, on both sides of their end (OAuth 2.1 sections 4.1.2, 4.3.3 and 5.3.2)."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.answer import Answer
from oauth_litmus.authorization import Attempt, new_verifier
from oauth_litmus.check import (
    JWT_ACCESS_TOKENS,
    LOGIN,
    REFRESH,
    RELAY,
    RESOURCE,
    REVOCATION,
    UPSTREAM_CONTROL,
    check,
)
from oauth_litmus.client import Target, Tokens
from oauth_litmus.client.resource import token_wait
from oauth_litmus.jwts import header_of
from oauth_litmus.target import Server
from oauth_litmus.verdict import Blocked, NotApplicable

GUARD = 2.0
"""Seconds on either side of a boundary: stores count and sweep in whole seconds."""
TEN_MINUTES, ONE_HOUR = 600.0, 3600.0
HARD_LIMIT = 300.0
"""Seconds of clock leeway beyond which a token is simply not expired (RFC 7519 section 4.1.4: a few minutes)."""
SHORT_LIFE, REVOKED_LIFE = 6, 12
"""Seconds that access tokens are asked to live, where the operator lends the upstream."""
PROPAGATION, SETTLED = 5.0, 60.0
"""Seconds after which a revocation has arrived everywhere, as a rule and at the latest (RFC 7009 section 2.1)."""


def _pending(server: Server) -> float:
    return server.profile.lifetimes.pending_login or TEN_MINUTES


@check("EXPIRY-01", needs={LOGIN}, waits=lambda server: server.code_ttl)
async def code_lives_as_declared(target: Target) -> None:
    """Redeem a code two seconds before its declared end."""
    code = await target.login()
    await target.until(code.issued_after + target.server.code_ttl - GUARD)

    answer = await target.redeem(code)

    expect.tokens(
        answer, expected=f"tokens for a code that lives {target.server.code_ttl:g} s, {GUARD:g} s before its end"
    )


@check("EXPIRY-02", needs={LOGIN}, waits=lambda server: (server.profile.lifetimes.code or TEN_MINUTES) + GUARD)
async def late_code_is_refused(target: Target) -> None:
    """Redeem a code two seconds after its declared end, or after ten minutes and (another one) after an hour."""
    declared = target.server.profile.lifetimes.code
    code, other = await target.login(), None if declared else await target.login()
    await target.until(code.issued_before + (declared or TEN_MINUTES) + GUARD)

    answer = await target.redeem(code)

    if other is not None and answer.has_tokens:
        expect.ideally(False, expected="a code that lives at most ten minutes", got="tokens after that", at=answer)
        if target.run.budget.max_wait < ONE_HOUR + GUARD:
            return
        await target.until(other.issued_before + ONE_HOUR + GUARD)
        answer = await target.redeem(other)
    expect.refused_grant(answer, because="the code has expired", steering=True)


@check("EXPIRY-05", needs={LOGIN}, logins=2, waits=lambda server: server.code_ttl + GUARD)
async def failed_attempts_do_not_extend_a_code(target: Target) -> None:
    """Half-way, present one code as another client and one with a wrong verifier; redeem both after their end."""
    stranger = await target.client("b")
    stolen, guessed = await target.login(), await target.login()
    await target.until(guessed.issued_after + target.server.code_ttl / 2)
    await target.redeem(stolen, client=stranger)
    await target.redeem(guessed, code_verifier=new_verifier())

    await target.until(guessed.issued_before + target.server.code_ttl + GUARD)

    for code in (stolen, guessed):
        expect.refused_grant(await target.redeem(code), because="the code has expired, also after a failed attempt")


@check("EXPIRY-06", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2, waits=lambda server: _pending(server) + GUARD)
async def pending_login_expires(target: Target) -> None:
    """Leave one login before its start and one before its callback, and go on after the declared lifetime."""
    judge = expect.that if target.server.profile.lifetimes.pending_login else expect.ideally
    client = await target.client()
    unstarted = await target.authorize(target.request(client))
    started = await target.hold_upstream(target.request(client))
    for cookie in started.browser.jar():
        started.browser.force(cookie)  # its Max-Age must not do the server's work
    await target.until(started.last.received_at + _pending(target.server) + GUARD)

    over = f"a refusal, since the login was begun more than {_pending(target.server):g} s ago"
    await target.call_back(started)
    late = await target.resume(started, started.callback_url or "")
    judge(late.code is None, expected=over, got="an authorization code at the callback", at=late.answers)
    start = _start_of(target, unstarted)
    if start is not None:
        late = await target.resume(unstarted, start)
        judge(not _goes_on(late), expected=over, got="the start URL still leads to the upstream", at=late.answers)


@check("EXPIRY-07", needs={RELAY}, waits=lambda server: 3 * server.pending_login_ttl + GUARD)
async def start_page_does_not_prolong_a_login_for_ever(target: Target) -> None:
    """Load the start URL of one login again and again, for three times its declared lifetime."""
    lifetime = target.server.pending_login_ttl
    begun = await target.hold_upstream(target.request(await target.client()))
    if begun.start_url is None:
        raise NotApplicable(
            "the authorization endpoint sends the browser to the upstream itself: there is no start URL"
        )

    visited = begun
    for halves in range(1, 7):
        await target.until(begun.last.received_at + halves * lifetime / 2)
        visited = await target.resume(begun, begun.start_url)
        if not _goes_on(visited):
            break

    expect.that(
        not _goes_on(visited),
        expected=f"a login that ends, if it is declared to live {lifetime:g} s",
        got=f"it goes on after {3 * lifetime:g} s",
        at=visited.answers,
    )


@check("EXPIRY-08", needs={LOGIN, JWT_ACCESS_TOKENS}, logins=2)
async def expires_in_agrees_with_exp(target: Target) -> None:
    """Compare expires_in with exp after an exchange, after a refresh, and after an exchange at the last moment."""
    tokens = await target.tokens()
    if tokens.expires_in is None:
        raise NotApplicable("the token response has no expires_in")
    _agrees(tokens)
    if tokens.refresh_token is not None:
        _agrees(await target.refreshed(tokens))

    declared = target.server.profile.lifetimes.code
    if declared is not None and declared <= target.run.budget.max_wait:
        # A lifetime that is computed at the login and handed out as a constant shows here.
        code = await target.login()
        await target.until(code.issued_after + declared - GUARD)
        answer = await target.redeem(code)
        if answer.has_tokens:
            _agrees(target.tokens_of(answer, code.client, None))


@check("EXPIRY-09", needs={LOGIN, RESOURCE}, waits=token_wait)
async def expired_token_is_refused(target: Target) -> None:
    """Call the resource shortly before the access token ends, and after its end and the declared leeway."""
    tokens = await target.short_lived_tokens(SHORT_LIFE)
    ends, leeway = tokens.ends_at, target.server.profile.lifetimes.clock_leeway
    target.may_wait(ends + leeway + GUARD - target.now())
    opened = await target.opened(tokens)
    await target.until(ends - GUARD)
    early = expect.conclusive(await target.call_resource(tokens.access_token))
    taken = expect.let_in(early, opened)
    expect.ideally(taken, expected=f"the token works {GUARD:g} s before its end", got=expect.describe(early), at=early)

    await target.until(ends + leeway + GUARD)
    late = await target.call_resource(tokens.access_token)
    if expect.let_in(expect.conclusive(late), opened) and leeway < HARD_LIMIT:
        expect.ideally(
            False, expected=f"refused {leeway:g} s after its end, as declared", got=expect.describe(late), at=late
        )
        if target.run.budget.max_wait < ends + HARD_LIMIT + GUARD - target.now():
            return
        await target.until(ends + HARD_LIMIT + GUARD)
        late = await target.call_resource(tokens.access_token)
    expect.refused_token(late, opened, because="the access token has expired")


@check("EXPIRY-11", needs={REFRESH}, logins=2, waits=lambda server: server.refresh_token_ttl + GUARD)
async def unused_refresh_token_expires(target: Target) -> None:
    """Refresh two seconds before the declared end of a refresh token, and (another one) two seconds after it."""
    lifetime = target.server.refresh_token_ttl
    younger, older = await target.tokens(), await target.tokens()
    await target.until(younger.answer.sent_at + lifetime - GUARD)
    answer = await target.refresh(younger)
    expect.tokens(answer, expected=f"tokens {GUARD:g} s before the declared end of the refresh token")

    await target.until(older.answer.received_at + lifetime + GUARD)
    answer = expect.conclusive(await target.refresh(older))

    declared = f"the lifetime of {lifetime:g} s that is declared"
    expect.safe(not answer.has_tokens, expected=f"a refusal after {declared}", got="tokens", at=answer)
    expect.refused_grant(answer, because="the refresh token has expired", steering=True)


@check("EXPIRY-13", needs={LOGIN, RESOURCE, REVOCATION}, waits=token_wait)
async def revocation_does_not_lapse(target: Target) -> None:
    """Revoke an access token and call the resource with it until it has ended by itself."""
    tokens = await target.short_lived_tokens(REVOKED_LIFE, await target.revoking_client())
    dead = tokens.ends_at + target.server.profile.lifetimes.clock_leeway + GUARD
    target.may_wait(dead - target.now())
    opened = await target.opened(tokens)
    revoked = expect.conclusive(await target.revoke(tokens.access_token, tokens.client, hint="access_token"))
    pace = max(PROPAGATION, (dead - target.now()) / 20)
    await _arrives(target, tokens, opened, revoked)

    while target.now() < dead:
        await target.until(min(target.now() + pace, dead))
        answer = expect.conclusive(await target.call_resource(tokens.access_token))
        await _still_refused(target, tokens, opened, revoked, answer)


async def _arrives(target: Target, tokens: Tokens, opened: Answer, revoked: Answer) -> None:
    """Wait for the first refusal, which may take a while to come from behind a balancer."""
    last = min(revoked.sent_at + SETTLED, tokens.ends_at - GUARD)
    while expect.let_in(expect.conclusive(await target.call_resource(tokens.access_token)), opened):
        if target.now() >= last:
            raise NotApplicable("the resource does not honour the revocation of access tokens (REVOKE-02)")
        await target.until(min(target.now() + PROPAGATION, last))


async def _still_refused(target: Target, tokens: Tokens, opened: Answer, revoked: Answer, answer: Answer) -> None:
    """A success after a refusal is asked for again a second later: instances may take a while to hear of it."""
    wanted = "the revoked token stays refused"
    since = answer.sent_at - revoked.received_at
    if not expect.let_in(answer, opened):
        expect.that(True, expected=wanted, got="", at=answer)
        return
    await target.until(target.now() + 1)
    again = expect.conclusive(await target.call_resource(tokens.access_token))
    lapsed = since > SETTLED or (since >= PROPAGATION and expect.let_in(again, opened))
    expect.that(
        not lapsed, expected=wanted, got=f"it is accepted again, {since:.0f} s after", at=(revoked, answer, again)
    )
    expect.ideally(False, expected=wanted, got="a single success between refusals", at=answer)


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
    """When the server answered, by its own clock if it says so."""
    try:
        return parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except (ValueError, TypeError):
        return answer.received_at


def _start_of(target: Target, first: Attempt) -> str | None:
    """Where the authorization endpoint sends the browser on its own site; None if it goes on by itself."""
    location = first.last.location
    if location is None or urlsplit(location)[:2] != urlsplit(target.endpoint("authorization"))[:2]:
        return None
    if first.last.status >= 400:
        raise Blocked("set-up: the authorization request was refused", (first.last.number,))
    return location


def _goes_on(attempt: Attempt) -> bool:
    return attempt.upstream_url is not None or attempt.unfinished or attempt.code is not None
