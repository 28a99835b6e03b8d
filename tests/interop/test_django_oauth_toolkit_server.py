"""The suite judges django-oauth-toolkit with its defaults, over sockets; what it finds is pinned, with the clause.

Each was looked at by hand and is seen again in `test_django_oauth_toolkit_raw.py`, without the suite.
See docs/interop/django-oauth-toolkit.md.
"""

from typing import ClassVar

import pytest
from django_oauth_toolkit_process import running
from judging import Findings, Pins, judged

pytestmark = pytest.mark.sockets

SERVER = "django-oauth-toolkit"


@pytest.fixture(scope="module")
def origin():
    with running() as origin:
        yield origin


@pytest.fixture(scope="module")
def server_url(origin):
    """The resource, through which the server is found as an MCP client finds it."""
    return f"{origin}/notes"


class TestDjangoOauthToolkit(Findings):
    SERVER = SERVER
    FAILS: ClassVar[Pins] = {
        "AUTHZ-09": ("RFC 6749 §3.1", "`scope=` is invalid_scope, not treated as left out"),
        "BEARER-09": ("OAuth 2.1 §7.1.3.7", "the resource takes a token from the query string"),
        "EXPIRY-16": ("RFC 7591 §3.2.1", "a client_secret comes without client_secret_expires_at"),
        "PKCE-09": ("OAuth 2.1 §3.1", "`code_challenge=` brings a code, that nobody can redeem"),
        "REDIR-19": ("RFC 9700 §2.6", "http redirect URIs on other machines are registered and used"),
        "REG-03": ("OAuth 2.1 §3.2.3", "a registration answer with a client_secret has no Cache-Control: no-store"),
        "REPLAY-07": ("OAuth 2.1 §4.3.1", "reuse of a refresh token ends nothing"),
        "REVOKE-07a": ("RFC 7662 §2.1", "introspection without credentials"),
        "SCOPE-05": ("OAuth 2.1 §4.3.3", "a refresh token is narrowed for ever by one narrowing refresh"),
        "TOKEN-09": ("OAuth 2.1 §2.4", "of HTTP Basic and a client_secret in the body either may be wrong"),
        "TOKEN-12": ("RFC 9110 §11.1", "HTTP Basic is known as `Basic` only"),
    }
    WARNS: ClassVar[Pins] = {
        "AUTHZ-01": ("OAuth 2.1 §4.1.2.1", "people log in before the client is looked at"),
        "AUTHZ-02": ("OAuth 2.1 §4.1.1", "the request is validated after the login"),
        "AUTHZ-04": ("OAuth 2.1 §3.1", "of two code_challenges the last counts"),
        "AUTHZ-12": ("OAuth 2.1 §4.1.2.1", "a redirect_uri with a port beyond 65535 is a server error"),
        "BEARER-01": ("OAuth 2.1 §5.3.1", "no scope in the challenge"),
        "BEARER-11": ("OAuth 2.1 §5.3.2", "a token in the header and one in the form are not too many"),
        "CORS-02b": ("Fetch, CORS-preflight fetch", "preflights of the metadata allow no header"),
        "HEADERS-03": ("OAuth 2.1 §3.2.3", "answers of the authorization endpoint say nothing of caches"),
        "INJ-01": ("OAuth 2.1 §4.1.3", "two client_ids in one token request are a server_error"),
        "ISS-01": ("RFC 9207 §2", "no iss in answers, and none is promised"),
        "ISS-02": ("RFC 9207 §2", "no iss in errors either"),
        "ISS-03": ("RFC 9207 §2", "a state in the registered query stands beside the right one"),
        "META-03": ("RFC 8414 §2", "the implicit grant is advertised"),
        "META-04": ("RFC 8414 §2", "plain is advertised"),
        "META-05": ("RFC 8414 §2", "public clients are registered, and `none` is not advertised"),
        "PKCE-05": ("RFC 7636 §7.2", "plain is taken"),
        "PKCE-06": ("OAuth 2.1 §4.1.1", "an absent code_challenge_method means plain, as the text says"),
        "PKCE-10": ("RFC 7636 §4.2", "a challenge of any shape brings a code"),
        "PKCE-11": ("RFC 7636 §4.1", "a verifier of one character will do"),
        "REDIR-01": ("OAuth 2.1 §4.1.2.1", "an unregistered redirect_uri is told of after the login"),
        "REDIR-08": ("OAuth 2.1 §4.1.1", "the case of scheme and host does not count"),
        "REDIR-13": ("RFC 8252 §7.3", "a loopback port may be beyond 65535"),
        "REDIR-16": ("OAuth 2.1 §10.2", "another redirect_uri in the token request is invalid_request"),
        "REDIR-17": ("RFC 6749 §3.1.2", "the query of a registered redirect URI is written anew"),
        "REDIR-20": ("RFC 7591 §2", "`/*` at the end of a redirect URI is registered"),
        "REDIR-26": ("OAuth 2.1 §7.12", "a line feed at the end of the redirect URI is taken off"),
        "REPLAY-02": ("OAuth 2.1 §4.1.3", "a replay of a code revokes nothing"),
        "REPLAY-14": ("OAuth 2.1 §4.3.1", "no grace for a refresh whose answer was lost, which nobody must give"),
        "RES-05": ("RFC 8707 §2.2", "a code redeemed for one of two resources is good for that one for ever"),
        "REVOKE-07d": ("RFC 7662 §4", "every client with a secret learns of every token"),
        "SCOPE-07a": ("RFC 7591 §2", "clients are not registered for a scope"),
        "SCOPE-12c": ("RFC 6750 §3.1", "the challenge of a refused operation does not name the scope that opens it"),
        "TOKEN-03": ("OAuth 2.1 §3.2.4", "a missing grant_type is unsupported_grant_type, not invalid_request"),
        "TOKEN-05a": ("OAuth 2.1 §3.2", "of two verifiers the last counts"),
        "TOKEN-05b": ("OAuth 2.1 §3.2", "a repeated code or verifier is not refused"),
        "TOKEN-07": ("OAuth 2.1 §3.2.4", "a failed HTTP Basic is challenged with Bearer"),
    }
    WARNS_OF_BURSTS: ClassVar[Pins] = {
        "RATE-01": ("operational practice", "no limit: that is left to whoever deploys it"),
        "RATE-13": ("OAuth 2.1 §2.4.1", "nor any on wrong secrets"),
    }
    BLOCKED = frozenset({"REDIR-28", "REPLAY-08", "REPLAY-09", "REPLAY-11b"})
    LEAST_PASSED = 130


def test_a_view_that_asks_for_no_scope_lets_in_whoever_registered(origin):
    engine = judged(f"{origin}/anybody", SERVER, ["BEARER-16"], burst=False)

    assert str(engine.results["BEARER-16"].verdict) == "FAIL"


def test_the_switches_mend_what_they_are_for_and_promise_an_iss_that_errors_lack():
    mended = ("ISS-01", "META-03", "META-04", "PKCE-05", "PKCE-06", "REPLAY-07", "REPLAY-08", "BEARER-09")
    with running(strict=True) as origin:
        engine = judged(f"{origin}/notes", SERVER, (*mended, "AUTHZ-02", "ISS-02"), burst=False)

    assert {name: str(engine.results[name].verdict) for name in (*mended, "ISS-02")} == {
        **dict.fromkeys(mended, "PASS"),
        "ISS-02": "FAIL",
    }
