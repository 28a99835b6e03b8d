"""The suite judges node-oauth's server, over sockets; what it finds is pinned, with the clause.

Each was looked at by hand and is seen again in `test_node_oauth_raw.py`. See docs/interop/node-oauth.md.
"""

from typing import ClassVar

import pytest
from judging import Findings, Pins

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def server_url(node_oauth):
    """The protected resource, from which the suite finds the rest."""
    return f"{node_oauth}/notes"


class TestNodeOauthServer(Findings):
    SERVER = "node-oauth"
    FAILS: ClassVar[Pins] = {
        "AUTHZ-09": ("RFC 6749 §3.1", "`scope=` is invalid_scope, not treated as left out"),
        "BEARER-01": ("OAuth 2.1 §5.3.1", "the express middleware drops the WWW-Authenticate that the library made"),
        "BEARER-10": ("OAuth 2.1 §5.1.1", "the scheme is taken as `Bearer` alone, not as `bearer`"),
        "PKCE-01": ("OAuth 2.1 §4.1.1", "a code is issued without code_challenge, and there is no setting against it"),
        "PKCE-14": ("OAuth 2.1 §4.1.2.1", "a client with a secret gets tokens without PKCE"),
        "REDIR-11": ("OAuth 2.1 §8.4.2", "the port of a loopback redirect URI is compared"),
        "REDIR-15": ("OAuth 2.1 §2.3.2", "of several registered redirect URIs the first is the default"),
    }
    WARNS: ClassVar[Pins] = {
        "AUTHZ-03": ("OAuth 2.1 §4.1.2.1", "state is demanded, and refused if it is not ASCII"),
        "AUTHZ-04": ("OAuth 2.1 §3.1", "state may be there twice, and so may code_challenge"),
        "AUTHZ-07": ("OAuth 2.1 §4.1.2", "an error has its Location under the status 400, where no browser follows it"),
        "BEARER-02": ("OAuth 2.1 §5.3.2", "the refusal of a token has no challenge"),
        "BEARER-03": ("OAuth 2.1 §5.3.2", "nor has that of an expired one"),
        "BEARER-11": ("OAuth 2.1 §5.3.2", "of two Authorization headers the first counts"),
        "HEADERS-03": ("RFC 9111 §3", "no Cache-Control with the code"),
        "HEADERS-04a": ("Fetch, X-Content-Type-Options", "no nosniff"),
        "ISS-01": ("RFC 9207 §2", "no iss in answers, and none is promised"),
        "PKCE-04": ("OAuth 2.1 §4.1.3", "a public client without code_verifier is invalid_client"),
        "PKCE-06": ("OAuth 2.1 §4.1.1", "an absent code_challenge_method is taken for S256, not for plain"),
        "PKCE-10": ("RFC 7636 §4.2", "a challenge of any shape brings a code"),
        "PKCE-17": ("OAuth 2.1 §4.1.3", "invalid_client here too; the code is spent by the first wrong verifier"),
        "REDIR-16": (
            "OAuth 2.1 §10.2",
            "redirect_uri is demanded of the token request; another one is invalid_request",
        ),
        "REDIR-17": ("RFC 6749 §3.1.2", "the registered query is encoded anew"),
        "REPLAY-03": ("OAuth 2.1 §7.5.2", "the code is spent before its verifier is looked at"),
        "REPLAY-14": ("OAuth 2.1 §4.3.1", "no grace for a refresh whose answer was lost, which nobody must give"),
        "SCOPE-02": ("OAuth 2.1 §4.3.1", "`scope=` is invalid_scope at a refresh, too"),
        "SCOPE-08": ("OAuth 2.1 §4.3.1", "the refresh token is spent before its scope is looked at"),
        "SCOPE-12a": ("RFC 6750 §3.1", "insufficient_scope stands in no challenge"),
        "SCOPE-12b": ("OAuth 2.1 §5.3.2", "nor does it after a narrowing"),
        "TOKEN-03": ("OAuth 2.1 §3.2.4", "an unknown grant_type of a public client is invalid_client"),
        "TOKEN-05b": ("OAuth 2.1 §3.2", "a repeated parameter is refused as invalid_grant or invalid_client"),
        "TOKEN-09": ("OAuth 2.1 §2.4", "a client_secret in the body is ignored beside HTTP Basic"),
    }
    WARNS_OF_BURSTS: ClassVar[Pins] = {
        "RATE-01": ("operational practice", "no limit: the library leaves that to whoever deploys it"),
    }
    BLOCKED = frozenset({"PKCE-09", "REDIR-12", "REDIR-30"})
    LEAST_PASSED = 105
