"""The suite judges the authorization server of the `mcp` SDK, over sockets; what it finds is pinned, with the clause.

Each was looked at by hand and is seen again in `test_mcp_sdk_raw.py`, without the suite. See docs/interop/mcp-sdk.md.
"""

from typing import ClassVar

import pytest
from judging import Findings, Pins

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def server_url(mcp_sdk):
    """The resource, through which the server is found as an MCP client finds it."""
    return f"{mcp_sdk}/mcp"


class TestMcpSdkServer(Findings):
    SERVER = "mcp-sdk"
    FAILS: ClassVar[Pins] = {
        "AUTHZ-09": ("RFC 6749 §3.1", "`scope=` is invalid_scope, not treated as left out"),
        "PKCE-09": (
            "OAuth 2.1 §3.1",
            "`code_challenge=` is not treated as left out: a code comes, that nobody can redeem",
        ),
        "REDIR-11": ("OAuth 2.1 §8.4.2", "the port of a loopback redirect URI is compared"),
        "REDIR-17": (
            "RFC 6749 §3.1.2",
            "a parameter without a value is lost from the query of a registered redirect URI",
        ),
        "REG-03": ("OAuth 2.1 §3.2.3", "a registration answer with a client_secret has no Cache-Control: no-store"),
        "REVOKE-05": ("RFC 7009 §2.1", "the revocation endpoint demands a client_secret of public clients"),
        "REVOKE-09": ("RFC 7009 §2.2", "a token_type_hint that nobody knows is refused, and not ignored"),
        "TOKEN-08": ("RFC 6749 §2.3.1", "HTTP Basic is advertised, and works only with client_id in the body too"),
    }
    WARNS: ClassVar[Pins] = {
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
        "REDIR-16": (
            "OAuth 2.1 §10.2",
            "redirect_uri is demanded of the token request; another one is invalid_request",
        ),
        "TOKEN-03": ("OAuth 2.1 §3.2.4", "an unknown grant_type is invalid_request, not unsupported_grant_type"),
    }
    WARNS_OF_BURSTS: ClassVar[Pins] = {
        "RATE-01": ("operational practice", "no limit: the SDK leaves that to whoever deploys it"),
        "RATE-13": ("OAuth 2.1 §2.4.1", "nor any on wrong secrets"),
    }
    BLOCKED = frozenset({"ISS-03", "REDIR-12"})
    LEAST_PASSED = 70
