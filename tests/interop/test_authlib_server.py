"""Run the suite against Authlib's authorization server for Flask, over sockets; each finding is pinned with its clause.

Each was verified by hand and is confirmed without the suite in `test_authlib_raw*.py`. See docs/interop/authlib.md.
"""

from typing import ClassVar

import pytest
from authlib_server import create_app
from judging import Findings, Pins
from wsgi_loopback import served_wsgi

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def server_url():
    """The URL of the resource, whose metadata names the server."""
    with served_wsgi(create_app) as origin:
        yield f"{origin}/notes"


class TestAuthlibServer(Findings):
    SERVER = "authlib"
    FAILS: ClassVar[Pins] = {
        "ISS-02": ("RFC 9207 §2", "iss is promised, but errors before the consent page lack it"),
        "PKCE-01": ("OAuth 2.1 §4.1.2.1", "a request without code_challenge gets a code, which cannot be redeemed"),
        "PKCE-14": ("OAuth 2.1 §4.1.2.1", "CodeChallenge(required=True) applies to public clients only"),
        "REDIR-11": ("OAuth 2.1 §8.4.2", "the port of a loopback redirect URI is compared"),
        "REDIR-15": ("OAuth 2.1 §4.1.1", "the first of several registered redirect URIs is the default"),
        "REDIR-18": ("OAuth 2.1 §2.3", "a redirect URI may have any scheme if it has a host part"),
        "REDIR-19": ("RFC 9700 §2.6", "plain http is registered for every host"),
        "REDIR-20": ("OAuth 2.1 §2.3", "an empty redirect URI is registered"),
        "REG-02a": ("RFC 7591 §3.2.2", "JSON that is not an object, or redirect_uris that are not a list, cause a 500"),
        "REG-02d": ("RFC 7591 §3.2.2", "a client_uri that is a number causes a 500"),
        "REG-10": ("RFC 7591 §2", "a client that registered no grant_types may not use authorization_code"),
        "REPLAY-04": ("OAuth 2.1 §4.1.3", "a code is deleted after its tokens were stored"),
        "REPLAY-07": ("OAuth 2.1 §4.3.1", "reuse of a rotated refresh token revokes nothing"),
        "REPLAY-10": ("OAuth 2.1 §4.3.1", "a refresh token is revoked after its successor was stored"),
        "REVOKE-05": ("RFC 7009 §2.1", "the revocation endpoint requires HTTP Basic"),
        "REVOKE-07e": ("RFC 7662 §2.1", "introspection searches only for the kind of token in the hint"),
        "REVOKE-09": (
            "RFC 7009 §2.1",
            "revocation searches only for the kind of token in the hint, and refuses unknown hints",
        ),
        "SCOPE-05": ("OAuth 2.1 §4.3.3", "a narrowing refresh narrows the new refresh token too"),
        "TOKEN-10": ("OAuth 2.1 §7.12", "a client secret outside ASCII or UTF-8 causes a 500"),
    }
    WARNS: ClassVar[Pins] = {
        "AUTHZ-02": ("OAuth 2.1 §4.1.2.1", "a missing response_type is unsupported_response_type"),
        "AUTHZ-11": ("OAuth 2.1 §4.1.2.1", "a response_type with quotation marks causes a 500"),
        "BEARER-01": (
            "OAuth 2.1 §5.3.1",
            "the challenge to a request without a token names an error, which no standard defines",
        ),
        "HEADERS-03": ("OAuth 2.1 §3.2.3", "the redirect with the code has no Cache-Control"),
        "HEADERS-04a": ("Fetch, X-Content-Type-Options", "no nosniff"),
        "ISS-03": ("RFC 9207 §2", "an answer has both the registered state and the sent one"),
        "META-04": ("OAuth 2.1 §7.10", "plain is advertised beside S256"),
        "PKCE-05": ("RFC 7636 §7.2", "plain is accepted"),
        "PKCE-06": ("RFC 7636 §4.3", "plain is the default method"),
        "REDIR-16": ("OAuth 2.1 §10.2", "the token request must have redirect_uri"),
        "REDIR-17": ("RFC 6749 §3.1.2", "the query of a registered redirect URI is encoded again"),
        "REDIR-26": ("OAuth 2.1 §7.12", "a redirect URI with quotation marks causes a 500"),
        "REG-01": ("RFC 7591 §3.2.1", "public clients get a client_secret"),
        "REG-02c": ("RFC 7591 §3.1", "a body of a megabyte is registered"),
        "REPLAY-02": ("OAuth 2.1 §4.1.3", "the replay of a code revokes nothing"),
        "REPLAY-14": ("OAuth 2.1 §4.3.1", "no grace period for a refresh whose answer was lost; it is optional"),
        "SCOPE-12a": ("OAuth 2.1 §5.3.2", "insufficient_scope has no WWW-Authenticate"),
        "SCOPE-12b": ("OAuth 2.1 §5.3.2", "neither does it for a narrowed token"),
        "TOKEN-03": ("OAuth 2.1 §3.2.4", "a missing grant_type is unsupported_grant_type"),
        "TOKEN-04c": ("RFC 6749 §4.1.3", "grant_type, client_id and redirect_uri are accepted in the URL too"),
        "TOKEN-05a": ("OAuth 2.1 §3.2", "the first of two verifiers is used"),
        "TOKEN-05b": ("OAuth 2.1 §3.2", "repeated parameters are not refused"),
        "TOKEN-09": ("OAuth 2.1 §2.4", "a request may use two authentication methods"),
    }
    WARNS_OF_BURSTS: ClassVar[Pins] = {
        "RATE-01": ("operational practice", "no limit: the operator must add one"),
        "RATE-13": ("OAuth 2.1 §2.4.1", "no limit on wrong secrets"),
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
