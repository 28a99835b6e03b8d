"""Proof Key for Code Exchange (RFC 7636; OAuth 2.1 sections 4.1.1 and 4.1.3)."""

from __future__ import annotations

from oauth_litmus import expect
from oauth_litmus.authorization import UNRESERVED, new_verifier, s256
from oauth_litmus.check import LOGIN, REGISTRATION, check
from oauth_litmus.client import Code, Target


@check("PKCE-01", needs={REGISTRATION})
async def request_without_challenge_is_refused(target: Target) -> None:
    """Ask for a code without code_challenge and code_challenge_method."""
    request = target.request(await target.client()).but(code_challenge=None, code_challenge_method=None)

    attempt = await target.attempt(request)

    expect.no_code(
        attempt, because="the request has no code_challenge", codes=("invalid_request", "unauthorized_client")
    )


@check("PKCE-02", needs={LOGIN}, logins=3)
async def every_legal_verifier_works(target: Target) -> None:
    """Log in with verifiers of 43 and 128 characters, and with one that holds every unreserved character."""
    client = await target.client()

    for verifier in (new_verifier(43), new_verifier(128), UNRESERVED):
        answer = await target.redeem(await target.login(request=target.request(client, code_verifier=verifier)))
        expect.tokens(answer, expected=f"tokens for a legal verifier of {len(verifier)} characters")


@check("PKCE-03", needs={LOGIN})
async def wrong_verifier_is_refused(target: Target) -> None:
    """Redeem a code with an unrelated, well-formed verifier."""
    code = await target.login()

    answer = await target.redeem(code, code_verifier=new_verifier(43))

    expect.refused_grant(answer, because="the code_verifier does not match the code_challenge")


@check("PKCE-04", needs={LOGIN}, logins=2)
async def missing_verifier_is_refused(target: Target) -> None:
    """Redeem one code without code_verifier, and another with an empty one."""
    without, empty = await target.login(), await target.login()

    answers = [await target.redeem(without, code_verifier=None), await target.redeem(empty, code_verifier="")]

    for answer, what in zip(answers, ("missing", "empty"), strict=True):
        expect.refused_grant(answer, "invalid_request", "invalid_grant", because=f"the code_verifier is {what}")


@check("PKCE-05", needs={LOGIN})
async def unadvertised_plain_does_not_work(target: Target) -> None:
    """Ask for a code with code_challenge_method=plain and redeem it with the challenge itself."""
    advertised = target.server.listed("code_challenge_methods_supported")
    verifier = new_verifier()
    request = target.request(await target.client(), code_verifier=verifier).but(
        code_challenge=verifier, code_challenge_method="plain"
    )

    attempt = await target.attempt(request)

    if attempt.code is None:
        expect.no_code(attempt, because="plain is not supported")
        return
    answer = await target.redeem(target.code_of(attempt), code_verifier=verifier)
    if advertised is None or "plain" in advertised:
        expect.ideally(not answer.has_tokens, expected="S256 only", got="plain is offered and works", at=answer)
        return
    expect.refused_grant(answer, "invalid_grant", "invalid_request", because="plain is not advertised")
    expect.ideally(
        False, expected="an authorization error (invalid_request)", got="a refusal at the token endpoint", at=answer
    )


@check("PKCE-06", needs={LOGIN})
async def absent_method_is_not_verified_as_plain(target: Target) -> None:
    """Ask for a code without code_challenge_method and redeem it with the challenge string as verifier."""
    client = await target.client()
    verifier = new_verifier()
    attempt = await target.attempt(target.request(client, code_verifier=verifier).but(code_challenge_method=None))
    if attempt.code is None:
        expect.no_code(attempt, because="an absent method means plain, which is not supported")
        return

    plainly = await target.redeem(target.code_of(attempt), code_verifier=s256(verifier))

    if "plain" in (target.server.listed("code_challenge_methods_supported") or ("plain",)):
        expect.ideally(
            not plainly.has_tokens, expected="S256 only", got="an absent method is read as plain", at=plainly
        )
        return
    expect.refused_grant(plainly, "invalid_grant", "invalid_request", because="plain is not advertised")
    expect.ideally(
        False, expected="error=invalid_request", got="the absent method is taken for S256", at=attempt.answers
    )


