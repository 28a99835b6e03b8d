"""The suite judges the authorization server of the TypeScript SDK, over sockets; what it finds is pinned, with the clause.

Each was looked at by hand and is seen again in `test_mcp_typescript_raw.py`. See docs/interop/mcp-typescript.md.
"""

from typing import ClassVar

import pytest
from judging import Findings, Pins

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def server_url(mcp_typescript):
    """The resource, through which the server is found as an MCP client finds it."""
    return f"{mcp_typescript}/mcp"


class TestMcpTypescriptServer(Findings):
    SERVER = "mcp-typescript"
    FAILS: ClassVar[Pins] = {
        "AUTHZ-03": ("OAuth 2.1 §4.1.2.1", "the error of a request that does not fit its schema comes without state"),
        "AUTHZ-09": ("RFC 6749 §3.1", "`redirect_uri=` is no valid URL, not treated as left out"),
        "PKCE-09": (
            "OAuth 2.1 §3.1",
            "`code_challenge=` is not treated as left out: a code comes, that nobody can redeem",
        ),
        "REDIR-13": ("OAuth 2.1 §8.4.2", "at loopback the fragment is not compared, nor user information"),
    }
    WARNS: ClassVar[Pins] = {
        "AUTHZ-02": ("OAuth 2.1 §4.1.2.1", "an unsupported response_type is invalid_request"),
        "AUTHZ-10": ("OAuth 2.1 §4.1.2.1", "error_description is a dump of JSON, with quotation marks and line ends"),
        "BEARER-01": ("OAuth 2.1 §5.3.1", "the challenge to a request without a token names an error"),
        "BEARER-10": ("RFC 9110 §11.1", "a token after two spaces is refused"),
        "BEARER-11": ("OAuth 2.1 §5.3.2", "of two tokens the first counts, in one header and in two"),
        "HEADERS-04a": ("Fetch, X-Content-Type-Options", "no nosniff"),
        "ISS-01": ("RFC 9207 §2", "no iss in answers, and none is promised"),
        "ISS-02": ("RFC 9207 §2", "no iss in errors either"),
        "PKCE-10": ("RFC 7636 §4.2", "a challenge of any shape brings a code"),
        "PKCE-11": ("RFC 7636 §4.1", "a verifier of one character will do"),
        "REDIR-17": ("RFC 6749 §3.1.2", "in errors, what was registered as query is encoded anew"),
        "REG-02a": ("RFC 7591 §3.2.2", "redirect URIs are refused as invalid_client_metadata, bad JSON by a page"),
        "REG-02b": ("RFC 7591 §3.2.1", "unsupported response types and methods are registered as they come"),
        "REG-05c": ("RFC 7591 §5", "grant types and scopes that the server does not have are registered, too"),
        "REPLAY-14": ("OAuth 2.1 §4.3.1", "no grace for a refresh whose answer was lost, which nobody must give"),
        "RES-03": ("RFC 8707 §2", "a resource that is no URL is invalid_request, not invalid_target"),
        "TOKEN-02": ("OAuth 2.1 §3.2.4", "error_description is a dump of JSON here, too"),
        "TOKEN-04d": ("OAuth 2.1 §3.2.2", "a token request in JSON is answered"),
        "TOKEN-09": ("OAuth 2.1 §2.4", "HTTP Basic beside a client_secret in the body is ignored"),
    }
    BLOCKED = frozenset({"ISS-03"})
    LEAST_PASSED = 150
