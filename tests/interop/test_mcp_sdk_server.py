"""Run the suite against the authorization server of the `mcp` SDK, over sockets; each finding is pinned with its clause.

Each was verified by hand and is confirmed without the suite in `test_mcp_sdk_raw.py`. See docs/interop/mcp-sdk.md.
"""

from typing import ClassVar

import pytest
from judging import Findings, Pins

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def server_url(mcp_sdk):
    """The URL of the resource, from which the suite discovers the server as an MCP client does."""
    return f"{mcp_sdk}/mcp"


class TestMcpSdkServer(Findings):
    SERVER = "mcp-sdk"
    FAILS: ClassVar[Pins] = {
        "AUTHZ-09": ("RFC 6749 §3.1", "`scope=` is invalid_scope, not treated as omitted"),
        "PKCE-09": (
            "OAuth 2.1 §3.1",
            "`code_challenge=` is not treated as omitted: it gets a code, which cannot be redeemed",
        ),
        "REDIR-11": ("OAuth 2.1 §8.4.2", "the port of a loopback redirect URI is compared"),
        "REDIR-17": (
            "RFC 6749 §3.1.2",
            "a parameter without a value is lost from the query of a registered redirect URI",
        ),
        "REG-03": ("OAuth 2.1 §3.2.3", "a registration answer with a client_secret has no Cache-Control: no-store"),
        "REVOKE-05": ("RFC 7009 §2.1", "the revocation endpoint requires a client_secret from public clients"),
        "REVOKE-09": ("RFC 7009 §2.2", "an unknown token_type_hint is refused, not ignored"),
        "TOKEN-08": ("RFC 6749 §2.3.1", "HTTP Basic is advertised, but works only with client_id in the body too"),
    }
    WARNS: ClassVar[Pins] = {
        "AUTHZ-04": ("OAuth 2.1 §3.1", "one value of a repeated parameter is used, and the login continues"),
        "BEARER-10": ("RFC 9110 §11.1", "a token after two spaces is refused"),
        "BEARER-11": ("OAuth 2.1 §5.3.2", "the first of two Authorization headers is used"),
        "CORS-02b": ("Fetch, CORS-preflight fetch", "a preflight of the token endpoint does not allow authorization"),
        "HEADERS-04a": ("Fetch, X-Content-Type-Options", "no nosniff"),
        "META-05": ("RFC 8414 §2", "public clients are registered, but `none` is not advertised"),
        "PKCE-10": ("RFC 7636 §4.2", "a challenge of any format gets a code"),
        "PKCE-11": ("RFC 7636 §4.1", "a verifier of one character is accepted"),
        "REDIR-24": ("OAuth 2.1 §3.1", "redirect_uri may be repeated"),
        "REDIR-26": ("OAuth 2.1 §7.12", "white space around the redirect URI is removed"),
        "REG-02c": ("RFC 7591 §3.1", "a body of a megabyte is registered"),
        "REPLAY-14": ("OAuth 2.1 §4.3.1", "no grace period for a refresh whose answer was lost; it is optional"),
        "REVOKE-08": ("OAuth 2.1 §2.4", "a wrong secret is unauthorized_client, not invalid_client"),
        "TOKEN-05a": ("OAuth 2.1 §3.2", "one of two verifiers is used"),
        "TOKEN-05b": ("OAuth 2.1 §3.2", "repeated parameters are not refused"),
        "TOKEN-09": ("OAuth 2.1 §2.4", "a request may use two authentication methods"),
        "AUTHZ-02": ("OAuth 2.1 §4.1.2.1", "an empty response_type is unsupported_response_type, not invalid_request"),
        "BEARER-01": ("OAuth 2.1 §5.3.1", "the challenge to a request without a token names an error, but no scope"),
        "ISS-01": ("RFC 9207 §2", "answers have no iss, and none is promised"),
        "ISS-02": ("RFC 9207 §2", "errors have no iss either"),
        "PKCE-06": ("OAuth 2.1 §4.1.1", "a missing code_challenge_method counts as S256, not as plain"),
        "REDIR-06": ("OAuth 2.1 §4.1.1", "https:/host is corrected before it is compared"),
        "REDIR-08": ("OAuth 2.1 §4.1.1", "redirect URIs are normalised before they are compared"),
        "REDIR-13": ("RFC 8252 §7.3", "other spellings of 127.0.0.1 match it"),
        "REDIR-16": (
            "OAuth 2.1 §10.2",
            "the token request must have redirect_uri; another one is invalid_request",
        ),
        "TOKEN-03": ("OAuth 2.1 §3.2.4", "an unknown grant_type is invalid_request, not unsupported_grant_type"),
        "TOKEN-03a": ("OAuth 2.1 §3.2.4", "an unknown grant_type is invalid_request, not unsupported_grant_type"),
        "TOKEN-03b": ("OAuth 2.1 §3.2.4", "an unknown grant_type is invalid_request, not unsupported_grant_type"),
    }
    WARNS_OF_BURSTS: ClassVar[Pins] = {
        "RATE-01": ("operational practice", "no limit: the operator must add one"),
        "RATE-13": ("OAuth 2.1 §2.4.1", "no limit on wrong secrets"),
    }
    BLOCKED = frozenset({"ISS-03", "REDIR-12"})
    LEAST_PASSED = 70