@check("PKCE-07", needs={REGISTRATION})
async def unknown_method_is_refused(target: Target) -> None:
    """Ask for a code with the methods S512 and none."""
    client = await target.client()

    for method in ("S512", "none"):
        attempt = await target.attempt(target.request(client).but(code_challenge_method=method))
        expect.no_code(attempt, because=f"code_challenge_method={method} is unknown")


@check("PKCE-08", needs={LOGIN})
async def challenge_is_not_its_own_verifier(target: Target) -> None:
    """Redeem an S256 code with its challenge as the verifier."""
    code = await target.login()

    answer = await target.redeem(code, code_verifier=s256(code.code_verifier))

    expect.refused_grant(answer, because="the code_verifier is the challenge, which everybody could read")


@check("PKCE-09", needs={REGISTRATION})
async def empty_challenge_counts_as_absent(target: Target) -> None:
    """Ask for a code with `code_challenge=` and S256."""
    request = target.request(await target.client()).but(code_challenge="")

    attempt = await target.attempt(request)

    expect.no_code(attempt, because="the code_challenge is empty", codes=("invalid_request", "unauthorized_client"))


@check("PKCE-12", needs={LOGIN}, logins=6)
async def verifier_of_another_flow_is_refused(target: Target) -> None:
    """Run two flows of one client at once, and redeem the code of each with the verifier of the other."""
    client = await target.client()

    async def pair() -> tuple[Code, Code]:
        return await target.login(client), await target.login(client)

    older, younger = await pair()
    answer = await target.redeem(older, code_verifier=younger.code_verifier)
    expect.refused_grant(answer, because="the code_verifier belongs to another flow")
    older, younger = await pair()
    answer = await target.redeem(younger, code_verifier=older.code_verifier)
    expect.refused_grant(answer, because="the code_verifier belongs to another flow")

    older, younger = await pair()
    second, first = await target.redeem(younger), await target.redeem(older)
    expect.tokens(second, expected="tokens for the younger code with its own verifier")
    expect.ideally(first.has_tokens, expected="tokens for the older code too", got=expect.describe(first), at=first)


@check("PKCE-13", needs={LOGIN}, logins=5)
async def verifier_is_compared_exactly(target: Target) -> None:
    """Redeem codes with the verifier in another letter case, longer, shorter, and with white space at its end."""
    verifier = "a" + new_verifier(63)
    strict = {
        "in another letter case": "A" + verifier[1:],
        "one character longer": verifier + "x",
        "one character shorter": verifier[:-1],
    }
    lenient = {"followed by a space": verifier + " ", "followed by a line feed": verifier + "\n"}
    client = await target.client()

    for what, changed in {**strict, **lenient}.items():
        code = await target.login(request=target.request(client, code_verifier=verifier))
        answer = await target.redeem(code, code_verifier=changed)
        if what in strict:
            expect.refused_grant(answer, "invalid_grant", "invalid_request", because=f"the code_verifier is {what}")
        else:
            expect.ideally(
                not expect.conclusive(answer).has_tokens,
                expected="a refusal",
                got=f"tokens for a verifier {what}",
                at=answer,
            )


@check("PKCE-17", needs={LOGIN}, logins=4)
async def failed_verifier_does_not_lift_pkce(target: Target) -> None:
    """After a wrong verifier, present the code again without one, with an empty one, a wrong one, and the challenge."""
    client = await target.client()

    for second in (None, "", new_verifier(), "the challenge"):
        code = await target.login(client)
        first = await target.redeem(code, code_verifier=new_verifier())
        expect.refused_grant(first, because="the code_verifier is wrong")
        presented = s256(code.code_verifier) if second == "the challenge" else second
        answer = await target.redeem(code, code_verifier=presented)
        expect.refused_grant(answer, "invalid_grant", "invalid_request", because="a failed attempt does not lift PKCE")
