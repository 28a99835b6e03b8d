"""The lifetime of a pending login (MCP security best practices, OAuth State Parameter Validation)."""

from __future__ import annotations

from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, RELAY, UPSTREAM_CONTROL, check
from oauth_litmus.client import Target
from oauth_litmus.oauth.attempt import Attempt
from oauth_litmus.probes.boundary import GUARD, Boundary
from oauth_litmus.target.server import Server
from oauth_litmus.verdict import Blocked, NotApplicable, Skipped

TEN_MINUTES = 600.0


def _pending(server: Server) -> float:
    return server.profile.lifetimes.pending_login or TEN_MINUTES


@check("EXPIRY-06", needs={LOGIN, RELAY, UPSTREAM_CONTROL}, logins=2, waits=lambda server: _pending(server) + GUARD)
async def pending_login_expires(target: Target) -> None:
    """Stop one login before its start URL and one before its callback. Continue both after the declared lifetime."""
    judge = expect.that if target.server.profile.lifetimes.pending_login else expect.ideally
    client = await target.clients.shared()
    unstarted = await target.authorization.first_answer(target.authorization.request(client))
    started = await target.authorization.hold_upstream(target.authorization.request(client))
    for cookie in started.browser.jar():
        started.browser.force(cookie)  # ignore Max-Age: the server itself must enforce the lifetime
    end = Boundary.of(started.last, _pending(target.server))
    await target.until(end.after)

    over = f"a refusal, since the login began more than {_pending(target.server):g} s ago"
    await target.callbacks.obtain(started)
    late = await target.authorization.resume(started, started.callback_url or "")
    end.after_its_end(late.answers[0])
    judge(late.code is None, expected=over, got="an authorization code at the callback", at=late.answers)
    start = _start_of(target, unstarted)
    if start is not None:
        late = await target.authorization.resume(unstarted, start)
        end.after_its_end(late.answers[0])
        judge(not _goes_on(late), expected=over, got="the start URL still leads to the upstream", at=late.answers)


@check("EXPIRY-07", needs={RELAY}, waits=lambda server: server.pending_login_ttl + GUARD)
async def start_page_does_not_prolong_a_login_for_ever(target: Target) -> None:
    """Load the start URL of one login again and again, for three times its declared lifetime."""
    lifetime = target.server.pending_login_ttl
    begun = await target.authorization.hold_upstream(target.authorization.request(await target.clients.shared()))
    if begun.start_url is None:
        raise NotApplicable("the authorization endpoint redirects directly to the upstream: there is no start URL")

    # A login that is not renewed has expired by the second visit. Only a renewed one needs the later visits.
    visited = begun
    for seconds in (lifetime / 2, lifetime + GUARD, *(halves * lifetime / 2 + GUARD for halves in range(3, 7))):
        if seconds > target.max_wait:
            raise Skipped(
                f"a visit to the start URL renews a login with a declared lifetime of {lifetime:g} s, which is allowed once: "
                f"to see whether it ends, give --max-wait {3 * lifetime + GUARD:.0f}"
            )
        await target.until(begun.last.received_at + seconds)
        visited = await target.authorization.resume(begun, begun.start_url)
        if not _goes_on(visited):
            break

    expect.that(
        not _goes_on(visited),
        expected=f"a login that expires, since its declared lifetime is {lifetime:g} s",
        got=f"a login that continues after {3 * lifetime:g} s",
        at=visited.answers,
    )


def _start_of(target: Target, first: Attempt) -> str | None:
    """Return the start URL: the redirect of the authorization endpoint to its own site; None if there is none.

    Raises:
        Blocked: the server refused the authorization request.
    """
    location = first.last.location
    if location is None or urlsplit(location)[:2] != urlsplit(target.endpoint("authorization"))[:2]:
        return None
    if first.last.status >= 400:
        raise Blocked("set-up: the authorization request was refused", (first.last.number,))
    return location


def _goes_on(attempt: Attempt) -> bool:
    return attempt.upstream_url is not None or attempt.unfinished or attempt.code is not None
