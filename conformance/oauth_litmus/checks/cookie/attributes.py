"""The attributes of the state cookie, as browsers apply them (rfc6265bis section 4.1.2)."""

from __future__ import annotations

from urllib.parse import urlsplit

from oauth_litmus import expect
from oauth_litmus.browser.cookies import path_matches, stem
from oauth_litmus.check import LOGIN, RELAY, check
from oauth_litmus.client import Target
from oauth_litmus.http.sites import domain_matches, host_of, is_public_suffix
from oauth_litmus.probes.state_cookie import StateCookie, state_cookie

SLACK = 60.0
"""Seconds by which a cookie may outlive the pending login."""


@check("COOKIE-01", needs={LOGIN, RELAY}, logins=0)
async def state_cookie_is_secure(target: Target) -> None:
    """Read the Secure attribute of the cookie that the callback needs."""
    cookie = await state_cookie(target)

    expected, got = f"{cookie.shown} with Secure", "no Secure"
    if urlsplit(target.server.issuer).scheme == "https":
        expect.that(cookie.set_cookie.secure, expected=expected, got=got, at=cookie.answer)
    else:
        expect.ideally(cookie.set_cookie.secure, expected=expected, got=got, at=cookie.answer)
    for answer, other in cookie.others:
        expect.ideally(other.secure, expected=f"{stem(other.name)} with Secure", got=got, at=answer)


@check("COOKIE-02", needs={LOGIN, RELAY}, logins=0)
async def state_cookie_is_http_only(target: Target) -> None:
    """Read the HttpOnly attribute of the cookie that the callback needs."""
    cookie = await state_cookie(target)

    expect.that(
        cookie.set_cookie.http_only, expected=f"{cookie.shown} with HttpOnly", got="no HttpOnly", at=cookie.answer
    )
    for answer, other in cookie.others:
        expect.ideally(other.http_only, expected=f"{stem(other.name)} with HttpOnly", got="no HttpOnly", at=answer)


@check("COOKIE-03", needs={LOGIN, RELAY}, logins=0)
async def same_site_fits_the_callback(target: Target) -> None:
    """Read SameSite, and see whether a browser sends the cookie when the upstream's page leads back to the callback."""
    cookie = await state_cookie(target)

    same_site = cookie.set_cookie.same_site
    breaks = stem(cookie.set_cookie.name) in {stem(name) for name in target.server.seen.cookie_withheld}
    expect.that(
        not (same_site == "Strict" and breaks),
        expected=f"{cookie.shown} with SameSite=Lax",
        got="SameSite=Strict: another site starts the navigation to the callback, so browsers withhold the cookie and the login fails",
        at=cookie.answer,
    )
    expect.safe(
        same_site != "None" or cookie.set_cookie.secure,
        expected=f"{cookie.shown} with SameSite=Lax",
        got="SameSite=None without Secure: browsers drop the cookie",
        at=cookie.answer,
    )
    expect.ideally(
        same_site in ("Lax", "Strict"),
        expected="an explicit SameSite=Lax",
        got=f"SameSite={same_site or 'absent'}",
        at=cookie.answer,
    )


@check("COOKIE-04", needs={LOGIN, RELAY}, logins=0)
async def path_covers_the_callback(target: Target) -> None:
    """Compare the cookie's Path, or its default path, with the path of the callback."""
    cookie = await state_cookie(target)

    callback = urlsplit(cookie.callback_url).path
    path = cookie.effective_path
    expect.that(
        path_matches(callback, path), expected=f"a Path that covers {callback}", got=f"Path {path}", at=cookie.answer
    )
    expect.ideally(
        cookie.set_cookie.path is not None,
        expected="an explicit Path",
        got=f"none; the default {path} happens to match",
        at=cookie.answer,
    )


@check("COOKIE-05", needs={LOGIN, RELAY}, logins=0)
async def cookie_lives_as_long_as_the_login(target: Target) -> None:
    """Compare Max-Age or Expires with the declared lifetime of a pending login, or with one hour if none is declared."""
    cookie = await state_cookie(target)

    lifetime = cookie.set_cookie.lifetime(cookie.answer.received_at)
    declared = target.server.profile.lifetimes.pending_login
    expect.safe(
        lifetime is None or lifetime > 0,
        expected="a lifetime above 0 s",
        got=f"a lifetime of {lifetime} s",
        at=cookie.answer,
    )
    if lifetime is None:
        return
    longest = 3600.0 if declared is None else declared + SLACK
    expect.ideally(lifetime <= longest, expected=f"at most {longest:g} s", got=f"{lifetime:.0f} s", at=cookie.answer)
    shortest = 0.0 if declared is None else declared / 2
    expect.ideally(lifetime >= shortest, expected=f"at least {shortest:g} s", got=f"{lifetime:.0f} s", at=cookie.answer)


@check("COOKIE-06", needs={LOGIN, RELAY}, logins=0)
async def host_prefix_is_used_correctly(target: Target) -> None:
    """Read the prefix of the cookie's name, and the attributes that the prefix requires."""
    cookie = (await state_cookie(target)).set_cookie
    answer = (await state_cookie(target)).answer

    name = cookie.name.lower()
    if name.startswith("__host-"):
        kept = cookie.secure and cookie.path == "/" and cookie.domain is None
        expect.safe(
            kept,
            expected="__Host- with Secure, Path=/ and no Domain",
            got=f"a cookie that browsers ignore (Path={cookie.path})",
            at=answer,
        )
    elif name.startswith("__secure-"):
        expect.safe(cookie.secure, expected="__Secure- with Secure", got="a cookie that browsers ignore", at=answer)
    else:
        plain_http = urlsplit(target.server.issuer).scheme == "http"
        expect.ideally(plain_http, expected="the __Host- prefix", got=f"the name {stem(cookie.name)}", at=answer)


@check("COOKIE-07", needs={LOGIN, RELAY}, logins=0)
async def cookie_is_host_only(target: Target) -> None:
    """Read the cookie's Domain, and list the hosts that receive the cookie because of it."""
    cookie = await state_cookie(target)

    domain, host = cookie.set_cookie.domain, host_of(cookie.callback_url)
    if domain is None:
        expect.that(True, expected="no Domain", got="none")
        return
    expect.safe(
        domain_matches(host, domain) and (domain == host or not is_public_suffix(domain)),
        expected=f"{cookie.shown} without Domain",
        got=f"Domain={domain}: browsers drop the cookie or withhold it from {host}",
        at=cookie.answer,
    )
    expect.ideally(
        False,
        expected=f"{cookie.shown} without Domain",
        got=f"Domain={domain}: browsers also send it to {_recipients(target, cookie, domain)}",
        at=cookie.answer,
    )


def _recipients(target: Target, cookie: StateCookie, domain: str) -> str:
    """List the hosts below the Domain, the known ones by name."""
    known = {host_of(url) for url in (target.server.resource, target.server.issuer, cookie.callback_url) if url}
    others = sorted(host for host in known if domain_matches(host, domain) and host != host_of(cookie.callback_url))
    return ", ".join([*others, "every host below that domain"])
