"""Verification of the code_verifier in token requests (RFC 7636 sections 4.5 and 4.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import LOGIN, check
from oauth_litmus.checks.pkce.challengeless import code_without_challenge
from oauth_litmus.client.shared import shared
from oauth_litmus.oauth.pkce import UNRESERVED, new_verifier, s256

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oauth_litmus.client import Client, Code, Target
    from oauth_litmus.http.answer import Answer


@check("PKCE-02", needs={LOGIN}, logins=3)
async def every_legal_verifier_works(target: Target) -> None:
    """Redeem codes with a verifier of 43 characters, one of 128 with every unreserved character, and one of these characters alone."""
    client = await target.clients.shared()

    for verifier in target.limit_probes(
        (new_verifier(43), UNRESERVED + new_verifier(128 - len(UNRESERVED)), UNRESERVED), most=2
    ):
        answer = await target.tokens.redeem(
            await target.authorization.login(request=target.authorization.request(client, code_verifier=verifier))
        )
        expect.tokens(answer, expected=f"tokens for a legal verifier of {len(verifier)} characters")


@check("PKCE-03", needs={LOGIN}, logins=2)
async def wrong_verifier_is_refused(target: Target) -> None:
    """Redeem a code with an unrelated, well-formed verifier: as a client without a secret, and as one with a secret."""
    for client in await target.clients.of_each_kind():
        answer = await target.probing.try_code(
            lambda code: target.tokens.redeem(code, code_verifier=new_verifier(43)), client
        )

        because = f"the code_verifier does not match the code_challenge ({_kind(client)})"
        expect.refused_grant(answer, because=because)


@check("PKCE-04", needs={LOGIN}, logins=3)
async def missing_verifier_is_refused(target: Target) -> None:
    """Redeem a code without code_verifier, and with an empty one: as a client without a secret, and as one with a secret."""
    for client in await target.clients.of_each_kind():
        ways = [_presenting(target, lambda code, it=it: it) for it in (None, "")]
        answers = await target.probing.try_code_in_ways(ways, client)

        for what, answer in zip(("missing", "empty"), answers, strict=True):
            because = f"the code_verifier is {what} ({_kind(client)})"
            expect.refused_grant(answer, "invalid_request", "invalid_grant", because=because)


@check("PKCE-08", needs={LOGIN})
async def challenge_is_not_its_own_verifier(target: Target) -> None:
    """Redeem an S256 code with its challenge as the verifier."""
    answer = await target.probing.try_code(
        lambda code: target.tokens.redeem(code, code_verifier=s256(code.code_verifier))
    )

    expect.refused_grant(answer, because="the code_verifier is the challenge, which is public")


@check("PKCE-11", needs={LOGIN}, logins=3)
async def illegal_verifier_is_refused_even_if_it_hashes_right(target: Target) -> None:
    """Log in with challenges of verifiers that are too short, too long, or contain a space. Redeem with these verifiers."""
    client = await target.clients.shared()
    illegal = {
        "has one character": new_verifier(1),
        "has 129 characters": new_verifier(129),
        "contains a space": f"{new_verifier(40)} {new_verifier(40)}",
    }

    for what, verifier in illegal.items():
        attempt = await target.authorization.attempt(target.authorization.request(client, code_verifier=verifier))
        answer = await target.tokens.redeem(target.authorization.code_of(attempt))
        expect.refused_grant(answer, "invalid_grant", "invalid_request", because=f"the code_verifier {what}")


@check("PKCE-12", needs={LOGIN}, logins=4, holds_grants=True)
async def verifier_of_another_flow_is_refused(target: Target) -> None:
    """Run two flows of one client at once, and redeem the code of each with the verifier of the other."""
    client = await target.clients.shared()

    async def pair() -> tuple[Code, Code]:
        first = await target.authorization.login(client)
        return first, await target.authorization.login(client)

    older, younger = await pair()
    for code, other in ((older, younger), (younger, older)):
        answer = await target.tokens.redeem(code, code_verifier=other.code_verifier)
        expect.refused_grant(answer, because="the code_verifier belongs to another flow")

    second, first = await target.tokens.redeem(younger), await target.tokens.redeem(older)
    if not (first.has_tokens and second.has_tokens):  # a failed attempt may end a code (OAuth 2.1 section 4.1.3)
        older, younger = await pair()
        second, first = await target.tokens.redeem(younger), await target.tokens.redeem(older)
    expect.tokens(second, expected="tokens for the younger code with its own verifier")
    expect.ideally(first.has_tokens, expected="tokens for the older code too", got=expect.describe(first), at=first)


@check("PKCE-13a", needs={LOGIN})
async def letter_case_of_the_verifier_counts(target: Target) -> None:
    """Redeem a code with its verifier, after changing the case of the first letter."""
    answer = await target.probing.try_code(
        _presenting(target, lambda code: code.code_verifier[0].upper() + code.code_verifier[1:])
    )

    expect.refused_grant(
        answer, "invalid_grant", "invalid_request", because="one letter of the code_verifier is in another case"
    )


@check("PKCE-13b", needs={LOGIN}, logins=2)
async def every_character_of_the_verifier_counts(target: Target) -> None:
    """Redeem a code with its verifier and one more character, and with its verifier without the last character."""
    longer, shorter = await target.probing.try_code_in_ways(
        [
            _presenting(target, lambda code: code.code_verifier + "x"),
            _presenting(target, lambda code: code.code_verifier[:-1]),
        ]
    )

    for what, answer in {"one character longer": longer, "one character shorter": shorter}.items():
        expect.refused_grant(answer, "invalid_grant", "invalid_request", because=f"the code_verifier is {what}")


@check("PKCE-13c", needs={LOGIN}, logins=2)
async def white_space_after_the_verifier_counts(target: Target) -> None:
    """Redeem a code with its verifier followed by a space, and followed by a line feed."""
    endings = {"a space": " ", "a line feed": "\n"}
    ways = [_presenting(target, lambda code, end=end: code.code_verifier + end) for end in endings.values()]

    for what, answer in zip(endings, await target.probing.try_code_in_ways(ways), strict=True):
        expect.that(
            not expect.conclusive(answer).has_tokens,
            obtained=True,
            expected="a refusal",
            got=f"tokens for a verifier followed by {what}",
            at=answer,
        )


@check("PKCE-13d", needs={LOGIN}, logins=2)
async def every_character_of_the_challenge_counts(target: Target) -> None:
    """Log in with a challenge in another letter case, and with a challenge and one more character. Redeem with the verifier."""
    client = await target.clients.shared()
    other_case, longer = target.authorization.request(client), target.authorization.request(client)
    changed = {
        "in another letter case": other_case.but(code_challenge=s256(other_case.code_verifier).swapcase()),
        "followed by a character": longer.but(code_challenge=f"{s256(longer.code_verifier)}x"),
    }

    for what, request in changed.items():
        attempt = await target.authorization.attempt(request)
        if attempt.code is None and request.code_verifier == longer.code_verifier:
            continue  # the challenge is too long, and a server may refuse it at once
        answer = await target.tokens.redeem(target.authorization.code_of(attempt))
        expect.refused_grant(answer, because=f"the code_challenge is the verifier's hash {what}")


@check("PKCE-15", needs={LOGIN})
async def verifier_for_a_code_without_challenge_is_refused(target: Target) -> None:
    """Request a code without code_challenge. If the server issues one, redeem it with a code_verifier."""
    code = await code_without_challenge(target)

    answer = None if code is None else await target.tokens.redeem(code, code_verifier=new_verifier())

    if answer is None:
        expect.that(True, expected="no code without code_challenge", got="none")
        return
    expect.refused_grant(
        answer, "invalid_grant", "invalid_request", because="the request for the code had no code_challenge"
    )


@check("PKCE-17", needs={LOGIN}, logins=4)
async def failed_verifier_does_not_lift_pkce(target: Target) -> None:
    """After a wrong verifier, redeem the code without a verifier, with an empty one, a wrong one, and the challenge."""

    def after_a_wrong_one(second: str | None) -> Callable[[Code], Awaitable[list[Answer]]]:
        async def twice(code: Code) -> list[Answer]:
            presented = s256(code.code_verifier) if second == "the challenge" else second
            tries = (new_verifier(), presented)
            return [await target.tokens.redeem(code, code_verifier=verifier) for verifier in tries]

        return twice

    seconds = (None, "", new_verifier(), "the challenge")
    for first, answer in await target.probing.try_code_repeatedly([after_a_wrong_one(second) for second in seconds]):
        expect.refused_grant(first, because="the code_verifier is wrong")
        expect.refused_grant(answer, "invalid_grant", "invalid_request", because="a failed attempt does not lift PKCE")


@check("PKCE-18a", needs={LOGIN}, logins=2)
async def token_request_does_not_choose_the_method(target: Target) -> None:
    """Redeem an S256 code with its challenge as the verifier, and with code_challenge_method=plain."""

    answer = await target.probing.try_code(
        lambda code: target.tokens.redeem(code, code_verifier=s256(code.code_verifier), code_challenge_method="plain")
    )

    expect.refused_grant(
        answer, "invalid_grant", "invalid_request", because="the method is that of the authorization request, S256"
    )
    await _extra_parameters_do_no_harm(target)


@check("PKCE-18b", needs={LOGIN})
async def token_request_does_not_choose_the_challenge(target: Target) -> None:
    """Redeem a code with another verifier, and with the code_challenge of that verifier."""
    other = new_verifier()
    target.secret(other, "code_verifier")

    answer = await target.probing.try_code(
        lambda code: target.tokens.redeem(
            code, code_verifier=other, code_challenge=s256(other), code_challenge_method="S256"
        )
    )

    expect.refused_grant(
        answer, "invalid_grant", "invalid_request", because="the challenge is that of the authorization request"
    )
    await _extra_parameters_do_no_harm(target)


def _presenting(target: Target, verifier: Callable[[Code], str | None]) -> Callable[[Code], Awaitable[Answer]]:
    """Return a probe that redeems a code with a chosen verifier."""
    return lambda code: target.tokens.redeem(code, code_verifier=verifier(code))


@shared
async def _challenge_in_the_token_request(target: Target) -> Answer:
    code = await target.authorization.login()
    challenge = s256(code.code_verifier)
    return await target.tokens.redeem(code, code_challenge=challenge, code_challenge_method="S256")


async def _extra_parameters_do_no_harm(target: Target) -> None:
    """Note a WARN if the server also refuses these parameters with the right values: then the probe shows little."""
    answer = expect.conclusive(await _challenge_in_the_token_request(target))
    expect.ideally(
        answer.has_tokens,
        expected="tokens for the right verifier, since a server ignores unknown parameters",
        got=expect.describe(answer),
        at=answer,
    )


def _kind(client: Client) -> str:
    return "a client without a secret" if client.client_secret is None else "a client with a secret"
