"""What is known of the server under test: its profile, what discovery found, and what the preflight saw."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, cast

from oauth_litmus.http.route import origin_of
from oauth_litmus.http.sites import host_of, is_loopback, scheme_of
from oauth_litmus.http.trusted_hosts import TrustedHosts
from oauth_litmus.oauth.clients import AuthMethod
from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer
    from oauth_litmus.target.profile import Profile

OFFLINE_ACCESS = "offline_access"
"""The scope that brings refresh tokens (OpenID Connect Core section 11)."""
OIDC_SCOPES = frozenset({"openid", "profile", "email", "address", "phone", OFFLINE_ACCESS})
"""Scopes with a meaning of their own in OpenID Connect: the scope checks take others where there are any."""


@dataclass(frozen=True)
class Discovered:
    """The documents that discovery found, and how."""

    issuer: str
    """The issuer identifier from which the metadata was derived (RFC 8414 section 3.3)."""
    metadata: dict[str, object]
    metadata_answer: Answer
    metadata_url: str
    given: str
    """The URL that the user typed."""
    resource: str | None = None
    resource_metadata: dict[str, object] | None = None
    resource_metadata_url: str | None = None
    tried: tuple[str, ...] = ()


@dataclass
class Seen:
    """What the preflight saw of a first login. None: not seen."""

    refresh_token: bool | None = None
    access_token_is_jwt: bool | None = None
    expires_in: float | None = None
    upstream_url: str | None = None
    callback_url: str | None = None
    start_url: str | None = None
    """The first address of the authorization server to which the authorization request led."""
    asked_to_log_in: bool | None = None
    cookie_withheld: tuple[str, ...] = ()
    """Names of cookies that a browser withholds at the callback and without which the login fails."""
    resource_answers: bool | None = None
    resource_refused: bool = False
    """Whether logins work only without the parameter `resource` (RES-01 judges that)."""


@dataclass
class Server:
    """The server under test, as checks see it."""

    profile: Profile
    discovered: Discovered
    seen: Seen = field(default_factory=Seen)
    separate_sources: bool = False
    """Whether each check comes from an address of its own, so that none meets what others used of a limit."""

    @cached_property
    def trusted_hosts(self) -> TrustedHosts:
        """Where codes, verifiers and tokens may go; the issuer is one that was typed, declared, or named by the resource."""
        return self.profile.trusted_with(self.discovered.given).and_of(self.discovered.issuer)

    def stranger(self, what: str, url: str) -> str:
        """Why nothing secret is sent to a URL that the server's documents name, in a sentence; empty if it is.

        An endpoint may well be at another host (RFC 8414 section 2), and even at another site; only the operator knows.
        """
        if self.trusted_hosts.cover(url):
            return ""
        host, home = host_of(url), host_of(self.discovered.given)
        if scheme_of(url) != "https":
            return f"the metadata names {what} at {url}, which is no https URL: no code, token or secret is sent there"
        return (
            f"the metadata names {what} at {host}, which is not of the site of {home}: no code, token or secret is sent "
            f"there until the profile says that it is the server's too, as `trusted_hosts = [{host!r}]`"
        ).replace("'", '"')

    @property
    def issuer(self) -> str:
        """The issuer identifier."""
        return self.discovered.issuer

    @property
    def resource(self) -> str | None:
        """The URL of the protected resource, declared or discovered."""
        return self.profile.resource or self.discovered.resource

    @property
    def resource_indicator(self) -> str | None:
        """What ordinary requests say in `resource` (RFC 8707); None where the server refuses that."""
        return None if self.seen.resource_refused else self.resource

    @property
    def endpoints_elsewhere(self) -> tuple[str, ...]:
        """The endpoints that are not at the issuer's origin, where its replicas would answer for it."""
        asked = ("authorization", "token", "registration", "revocation")
        home = origin_of(self.issuer)
        return tuple(name for name in asked if self.endpoint(name) and origin_of(self.endpoint(name)) != home)

    @property
    def is_loopback(self) -> bool:
        """Whether the server runs on this machine."""
        return is_loopback(host_of(self.issuer))

    def endpoint(self, name: str) -> str | None:
        """An endpoint's URL from the metadata, by the name of its member without `_endpoint`."""
        value = self.discovered.metadata.get(name if name == "jwks_uri" else f"{name}_endpoint")
        return value if isinstance(value, str) and value else None

    def listed(self, member: str) -> tuple[str, ...] | None:
        """A list member of the metadata; None if it is absent."""
        value = self.discovered.metadata.get(member)
        if not isinstance(value, list):
            return None
        return tuple(entry for entry in cast("list[object]", value) if isinstance(entry, str))

    @property
    def scopes(self) -> tuple[str, ...]:
        """Scopes that the suite asks for: the declared ones, or up to two that are advertised."""
        if self.profile.scopes:
            return self.profile.scopes
        listed = self.listed("scopes_supported") or ()
        if self.discovered.resource_metadata is not None and not listed:
            value = self.discovered.resource_metadata.get("scopes_supported")
            listed = tuple(str(entry) for entry in cast("list[object]", value)) if isinstance(value, list) else ()
        own = [scope for scope in listed if scope not in OIDC_SCOPES]
        return tuple(own[:2] if own else [scope for scope in listed if scope in ("email", "profile")])

    @property
    def token_auth_methods(self) -> tuple[str, ...]:
        """Client authentication methods at the token endpoint; the default is Basic (RFC 8414 section 2)."""
        listed = self.listed("token_endpoint_auth_methods_supported")
        return ("client_secret_basic",) if listed is None else listed

    @property
    def client_auth_methods(self) -> tuple[str, ...]:
        """Methods that clients of the suite can have: of configured clients, and the advertised ones where it registers."""
        configured = tuple(client.auth_method for client in self.profile.clients)
        return (*configured, *(self.token_auth_methods if self.endpoint("registration") else ()))

    @property
    def confidential_methods(self) -> tuple[AuthMethod, ...]:
        """The methods by which a confidential client of the suite may authenticate, the one that is tried first first."""
        methods: tuple[AuthMethod, ...] = ("client_secret_post", "client_secret_basic")
        return tuple(method for method in methods if method in self.client_auth_methods)

    def confidential_methods_at(self, endpoint: str) -> tuple[AuthMethod, ...]:
        """The same for an endpoint, those first that are advertised for it.

        An endpoint need not take all that the token endpoint takes; the default is Basic (RFC 8414 section 2).
        """
        listed = self.listed(f"{endpoint}_endpoint_auth_methods_supported")
        advertised = ("client_secret_basic",) if listed is None else listed
        return tuple(sorted(self.confidential_methods, key=lambda method: method not in advertised))

    @property
    def ordinary_method(self) -> AuthMethod:
        """How the suite's ordinary clients authenticate: not at all, unless only others are configured."""
        configured: list[AuthMethod] = [client.auth_method for client in self.profile.clients]
        only_secrets = bool(configured) and "none" not in configured and self.endpoint("registration") is None
        return configured[0] if only_secrets else "none"

    @property
    def advertises_iss(self) -> bool:
        """Whether authorization responses promise `iss` (RFC 9207 section 3)."""
        return self.discovered.metadata.get("authorization_response_iss_parameter_supported") is True

    @property
    def code_ttl(self) -> float:
        """The declared lifetime of an authorization code, in seconds."""
        return _declared(self.profile.lifetimes.code, "code")

    @property
    def pending_login_ttl(self) -> float:
        """The declared lifetime of a login that has begun, in seconds."""
        return _declared(self.profile.lifetimes.pending_login, "pending_login")

    @property
    def refresh_token_ttl(self) -> float:
        """The declared lifetime of a refresh token, in seconds."""
        return _declared(self.profile.lifetimes.refresh_token, "refresh_token")

    @property
    def access_token_ttl(self) -> float:
        """The lifetime of an access token, declared or seen in `expires_in`, in seconds."""
        return _declared(self.profile.lifetimes.access_token or self.seen.expires_in, "access_token")

    @property
    def refresh_reuse_grace(self) -> float:
        """Seconds in which a rotated refresh token may be shown again: what is declared, or none."""
        return self.profile.lifetimes.refresh_reuse_grace or 0.0


def _declared(value: float | None, name: str) -> float:
    if value is None:
        raise Skipped(f"the lifetime is not known: declare it in the profile, as `[lifetimes] {name} = SECONDS`")
    return value
