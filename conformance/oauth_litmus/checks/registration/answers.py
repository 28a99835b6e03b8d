"""Answers to valid registrations: metadata, client_ids, secrets and defaults (RFC 7591 sections 2 and 3.2.1)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from oauth_litmus import expect
from oauth_litmus.check import CONFIDENTIAL_CLIENT, DYNAMIC_REGISTRATION, LOGIN, check
from oauth_litmus.client import REDIRECT_URI, Target
from oauth_litmus.probes.randomness import MIN_BITS, bits_that_vary, least_characters
from oauth_litmus.verdict import NotApplicable

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer

SEQUENCE_STEP = 1000
"""Numeric client_ids count upwards if each is above the one before it, by less than this."""


@check("REG-01", needs={DYNAMIC_REGISTRATION})
async def registration_returns_a_client(target: Target) -> None:
    """Register two public clients with different redirect URIs: each must get a client_id of its own and its metadata back."""
    uris = (f"{REDIRECT_URI}/one", f"{REDIRECT_URI}/two")

    answers = [expect.conclusive(await target.clients.register(target.clients.metadata(uri))) for uri in uris]

    for uri, answer in zip(uris, answers, strict=True):
        said = expect.describe(answer)
        expect.that(answer.status < 300, expected="201 with a client_id", got=said, at=answer)
        expect.that(bool(answer.member("client_id")), expected="a client_id", got=f"{said} without one", at=answer)
        registered = answer.json_object().get("redirect_uris")
        got = f"redirect_uris: {registered}"
        expect.that(registered == [uri], expected=f"redirect_uris as registered: {[uri]}", got=got, at=answer)
        expect.ideally(answer.status == 201, expected="201 Created", got=said, at=answer)
        public = answer.json_object().get("token_endpoint_auth_method") == "none"
        superfluous = "a client_secret for a client whose token_endpoint_auth_method is none"
        secret = public and bool(answer.member("client_secret"))
        expect.ideally(not secret, expected="no client_secret", got=superfluous, at=answer)
    distinct = len({answer.member("client_id") for answer in answers}) == len(answers)
    expect.that(distinct, expected="two different client_ids", got="one client_id for both clients", at=answers)


@check("REG-03", needs={DYNAMIC_REGISTRATION, CONFIDENTIAL_CLIENT})
async def secrets_are_not_stored_or_guessable(target: Target) -> None:
    """Register three confidential clients and a public one, and judge their secrets, client_ids and Cache-Control."""
    method = await target.clients.confidential_method()
    if method is None:
        raise NotApplicable("the server registers no clients with a secret")
    uris = [f"{REDIRECT_URI}/{number}" for number in range(3)]

    answers = [await target.clients.register(target.clients.metadata(uri, auth_method=method)) for uri in uris]

    for uri, answer in zip(uris, answers, strict=True):
        target.clients.client_of(answer, uri, auth_method=method)
        expect.that(answer.is_never_stored, expected="Cache-Control: no-store", got=_cache_control(answer), at=answer)
    _not_guessable(answers)
    public = expect.conclusive(await target.clients.register(target.clients.metadata(REDIRECT_URI)))
    harmless = public.is_never_stored or not public.member("registration_access_token")
    expect.ideally(harmless, expected="Cache-Control: no-store", got=_cache_control(public), at=public)
    counted = _counts_upwards([answer.member("client_id") for answer in answers])
    expect.ideally(not counted, expected="client_ids in no order", got="client_ids that count upwards", at=answers)


def _not_guessable(answers: list[Answer]) -> None:
    given = [answer.member("client_secret") for answer in answers]
    shortest, least = min(len(secret) for secret in given), least_characters(given)
    expected = f"secrets of at least {least} characters (128 bits)"
    expect.that(shortest >= least, expected=expected, got=f"a secret of {shortest} characters", at=answers)
    expect.that(
        len(set(given)) == len(given),
        expected="a different secret for each client",
        got="the same secret twice",
        at=answers,
    )
    # A client_id is public, so it adds no random bits to a secret that contains it.
    bits = bits_that_vary(
        [answer.member("client_secret").replace(answer.member("client_id"), "") for answer in answers]
    )
    got = f"the parts that differ between secrets have at most {bits:.0f} bits"
    expect.that(bits >= MIN_BITS, expected="secrets of at least 128 random bits", got=got, at=answers)


@check("REG-10", needs={DYNAMIC_REGISTRATION, LOGIN})
async def omitted_members_have_their_defaults(target: Target) -> None:
    """Register without grant_types and response_types, log in, and redeem the code: all must work."""
    left_out = ("grant_types", "response_types")
    document = {name: value for name, value in target.clients.metadata().items() if name not in left_out}
    answer = expect.conclusive(await target.clients.register(document))
    taken = answer.status < 300 and bool(answer.member("client_id"))
    expect.ideally(taken, expected="201 with a client_id", got=expect.describe(answer), at=answer)
    if not taken:
        return
    told = answer.json_object().get("grant_types")
    if isinstance(told, list) and "authorization_code" not in told:
        raise NotApplicable(f"the server registers other grant types for such a client, and says so: {told}")

    attempt = await target.authorization.attempt(
        target.authorization.request(target.clients.client_of(answer, target.redirect_uri))
    )

    expect.conclusive(attempt.last)
    got = attempt.response.error if attempt.response else expect.describe(attempt.last)
    expected = "a code: the default of grant_types is authorization_code, that of response_types is code"
    expect.that(attempt.code is not None, expected=expected, got=f"{got}", at=(answer, *attempt.answers))
    expect.tokens(await target.tokens.redeem(target.authorization.code_of(attempt)), expected="tokens for the code")


def _cache_control(answer: Answer) -> str:
    return f"Cache-Control: {answer.headers.get('cache-control', 'none')}"


def _counts_upwards(identifiers: list[str]) -> bool:
    if not all(identifier.isascii() and identifier.isdigit() for identifier in identifiers):
        return False
    numbers = [int(identifier) for identifier in identifiers]
    return all(0 < later - earlier < SEQUENCE_STEP for earlier, later in pairwise(numbers))
