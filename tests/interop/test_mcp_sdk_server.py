"""The suite judges the authorization server of the `mcp` SDK, over sockets; what it finds is pinned, with the clause.

Each was looked at by hand and is seen again in `test_mcp_sdk_raw.py`, without the suite. See docs/interop.md.
"""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from mcp_sdk_provider import ACCESS_TOKEN_TTL, CODE_TTL, REFRESH_TOKEN_TTL

from oauth_litmus.check import Need, all_checks
from oauth_litmus.engine import Engine, Result
from oauth_litmus.plan import Selection
from oauth_litmus.profile import Profile
from oauth_litmus.run import Budget
from oauth_litmus.runner import Options, connected, judge
from oauth_litmus.verdict import Verdict

pytestmark = pytest.mark.sockets

Pins = dict[str, tuple[str, str]]
"""The clause, and what the server does, by check."""
FAILS: Pins = {
    "AUTHZ-09": ("RFC 6749 §3.1", "`scope=` is invalid_scope, not treated as left out"),
    "PKCE-09": ("OAuth 2.1 §3.1", "`code_challenge=` is not treated as left out: a code comes, that nobody can redeem"),
    "REDIR-11": ("OAuth 2.1 §8.4.2", "the port of a loopback redirect URI is compared"),
    "REDIR-17": ("RFC 6749 §3.1.2", "a parameter without a value is lost from the query of a registered redirect URI"),
    "REG-03": ("OAuth 2.1 §3.2.3", "a registration answer with a client_secret has no Cache-Control: no-store"),
    "REVOKE-05": ("RFC 7009 §2.1", "the revocation endpoint demands a client_secret of public clients"),
    "TOKEN-08": ("RFC 6749 §2.3.1", "HTTP Basic is advertised, and works only with client_id in the body too"),
}
WARNS: Pins = {
    "AUTHZ-04": ("OAuth 2.1 §3.1", "of a repeated parameter one value counts, and the login goes on"),
    "BEARER-10": ("RFC 9110 §11.1", "a token after two spaces is refused"),
    "BEARER-11": ("OAuth 2.1 §5.3.2", "of two Authorization headers the first counts"),
    "CORS-02b": ("Fetch, CORS-preflight fetch", "a preflight of the token endpoint does not allow authorization"),
    "HEADERS-04a": ("Fetch, X-Content-Type-Options", "no nosniff"),
    "META-05": ("RFC 8414 §2", "public clients are registered, and `none` is not advertised"),
    "PKCE-10": ("RFC 7636 §4.2", "a challenge of any shape brings a code"),
    "PKCE-11": ("RFC 7636 §4.1", "a verifier of one character will do"),
    "REDIR-24": ("OAuth 2.1 §3.1", "redirect_uri may be there twice"),
    "REDIR-26": ("OAuth 2.1 §7.12", "white space around the redirect URI is taken off"),
    "REG-02c": ("RFC 7591 §3.1", "a body of a megabyte is registered"),
    "REPLAY-14": ("OAuth 2.1 §4.3.1", "no grace for a refresh whose answer was lost, which nobody must give"),
    "REVOKE-08": ("OAuth 2.1 §2.4", "a wrong secret is unauthorized_client, not invalid_client"),
    "TOKEN-05a": ("OAuth 2.1 §3.2", "of two verifiers one counts"),
    "TOKEN-05b": ("OAuth 2.1 §3.2", "repeated parameters are not refused"),
    "TOKEN-09": ("OAuth 2.1 §2.4", "a request may authenticate in two ways"),
    "AUTHZ-02": ("OAuth 2.1 §4.1.2.1", "an empty response_type is unsupported_response_type, not invalid_request"),
    "BEARER-01": ("OAuth 2.1 §5.3.1", "the challenge to a request without a token names an error, and no scope"),
    "ISS-01": ("RFC 9207 §2", "no iss in answers, and none is promised"),
    "ISS-02": ("RFC 9207 §2", "no iss in errors either"),
    "PKCE-06": ("OAuth 2.1 §4.1.1", "an absent code_challenge_method is taken for S256, not for plain"),
    "REDIR-06": ("OAuth 2.1 §4.1.1", "https:/host is repaired before it is compared"),
    "REDIR-08": ("OAuth 2.1 §4.1.1", "redirect URIs are normalised before they are compared"),
    "REDIR-13": ("RFC 8252 §7.3", "other spellings of 127.0.0.1 are taken for it"),
    "REDIR-16": ("OAuth 2.1 §10.2", "redirect_uri is demanded of the token request; another one is invalid_request"),
    "TOKEN-03": ("OAuth 2.1 §3.2.4", "an unknown grant_type is invalid_request, not unsupported_grant_type"),
}
WARNS_OF_BURSTS: Pins = {
    "RATE-01": ("operational practice", "no limit: the SDK leaves that to whoever deploys it"),
    "RATE-13": ("OAuth 2.1 §2.4.1", "nor any on wrong secrets"),
}
BLOCKED = {"ISS-03", "REDIR-12", "REVOKE-03a", "REVOKE-03b"}
"""By the failure of a check that they depend on: one fault is one finding."""
DOCUMENTATION = Path(__file__).parents[2] / "docs" / "interop.md"
LEAST_PASSED = 70
"""Fewer verdicts than this would mean that the suite has stopped to judge."""


