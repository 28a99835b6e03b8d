"""Run the suite against the authorization server of the TypeScript SDK, over sockets; each finding is pinned with its clause.

Each was verified by hand and is confirmed without the suite in `test_mcp_typescript_raw.py`. See docs/interop/mcp-typescript.md.
"""

from typing import ClassVar

import pytest
from judging import Findings, Pins

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def server_url(mcp_typescript):
    """The URL of the resource, from which the suite discovers the server as an MCP client does."""
    return f"{mcp_typescript}/mcp"


class TestMcpTypescriptServer(Findings):
    SERVER = "mcp-typescript"
    FAILS: ClassVar[Pins] = {
        "AUTHZ-03": ("OAuth 2.1 §4.1.2.1", "the error for a request that violates the schema has no state"),
        "AUTHZ-09": ("RFC 6749 §3.1", "`redirect_uri=` is an invalid URL, not treated as omitted"),
        "PKCE-09": (
            "OAuth 2.1 §3.1",
            "`code_challenge=` is not treated as omitted: it gets a code, which cannot be redeemed",
        ),
        "REDIR-13": ("OAuth 2.1 §8.4.2", "on loopback, neither fragment nor user name is compared"),
    }
    WARNS: ClassVar[Pins] = {
        "AUTHZ-02": ("OAuth 2.1 §4.1.2.1", "an unsupported response_type is invalid_request"),
        "AUTHZ-10": ("OAuth 2.1 §4.1.2.1", "error_description is JSON, with quotation marks and line ends"),
        "BEARER-01": ("OAuth 2.1 §5.3.1", "the challenge to a request without a token names an error"),
        "BEARER-10": ("RFC 9110 §11.1", "a token after two spaces is refused"),
        "BEARER-11": ("OAuth 2.1 §5.3.2", "the first of two tokens is used, in one header and in two"),
        "HEADERS-04a": ("Fetch, X-Content-Type-Options", "no nosniff"),
        "ISS-01": ("RFC 9207 §2", "answers have no iss, and none is promised"),
        "ISS-02": ("RFC 9207 §2", "errors have no iss either"),
        "PKCE-10": ("RFC 7636 §4.2", "a challenge of any format gets a code"),
        "PKCE-11": ("RFC 7636 §4.1", "a verifier of one character is accepted"),
        "REDIR-17": ("RFC 6749 §3.1.2", "errors encode the registered query again"),
        "REG-02a": (
            "RFC 7591 §3.2.2",
            "redirect URIs are refused as invalid_client_metadata, malformed JSON with a page",
        ),
        "REG-02b": ("RFC 7591 §3.2.1", "unsupported response types and methods are registered unchanged"),
        "REG-05c": ("RFC 7591 §5", "unsupported grant types and scopes are registered too"),
        "REPLAY-14": ("OAuth 2.1 §4.3.1", "no grace period for a refresh whose answer was lost; it is optional"),
        "RES-03": ("RFC 8707 §2", "a resource that is not a URL is invalid_request, not invalid_target"),
        "TOKEN-02a": ("OAuth 2.1 §3.2.4", "error_description is JSON here too"),
        "TOKEN-04d": ("OAuth 2.1 §3.2.2", "a token request in JSON is accepted"),
        "TOKEN-09": ("OAuth 2.1 §2.4", "HTTP Basic beside a client_secret in the body is ignored"),
    }
    BLOCKED = frozenset({"ISS-03"})
    LEAST_PASSED = 150
