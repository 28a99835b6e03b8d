"""The lifetime of authorization codes (OAuth 2.1 section 4.1.2)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, LOGIN, check
from oauth_litmus.client import Code, Target
from oauth_litmus.client.shared import shared
from oauth_litmus.http.answer import Answer
from oauth_litmus.oauth.pkce import new_verifier
from oauth_litmus.probes.boundary import GUARD, Boundary
from oauth_litmus.verdict import NotApplicable

TEN_MINUTES, ONE_HOUR = 600.0, 3600.0


@shared
async def redeemed_at_the_last_moment(target: Target) -> tuple[Code, Boundary, Answer]:
    """Redeem a code two seconds before its declared expiry. Return the code, its expiry, and the answer.

    Checks share the result, and only read it.
    """
    code = await target.authorization.login()
    end = Boundary.of(code, target.server.code_ttl)
    await target.until(end.before)
    return code, end, expect.conclusive(await target.tokens.redeem(code))


@check("EXPIRY-01", needs={LOGIN}, waits=lambda server: server.code_ttl)
async def code_lives_as_declared(target: Target) -> None:
    """Redeem a code two seconds before its declared expiry."""
    _, end, answer = await redeemed_at_the_last_moment(target)

    end.before_its_end(answer, held=answer.has_tokens)
    expect.tokens(
        answer, expected=f"tokens shortly before the end of the code's lifetime of {target.server.code_ttl:g} s"
    )


@check("EXPIRY-02", needs={LOGIN}, waits=lambda server: (server.profile.lifetimes.code or TEN_MINUTES) + GUARD)
async def late_code_is_refused(target: Target) -> None:
    """Redeem a code two seconds after its declared expiry; if none is declared, after ten minutes, and another one after an hour."""
    declared = target.server.profile.lifetimes.code
    code, other = await target.authorization.login(), None if declared else await target.authorization.login()
    end = Boundary.of(code, declared or TEN_MINUTES)
    await target.until(end.after)

    answer = expect.conclusive(await target.tokens.redeem(code, even_if_ended=True))

    end.after_its_end(answer)
    if other is not None and answer.has_tokens:
        expect.ideally(
            False, expected="a code that expires within ten minutes", got="tokens after ten minutes", at=answer
        )
        if target.max_wait < ONE_HOUR + GUARD:
            return
        end = Boundary.of(other, ONE_HOUR)
        await target.until(end.after)
        answer = expect.conclusive(await target.tokens.redeem(other, even_if_ended=True))
        end.after_its_end(answer)
    expect.refused_grant(answer, because="the code has expired", steering=True)


@check("EXPIRY-02a", needs={LOGIN, CONFIDENTIAL_CLIENT}, waits=lambda server: server.code_ttl + GUARD)
async def late_code_of_a_client_with_a_secret_is_refused(target: Target) -> None:
    """Redeem a code of a client with a secret two seconds after its declared expiry."""
    method = (await target.clients.of_the_other_kind()).auth_method
    code = await target.authorization.login(await target.grants.confidential_client(auth_method=method))
    end = Boundary.of(code, target.server.code_ttl)
    await target.until(end.after)

    answer = await target.tokens.redeem(code, even_if_ended=True)

    end.after_its_end(answer)
    expect.refused_grant(answer, because="the code has expired, also for a client with a secret", steering=True)


@check("EXPIRY-03", needs={LOGIN}, logins=2, waits=lambda server: server.code_ttl, holds_grants=True)
async def code_expires_when_its_lifetime_ends(target: Target) -> None:
    """Redeem one code shortly before its declared expiry, and another one as soon as its lifetime has certainly ended."""
    younger = await target.authorization.login()
    older = await target.authorization.login()
    lifetime = target.server.code_ttl
    shortly, exactly = Boundary.of(younger, lifetime), Boundary.of(older, lifetime)
    await target.until(shortly.before)
    alive = expect.conclusive(await target.tokens.redeem(younger))
    shortly.before_its_end(alive, held=alive.has_tokens)
    if not alive.has_tokens:
        raise NotApplicable(
            "the code expires before its declared lifetime ends (EXPIRY-01), so the moment of its expiry is not known"
        )

    await target.until(exactly.latest)
    answer = expect.conclusive(await target.tokens.redeem(older, even_if_ended=True))

    exactly.after_its_end(answer)
    expect.that(
        not answer.has_tokens,
        obtained=True,
        expected=f"a refusal from the age of {lifetime:g} s on",
        got="tokens at that age",
        at=answer,
    )


@check("EXPIRY-04")
async def code_lives_ten_minutes_at_most(target: Target) -> None:
    """Read the declared lifetime of codes from the profile. Send nothing."""
    declared = target.server.code_ttl

    expect.that(
        declared <= TEN_MINUTES,
        expected="a code lifetime of at most 600 s",
        got=f"a declared lifetime of {declared:g} s",
    )


@check("EXPIRY-05", needs={LOGIN}, logins=2, waits=lambda server: server.code_ttl + GUARD, holds_grants=True)
async def failed_attempts_do_not_extend_a_code(target: Target) -> None:
    """At half the lifetime, send one code as another client and one with a wrong verifier. Redeem each after its expiry."""
    stranger, lifetime = await target.clients.shared("b"), target.server.code_ttl
    stolen = await target.authorization.login()
    guessed = await target.authorization.login()
    ends = {code.value: Boundary.of(code, lifetime) for code in (stolen, guessed)}
    await target.until(stolen.issued_after + lifetime / 2)
    tried = {stolen.value: await target.tokens.redeem(stolen, client=stranger)}
    await target.until(guessed.issued_after + lifetime / 2)
    tried[guessed.value] = await target.tokens.redeem(guessed, code_verifier=new_verifier())

    for code in (stolen, guessed):
        ends[code.value].before_its_end(tried[code.value], held=False)
        await target.until(ends[code.value].after)
        answer = await target.tokens.redeem(code, even_if_ended=True)
        ends[code.value].after_its_end(answer)
        expect.refused_grant(answer, because="the code has expired, also after a failed attempt")
