"""The known facts of the server under test: its profile, its metadata, and the traits that the preflight saw."""

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
"""The scope that asks for refresh tokens (OpenID Connect Core section 11)."""
OIDC_SCOPES = frozenset({"openid", "profile", "email", "address", "phone", OFFLINE_ACCESS})
"""Scopes with a special meaning in OpenID Connect: the scope checks prefer other scopes if there are any."""


@dataclass(frozen=True)
class Discovered:
    """The documents that discovery found, with their URLs."""

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
    """The traits of the server that the preflight saw at the first login. None means: not seen."""

    refresh_token: bool | None = None
    access_token_is_jwt: bool | None = None
    expires_in: float | None = None
    upstream_url: str | None = None
    callback_url: str | None = None
    start_url: str | None = None
    """The first URL of the authorization server to which the authorization request led."""
    asked_to_log_in: bool | None = None
    cookie_withheld: tuple[str, ...] = ()
    """Names of cookies that browsers withhold at the callback, although the login fails without them."""
    resource_answers: bool | None = None
    resource_refused: bool = False
    """Whether logins work only without the parameter `resource`, which RES-01 judges."""


@dataclass
class Server:
    """The server under test, as checks see it."""

    profile: Profile
    discovered: Discovered
    seen: Seen = field(default_factory=Seen)
    separate_sources: bool = False
    """Whether each check has its own source address, so that checks do not share a rate limit."""

    @cached_property
    def trusted_hosts(self) -> TrustedHosts:
        """The sites to which codes, verifiers and tokens may be sent.

        They include the issuer, which was typed, declared, or named by the resource.
        """
        return self.profile.trusted_with(self.discovered.given).and_of(self.discovered.issuer)

    def stranger(self, what: str, url: str) -> str:
        """Return a sentence that says why no secret is sent to a URL in the server's documents; empty if secrets may be sent.

        An endpoint may be at another host (RFC 8414 section 2), even at another site; only the operator knows whether it
        belongs to the server.
        """
        if self.trusted_hosts.cover(url):
            return ""
        host, home = host_of(url), host_of(self.discovered.given)
        if scheme_of(url) != "https":
            return f"the metadata names {what} at {url}, which is not https: no code, token or secret is sent there"
        return (
            f"the metadata names {what} at {host}, which is not at the site of {home}: no code, token or secret is sent "
            f"there until you declare the host in the profile, as `trusted_hosts = [{host!r}]`"
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
        """The `resource` parameter of ordinary requests (RFC 8707); None if the server refuses it or there is no resource."""
        return None if self.seen.resource_refused else self.resource

    @property
    def endpoints_elsewhere(self) -> tuple[str, ...]:
        """The endpoints that are not at the issuer's origin, where its replicas would answer for it."""
        asked = ("authorization", "token", "registration", "revocation")
        home = origin_of(self.issuer)
        return tuple(name for name in asked if self.endpoint(name) and origin_of(self.endpoint(name)) != home)

    @property
    def is_loopback(self) -> bool:
        """Whether the issuer's host is loopback."""
        return is_loopback(host_of(self.issuer))

    def endpoint(self, name: str) -> str | None:
        """Return an endpoint's URL from the metadata, by its member name without `_endpoint`; None if it is absent."""
        value = self.discovered.metadata.get(name if name == "jwks_uri" else f"{name}_endpoint")
        return value if isinstance(value, str) and value else None

    def listed(self, member: str) -> tuple[str, ...] | None:
        """Return the strings of a list in the metadata; None if the member is absent or not a list."""
        value = self.discovered.metadata.get(member)
        if not isinstance(value, list):
            return None
        return tuple(entry for entry in cast("list[object]", value) if isinstance(entry, str))

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes that the suite asks for: the declared scopes, or up to two advertised ones."""
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
        """The client authentication methods of the token endpoint; the default is Basic (RFC 8414 section 2)."""
        listed = self.listed("token_endpoint_auth_methods_supported")
        return ("client_secret_basic",) if listed is None else listed

    @property
    def client_auth_methods(self) -> tuple[str, ...]:
        """The authentication methods that clients of the suite can have.

        They are the methods of configured clients and, if the suite can register clients, the advertised methods.
        """
        configured = tuple(client.auth_method for client in self.profile.clients)
        return (*configured, *(self.token_auth_methods if self.endpoint("registration") else ()))

    @property
    def confidential_methods(self) -> tuple[AuthMethod, ...]:
        """The methods by which a confidential client of the suite may authenticate, in the order in which they are tried."""
        methods: tuple[AuthMethod, ...] = ("client_secret_post", "client_secret_basic")
        return tuple(method for method in methods if method in self.client_auth_methods)

    def confidential_methods_at(self, endpoint: str) -> tuple[AuthMethod, ...]:
        """Return the methods of confidential clients, with the methods that this endpoint advertises first.

        An endpoint need not accept every method of the token endpoint; the default is Basic (RFC 8414 section 2).
        """
        listed = self.listed(f"{endpoint}_endpoint_auth_methods_supported")
        advertised = ("client_secret_basic",) if listed is None else listed
        return tuple(sorted(self.confidential_methods, key=lambda method: method not in advertised))

    @property
    def ordinary_method(self) -> AuthMethod:
        """The authentication method of the suite's ordinary clients: `none`, unless they must be confidential.

        They must be if the server has no registration and every configured client has a secret.
        """
        configured: list[AuthMethod] = [client.auth_method for client in self.profile.clients]
        only_secrets = bool(configured) and "none" not in configured and self.endpoint("registration") is None
        return configured[0] if only_secrets else "none"

    @property
    def advertises_iss(self) -> bool:
        """Whether the metadata promises `iss` in authorization responses (RFC 9207 section 3)."""
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
        """The lifetime of an access token in seconds, as declared, or else as seen in `expires_in`."""
        return _declared(self.profile.lifetimes.access_token or self.seen.expires_in, "access_token")

    @property
    def refresh_reuse_grace(self) -> float:
        """Seconds for which a rotated refresh token may be used again, as declared; 0 by default."""
        return self.profile.lifetimes.refresh_reuse_grace or 0.0


def _declared(value: float | None, name: str) -> float:
    if value is None:
        raise Skipped(f"the lifetime is not known: declare it in the profile, as `[lifetimes] {name} = SECONDS`")
    return value
