"""Authorization requests with missing, malformed or weak PKCE parameters (RFC 7636 section 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, LOGIN, REGISTRATION, check
from oauth_litmus.checks.pkce.challengeless import attempt_without_challenge, tokens_without_challenge
from oauth_litmus.oauth.pkce import new_verifier, s256
from oauth_litmus.verdict import Blocked, NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.client import Code, Target


_NO_CHALLENGE = ("invalid_request", "unauthorized_client")


@check("PKCE-01", needs={REGISTRATION})
async def request_without_challenge_is_refused(target: Target) -> None:
    """Request a code without code_challenge and code_challenge_method."""
    attempt = await attempt_without_challenge(target, await target.clients.shared())

    expect.no_code(attempt, because="the request has no code_challenge", codes=_NO_CHALLENGE)


@check("PKCE-05", needs={LOGIN})
async def unadvertised_plain_does_not_work(target: Target) -> None:
    """Request a code with code_challenge_method=plain, and redeem it with the challenge itself."""
    advertised = target.server.listed("code_challenge_methods_supported")
    verifier = new_verifier()
    request = target.authorization.request(await target.clients.shared(), code_verifier=verifier).but(
        code_challenge=verifier, code_challenge_method="plain"
    )

    attempt = await target.authorization.attempt(request)

    if attempt.code is None:
        expect.no_code(attempt, because="plain is not supported")
        return
    answer = await target.tokens.redeem(target.authorization.code_of(attempt), code_verifier=verifier)
    if advertised is None or "plain" in advertised:
        expect.ideally(
            not answer.has_tokens, expected="S256 only", got="tokens: the server offers plain, and it works", at=answer
        )
        return
    expect.refused_grant(answer, "invalid_grant", "invalid_request", because="plain is not advertised")
    expect.ideally(
        False, expected="an authorization error (invalid_request)", got="a refusal at the token endpoint", at=answer
    )


@check("PKCE-06", needs={LOGIN})
async def absent_method_is_not_verified_as_plain(target: Target) -> None:
    """Request a code without code_challenge_method, and redeem it with the challenge as the verifier."""
    client = await target.clients.shared()
    verifier = new_verifier()
    attempt = await target.authorization.attempt(
        target.authorization.request(client, code_verifier=verifier).but(code_challenge_method=None)
    )
    if attempt.code is None:
        expect.no_code(attempt, because="an absent method means plain, which is not supported")
        return

    plainly = await target.tokens.redeem(target.authorization.code_of(attempt), code_verifier=s256(verifier))

    if "plain" in (target.server.listed("code_challenge_methods_supported") or ("plain",)):
        expect.ideally(
            not plainly.has_tokens,
            expected="S256 only",
            got="tokens: the server reads an absent method as plain",
            at=plainly,
        )
        return
    expect.refused_grant(plainly, "invalid_grant", "invalid_request", because="plain is not advertised")
    expect.ideally(
        False,
        expected="error=invalid_request",
        got="a code: the server reads an absent method as S256",
        at=attempt.answers,
    )


@check("PKCE-07", needs={REGISTRATION})
async def unknown_method_is_refused(target: Target) -> None:
    """Request a code with code_challenge_method=S512, and with code_challenge_method=none."""
    client = await target.clients.shared()

    for method in ("S512", "none"):
        attempt = await target.authorization.attempt(
            target.authorization.request(client).but(code_challenge_method=method)
        )
        expect.no_code(attempt, because=f"code_challenge_method={method} is unknown")


@check("PKCE-09", needs={REGISTRATION})
async def empty_challenge_counts_as_absent(target: Target) -> None:
    """Request a code with an empty `code_challenge=` and S256."""
    request = target.authorization.request(await target.clients.shared()).but(code_challenge="")

    attempt = await target.authorization.attempt(request)

    expect.no_code(attempt, because="the code_challenge is empty", codes=("invalid_request", "unauthorized_client"))


@check("PKCE-10", needs={REGISTRATION})
async def malformed_challenge_is_refused(target: Target) -> None:
    """Request codes with challenges that are too short, too long, padded, or in standard base64."""
    client = await target.clients.shared()
    challenge = s256(new_verifier())
    malformed = {
        "has 42 characters": challenge[:-1],
        "has 129 characters": (challenge * 3)[:129],
        "is padded": f"{challenge}=",
        "contains + and /": f"+/{challenge[2:]}",
    }

    for what, value in malformed.items():
        attempt = await target.authorization.attempt(target.authorization.request(client).but(code_challenge=value))
        expect.no_code(attempt, because=f"the code_challenge {what}: no verifier can match it")


@check("PKCE-14", needs={LOGIN, CONFIDENTIAL_CLIENT})
async def confidential_clients_need_a_challenge_too(target: Target) -> None:
    """As a client with a secret, request a code without code_challenge and nonce. Redeem it without code_verifier."""
    attempt = await attempt_without_challenge(target, await target.grants.confidential_client())
    if attempt.code is None:
        expect.no_code(attempt, because="the request has no code_challenge", codes=_NO_CHALLENGE)
        return

    answer = expect.conclusive(await target.tokens.redeem(target.authorization.code_of(attempt), code_verifier=None))

    if await tokens_without_challenge(target) is answer.has_tokens:
        raise Blocked("public clients get the same result: not judged, because PKCE-01 failed")
    expect.refused_grant(answer, "invalid_grant", "invalid_request", because="nothing binds the code to its client")
    expect.ideally(
        False, expected="an authorization error (invalid_request)", got="a refusal at the token endpoint", at=answer
    )


@check("PKCE-19", needs={LOGIN}, logins=3)
async def advertised_plain_is_verified(target: Target) -> None:
    """Request codes with code_challenge_method=plain. Redeem them with an unrelated verifier, with none, and with the right one."""
    if "plain" not in (target.server.listed("code_challenge_methods_supported") or ()):
        raise NotApplicable("code_challenge_methods_supported does not list plain")
    client = await target.clients.shared()

    async def login() -> Code:
        request = target.authorization.request(client)
        plain = request.but(code_challenge=request.code_verifier, code_challenge_method="plain")
        return await target.authorization.login(request=plain)

    for presented, what in ((new_verifier(), "does not match"), (None, "is missing")):
        answer = await target.tokens.redeem(await login(), code_verifier=presented)
        expect.refused_grant(answer, "invalid_grant", "invalid_request", because=f"the code_verifier {what}")
    answer = expect.conclusive(await target.tokens.redeem(await login()))
    expect.ideally(
        answer.has_tokens, expected="tokens, since plain is advertised", got=expect.describe(answer), at=answer
    )
