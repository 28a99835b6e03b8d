"""Run the suite against django-oauth-toolkit with its defaults, over sockets; each finding is pinned with its clause.

Each was verified by hand and is confirmed without the suite in `test_django_oauth_toolkit_raw_*.py`.
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
    """The URL of the resource, from which the suite discovers the server as an MCP client does."""
    return f"{origin}/notes"


class TestDjangoOauthToolkit(Findings):
    SERVER = SERVER
    FAILS: ClassVar[Pins] = {
        "AUTHZ-09": ("RFC 6749 §3.1", "`scope=` is invalid_scope, not treated as omitted"),
        "BEARER-09": ("OAuth 2.1 §7.1.3.7", "the resource accepts a token in the query string"),
        "EXPIRY-16": ("RFC 7591 §3.2.1", "an answer with a client_secret lacks client_secret_expires_at"),
        "PKCE-09": ("OAuth 2.1 §3.1", "`code_challenge=` gets a code, which cannot be redeemed"),
        "REDIR-19": ("RFC 9700 §2.6", "http redirect URIs on other machines are registered and used"),
        "REG-03": ("OAuth 2.1 §3.2.3", "a registration answer with a client_secret has no Cache-Control: no-store"),
        "REPLAY-07": ("OAuth 2.1 §4.3.1", "reuse of a refresh token revokes nothing"),
        "REVOKE-07a": ("RFC 7662 §2.1", "introspection works without credentials"),
        "SCOPE-05": ("OAuth 2.1 §4.3.3", "one narrowing refresh narrows the refresh token permanently"),
        "TOKEN-09": (
            "OAuth 2.1 §2.4",
            "if HTTP Basic and a client_secret in the body are both sent, one of them may be wrong",
        ),
        "TOKEN-12": ("RFC 9110 §11.1", "the scheme is accepted only as `Basic`, not as `basic`"),
    }
    WARNS: ClassVar[Pins] = {
        "AUTHZ-01": ("OAuth 2.1 §4.1.2.1", "users log in before the client is checked"),
        "AUTHZ-02": ("OAuth 2.1 §4.1.1", "the request is validated after the login"),
        "AUTHZ-04": ("OAuth 2.1 §3.1", "the last of two code_challenges is used"),
        "AUTHZ-12": ("OAuth 2.1 §4.1.2.1", "a redirect_uri with a port beyond 65535 is a server error"),
        "BEARER-01": ("OAuth 2.1 §5.3.1", "the challenge names no scope"),
        "BEARER-11": ("OAuth 2.1 §5.3.2", "a request may have a token in the header and one in the form"),
        "CORS-02b": ("Fetch, CORS-preflight fetch", "preflights of the metadata allow no header"),
        "HEADERS-03": ("OAuth 2.1 §3.2.3", "answers of the authorization endpoint have no Cache-Control"),
        "INJ-01": ("OAuth 2.1 §4.1.3", "two client_ids in one token request are a server_error"),
        "ISS-01": ("RFC 9207 §2", "answers have no iss, and none is promised"),
        "ISS-02": ("RFC 9207 §2", "errors have no iss either"),
        "ISS-03": ("RFC 9207 §2", "an answer has both the registered state and the sent one"),
        "META-03": ("RFC 8414 §2", "the implicit grant is advertised"),
        "META-04": ("RFC 8414 §2", "plain is advertised"),
        "META-05": ("RFC 8414 §2", "public clients are registered, but `none` is not advertised"),
        "PKCE-05": ("RFC 7636 §7.2", "plain is accepted"),
        "PKCE-06": ("OAuth 2.1 §4.1.1", "a missing code_challenge_method means plain, as the clause says"),
        "PKCE-10": ("RFC 7636 §4.2", "a challenge of any format gets a code"),
        "PKCE-11": ("RFC 7636 §4.1", "a verifier of one character is accepted"),
        "REDIR-01": ("OAuth 2.1 §4.1.2.1", "an unregistered redirect_uri is refused only after the login"),
        "REDIR-08": ("OAuth 2.1 §4.1.1", "the letter case of scheme and host is ignored"),
        "REDIR-13": ("RFC 8252 §7.3", "a loopback port above 65535 is accepted"),
        "REDIR-16": ("OAuth 2.1 §10.2", "another redirect_uri in the token request is invalid_request"),
        "REDIR-17": ("RFC 6749 §3.1.2", "the query of a registered redirect URI is encoded again"),
        "REDIR-20": ("RFC 7591 §2", "`/*` at the end of a redirect URI is registered"),
        "REDIR-26": ("OAuth 2.1 §7.12", "a line feed at the end of the redirect URI is removed"),
        "REPLAY-02": ("OAuth 2.1 §4.1.3", "a replay of a code revokes nothing"),
        "REPLAY-14": ("OAuth 2.1 §4.3.1", "no grace period for a refresh whose answer was lost; it is optional"),
        "RES-05": ("RFC 8707 §2.2", "tokens redeemed for one of two resources cannot be refreshed for the other"),
        "REVOKE-07d": ("RFC 7662 §4", "every confidential client can introspect every token"),
        "SCOPE-07a": ("RFC 7591 §2", "the registration ignores scope"),
        "SCOPE-12c": ("RFC 6750 §3.1", "the challenge of a refused operation does not name the required scope"),
        "TOKEN-03": ("OAuth 2.1 §3.2.4", "a missing grant_type is unsupported_grant_type, not invalid_request"),
        "TOKEN-05a": ("OAuth 2.1 §3.2", "the last of two verifiers is used"),
        "TOKEN-05b": ("OAuth 2.1 §3.2", "a repeated code or verifier is not refused"),
        "TOKEN-07a": ("OAuth 2.1 §3.2.4", "the challenge after failed HTTP Basic is Bearer"),
    }
    WARNS_OF_BURSTS: ClassVar[Pins] = {
        "RATE-01": ("operational practice", "no limit: the operator must add one"),
        "RATE-13": ("OAuth 2.1 §2.4.1", "no limit on wrong secrets"),
    }
    BLOCKED = frozenset({"REDIR-28", "REPLAY-08", "REPLAY-09", "REPLAY-11b"})
    LEAST_PASSED = 130


def test_a_view_without_a_scope_accepts_registration_access_tokens(origin):
    engine = judged(f"{origin}/anybody", SERVER, ["BEARER-16"], burst=False)

    assert str(engine.results["BEARER-16"].verdict) == "FAIL"


def test_the_strict_settings_fix_their_findings_but_errors_lack_the_promised_iss():
    fixed = ("ISS-01", "META-03", "META-04", "PKCE-05", "PKCE-06", "REPLAY-07", "REPLAY-08", "BEARER-09")
    with running(strict=True) as origin:
        engine = judged(f"{origin}/notes", SERVER, (*fixed, "AUTHZ-02", "ISS-02"), burst=False)

    assert {name: str(engine.results[name].verdict) for name in (*fixed, "ISS-02")} == {
        **dict.fromkeys(fixed, "PASS"),
        "ISS-02": "FAIL",
    }