def profile() -> Profile:
    """What the operator of this server would declare."""
    lifetimes = {
        "code": CODE_TTL,
        "access_token": ACCESS_TOKEN_TTL,
        "refresh_token": REFRESH_TOKEN_TTL,
        "clock_leeway": 0,
    }
    return Profile.model_validate(
        {"lifetimes": lifetimes, "topology": "direct", "own_server": True, "revocation_immediate": True}
    )


def judged(origin: str, names: Iterable[str], *, burst: bool) -> Engine:
    """Judge the server that protects the resource at `/mcp`, found through that resource as an MCP client finds it."""

    async def run() -> Engine:
        options = Options(f"{origin}/mcp", profile(), budget=Budget(max_wait=15, burst=burst))
        async with connected(options) as opened:
            return await judge(opened, Selection(only=tuple(names)))

    return asyncio.run(run())


@pytest.fixture(scope="module")
def calm(mcp_sdk) -> Engine:
    """Every check, without bursts."""
    return judged(mcp_sdk, all_checks(), burst=False)


@pytest.fixture(scope="module")
def stormy(mcp_sdk) -> Engine:
    """The checks that send more than a server's limits allow."""
    bursts = [check.id for check in all_checks().values() if Need.BURST in check.needs]
    return judged(mcp_sdk, bursts, burst=True)


def with_verdict(engine: Engine, verdict: Verdict) -> dict[str, Result]:
    return {name: result for name, result in engine.results.items() if result.verdict is verdict}


def differences(engine: Engine, verdict: Verdict, pinned: Iterable[str]) -> list[str]:
    """A sentence for each finding that is new, and for each that is gone."""
    found, known = with_verdict(engine, verdict), set(pinned)
    new = [
        f"{name} is a new {verdict} ({found[name].decision.reason}): confirm it with a raw exchange, then pin it"
        for name in sorted(found.keys() - known)
    ]
    gone = [
        f"{name} is no {verdict} any more but {engine.results[name].verdict}: the SDK or the check has changed"
        for name in sorted(known - found.keys())
    ]
    return new + gone


@pytest.mark.parametrize(("verdict", "pinned"), [(Verdict.FAIL, FAILS), (Verdict.WARN, WARNS)], ids=["fail", "warn"])
def test_the_findings_are_the_known_ones(calm, verdict, pinned):
    assert differences(calm, verdict, pinned) == []


@pytest.mark.parametrize(
    ("verdict", "pinned"), [(Verdict.FAIL, {}), (Verdict.WARN, WARNS_OF_BURSTS)], ids=["fail", "warn"]
)
def test_the_findings_of_bursts_are_the_known_ones(stormy, verdict, pinned):
    assert differences(stormy, verdict, pinned) == []


@pytest.mark.parametrize("verdict", [Verdict.BLOCKED, Verdict.ERROR], ids=str)
def test_everything_that_is_offered_can_be_judged(calm, stormy, verdict):
    known = BLOCKED if verdict is Verdict.BLOCKED else set()

    assert differences(calm, verdict, known) + differences(stormy, verdict, ()) == []


def test_most_checks_pass(calm):
    assert calm.readiness.diagnosis == ""
    assert len(with_verdict(calm, Verdict.PASS)) >= LEAST_PASSED


def test_every_pin_cites_a_clause_of_its_requirement():
    checks = all_checks()

    for name, (clause, _) in {**FAILS, **WARNS, **WARNS_OF_BURSTS}.items():
        assert clause in checks[name].requirement.clauses, name


def test_the_documentation_tells_of_every_pin_and_of_no_other():
    rows = [line.split("|")[1] for line in DOCUMENTATION.read_text().splitlines() if line.startswith("|")]
    told = {name for cell in rows for name in re.findall(r"[A-Z]+-\d\d[a-z]?", cell)}

    assert told == {*FAILS, *WARNS, *WARNS_OF_BURSTS}
