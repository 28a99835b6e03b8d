"""Run the suite against node-oauth's server, over sockets; each finding is pinned with its clause.

Each was verified by hand and is confirmed without the suite in `test_node_oauth_raw.py`. See docs/interop/node-oauth.md.
"""

from typing import ClassVar

import pytest
from judging import Findings, Pins

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def server_url(node_oauth):
    """The URL of the resource, from which the suite discovers the server."""
    return f"{node_oauth}/notes"


class TestNodeOauthServer(Findings):
    SERVER = "node-oauth"
    FAILS: ClassVar[Pins] = {
        "AUTHZ-09": ("RFC 6749 §3.1", "`scope=` is invalid_scope, not treated as omitted"),
        "BEARER-01": ("OAuth 2.1 §5.3.1", "the express middleware drops the WWW-Authenticate header of the library"),
        "BEARER-10": ("OAuth 2.1 §5.1.1", "the scheme is accepted only as `Bearer`, not as `bearer`"),
        "PKCE-01": ("OAuth 2.1 §4.1.1", "a code is issued without code_challenge, and no setting prevents it"),
        "PKCE-14": ("OAuth 2.1 §4.1.2.1", "a confidential client gets tokens without PKCE"),
        "REDIR-11": ("OAuth 2.1 §8.4.2", "the port of a loopback redirect URI is compared"),
        "REDIR-15": ("OAuth 2.1 §2.3.2", "the first of several registered redirect URIs is the default"),
    }
    WARNS: ClassVar[Pins] = {
        "AUTHZ-03": ("OAuth 2.1 §4.1.2.1", "state is required, and refused if it is not ASCII"),
        "AUTHZ-04": ("OAuth 2.1 §3.1", "state and code_challenge may be repeated"),
        "AUTHZ-07": ("OAuth 2.1 §4.1.2", "an error has a Location with status 400, which no browser follows"),
        "BEARER-02": ("OAuth 2.1 §5.3.2", "the refusal of an invalid token has no challenge"),
        "BEARER-03": ("OAuth 2.1 §5.3.2", "the refusal of an expired token has no challenge"),
        "BEARER-11": ("OAuth 2.1 §5.3.2", "the first of two Authorization headers is used"),
        "HEADERS-03": ("RFC 9111 §3", "the redirect with the code has no Cache-Control"),
        "HEADERS-04a": ("Fetch, X-Content-Type-Options", "no nosniff"),
        "ISS-01": ("RFC 9207 §2", "answers have no iss, and none is promised"),
        "PKCE-04": ("OAuth 2.1 §4.1.3", "a request of a public client without code_verifier is invalid_client"),
        "PKCE-06": ("OAuth 2.1 §4.1.1", "a missing code_challenge_method counts as S256, not as plain"),
        "PKCE-10": ("RFC 7636 §4.2", "a challenge of any format gets a code"),
        "PKCE-17": ("OAuth 2.1 §4.1.3", "invalid_client here too; the first wrong verifier spends the code"),
        "REDIR-16": (
            "OAuth 2.1 §10.2",
            "the token request must have redirect_uri; another one is invalid_request",
        ),
        "REDIR-17": ("RFC 6749 §3.1.2", "the registered query is encoded again"),
        "REPLAY-03": ("OAuth 2.1 §7.5.2", "the code is spent before its verifier is checked"),
        "REPLAY-14": ("OAuth 2.1 §4.3.1", "no grace period for a refresh whose answer was lost; it is optional"),
        "SCOPE-02": ("OAuth 2.1 §4.3.1", "`scope=` is invalid_scope at a refresh too"),
        "SCOPE-08": ("OAuth 2.1 §4.3.1", "the refresh token is spent before its scope is checked"),
        "SCOPE-12a": ("RFC 6750 §3.1", "insufficient_scope has no challenge"),
        "SCOPE-12b": ("OAuth 2.1 §5.3.2", "neither does it for a narrowed token"),
        "TOKEN-03": ("OAuth 2.1 §3.2.4", "an unknown grant_type of a public client is invalid_client"),
        "TOKEN-03a": ("OAuth 2.1 §3.2.4", "an unknown grant_type of a public client is invalid_client"),
        "TOKEN-05b": ("OAuth 2.1 §3.2", "a repeated parameter is refused as invalid_grant or invalid_client"),
        "TOKEN-09": ("OAuth 2.1 §2.4", "a client_secret in the body is ignored beside HTTP Basic"),
    }
    WARNS_OF_BURSTS: ClassVar[Pins] = {
        "RATE-01": ("operational practice", "no limit: the operator must add one"),
    }
    BLOCKED = frozenset({"PKCE-09", "REDIR-12", "REDIR-30"})
    LEAST_PASSED = 105
