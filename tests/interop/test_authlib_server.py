"""The suite judges Authlib's authorization server for Flask, over sockets; what it finds is pinned, with the clause.

Each was looked at by hand and is seen again in `test_authlib_raw.py`, without the suite. See docs/interop/authlib.md.
"""

from typing import ClassVar

import pytest
from authlib_server import create_app
from judging import Findings, Pins
from wsgi_loopback import served_wsgi

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def server_url():
    """The resource, whose metadata leads to the server."""
    with served_wsgi(create_app) as origin:
        yield f"{origin}/notes"


class TestAuthlibServer(Findings):
    SERVER = "authlib"
    FAILS: ClassVar[Pins] = {
        "ISS-02": ("RFC 9207 §2", "iss is promised, and errors that come before the consent page have none"),
        "PKCE-01": ("OAuth 2.1 §4.1.2.1", "a request without code_challenge brings a code, that nobody can redeem"),
        "PKCE-14": ("OAuth 2.1 §4.1.2.1", "CodeChallenge(required=True) is for public clients alone"),
        "REDIR-11": ("OAuth 2.1 §8.4.2", "the port of a loopback redirect URI is compared"),
        "REDIR-15": ("OAuth 2.1 §4.1.1", "of several registered redirect URIs the first is the default"),
        "REDIR-18": ("OAuth 2.1 §2.3", "a redirect URI may have any scheme, if something like a host follows"),
        "REDIR-19": ("RFC 9700 §2.6", "plain http is registered for any host"),
        "REDIR-20": ("OAuth 2.1 §2.3", "an empty redirect URI is registered"),
        "REG-02a": ("RFC 7591 §3.2.2", "JSON that is no object, and redirect_uris that are no list, are a 500"),
        "REG-02d": ("RFC 7591 §3.2.2", "a client_uri that is a number is a 500"),
        "REG-10": ("RFC 7591 §2", "a client that registered no grant_types may not use authorization_code"),
        "REPLAY-04": ("OAuth 2.1 §4.1.3", "a code is deleted after its tokens were stored"),
        "REPLAY-07": ("OAuth 2.1 §4.3.1", "nothing follows from the reuse of a rotated refresh token"),
        "REPLAY-10": ("OAuth 2.1 §4.3.1", "a refresh token is revoked after its successor was stored"),
        "REVOKE-05": ("RFC 7009 §2.1", "the revocation endpoint demands HTTP Basic"),
        "REVOKE-07e": ("RFC 7662 §2.1", "a hint restricts where introspection looks"),
        "REVOKE-09": ("RFC 7009 §2.1", "a hint restricts where revocation looks, and an unknown one is refused"),
        "SCOPE-05": ("OAuth 2.1 §4.3.3", "a narrowing refresh narrows the new refresh token too"),
        "TOKEN-10": ("OAuth 2.1 §7.12", "a client secret beyond ASCII or UTF-8 is a 500"),
    }
    WARNS: ClassVar[Pins] = {
        "AUTHZ-02": ("OAuth 2.1 §4.1.2.1", "a missing response_type is unsupported_response_type"),
        "AUTHZ-11": ("OAuth 2.1 §4.1.2.1", "a response_type with quotation marks is a 500"),
        "BEARER-01": ("OAuth 2.1 §5.3.1", "the challenge to a request without a token names an error, of its own make"),
        "HEADERS-03": ("OAuth 2.1 §3.2.3", "the redirect with the code has no Cache-Control"),
        "HEADERS-04a": ("Fetch, X-Content-Type-Options", "no nosniff"),
        "ISS-03": ("RFC 9207 §2", "a registered state and that of the answer stand side by side"),
        "META-04": ("OAuth 2.1 §7.10", "plain is offered beside S256"),
        "PKCE-05": ("RFC 7636 §7.2", "plain works"),
        "PKCE-06": ("RFC 7636 §4.3", "and is what an absent method means"),
        "REDIR-16": ("OAuth 2.1 §10.2", "redirect_uri is demanded of the token request"),
        "REDIR-17": ("RFC 6749 §3.1.2", "the query of a registered redirect URI is encoded anew"),
        "REDIR-26": ("OAuth 2.1 §7.12", "a redirect URI with quotation marks is a 500"),
        "REG-01": ("RFC 7591 §3.2.1", "public clients get a client_secret"),
        "REG-02c": ("RFC 7591 §3.1", "a body of a megabyte is registered"),
        "REPLAY-02": ("OAuth 2.1 §4.1.3", "the replay of a code revokes nothing"),
        "REPLAY-14": ("OAuth 2.1 §4.3.1", "no grace for a refresh whose answer was lost, which nobody must give"),
        "SCOPE-12a": ("OAuth 2.1 §5.3.2", "insufficient_scope comes without WWW-Authenticate"),
        "SCOPE-12b": ("OAuth 2.1 §5.3.2", "and so it does for a token that was narrowed"),
        "TOKEN-03": ("OAuth 2.1 §3.2.4", "a missing grant_type is unsupported_grant_type"),
        "TOKEN-04c": ("RFC 6749 §4.1.3", "grant_type, client_id and redirect_uri count in the URL too"),
        "TOKEN-05a": ("OAuth 2.1 §3.2", "of two verifiers the first counts"),
        "TOKEN-05b": ("OAuth 2.1 §3.2", "repeated parameters are not refused"),
        "TOKEN-09": ("OAuth 2.1 §2.4", "a request may authenticate in two ways"),
    }
    WARNS_OF_BURSTS: ClassVar[Pins] = {
        "RATE-01": ("operational practice", "no limit: that is left to whoever deploys it"),
        "RATE-13": ("OAuth 2.1 §2.4.1", "nor any on wrong secrets"),
    }
    BLOCKED = frozenset(
        {"PKCE-09", "REDIR-12", "REDIR-21", "REDIR-28", "REDIR-30"}
        | {
            "REPLAY-08",
            "REPLAY-09",
            "REPLAY-11b",
        }
    )
    LEAST_PASSED = 120
