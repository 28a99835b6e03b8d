"""The profile: a TOML file in which an operator describes a deployment. Every key is optional."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from oauth_litmus.http.trusted_hosts import TrustedHosts
from oauth_litmus.http.wire import ANSWER_TIMEOUT
from oauth_litmus.limits.rates import Rate, WrittenRate
from oauth_litmus.target.login_settings import (
    BrowserSettings,
    Click,
    HandedInToken,
    Login,
    LoginStep,
    Match,
    ProfileError,
    Section,
    from_environment,
)
from oauth_litmus.target.replica_origins import replica_origin

__all__ = [
    "ConfiguredClient",
    "Http",
    "Lifetimes",
    "Limits",
    "Login",
    "Profile",
    "ProfileError",
    "from_environment",
    "load_profile",
]

Seconds = Annotated[float, Field(gt=0)]
AuthMethod = Literal["none", "client_secret_post", "client_secret_basic"]
WrittenReplica = Annotated[str, AfterValidator(replica_origin)]
WrittenHost = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+$")]
WrittenOperation = Annotated[str, Field(pattern=r"^[A-Z]+ /\S*$")]


class ConfiguredClient(Section):
    """A client that already exists at the server, for servers without dynamic registration."""

    client_id: str
    auth_method: AuthMethod = "none"
    secret_env: str | None = None
    """The environment variable that holds the client secret."""
    redirect_uris: Annotated[tuple[str, ...], Field(min_length=1)]
    scope: str | None = None


class Lifetimes(Section):
    """Lifetimes in seconds, as configured at the server; a lifetime that is not declared is not tested at its boundary."""

    code: Seconds | None = None
    pending_login: Seconds | None = None
    access_token: Seconds | None = None
    refresh_token: Seconds | None = None
    refresh_reuse_grace: Annotated[float, Field(ge=0)] | None = None
    session: Seconds | None = None
    """The lifetime of a login, however often its tokens are refreshed; tokens of a late refresh may expire with it."""
    clock_leeway: Annotated[float, Field(ge=0, le=300)] = 60.0
    """Seconds after `exp` during which the resource still accepts a token (RFC 7519 section 4.1.4)."""


class Limits(Section):
    """Rate limits per source address, by action, as `N/SECONDS`."""

    register_: Annotated[WrittenRate | None, Field(alias="register")] = None
    authorize: WrittenRate | None = None
    start: WrittenRate | None = None
    callback: WrittenRate | None = None
    token: WrittenRate | None = None
    token_failures: WrittenRate | None = None
    resource: WrittenRate | None = None

    def declared(self) -> dict[str, Rate]:
        """The declared limits, by action."""
        named = {
            "register": self.register_,
            "authorize": self.authorize,
            "start": self.start,
            "callback": self.callback,
        }
        named |= {"token": self.token, "token_failures": self.token_failures, "resource": self.resource}
        return {action: rate for action, rate in named.items() if rate is not None}


class Http(Section):
    """Settings that are needed to reach the deployment over HTTP."""

    headers: dict[str, str] = Field(default_factory=dict[str, str])
    secret_headers: dict[str, str] = Field(default_factory=dict[str, str])
    """Headers whose value is read from the named environment variable."""
    proxy: str | None = None
    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    timeout: Annotated[float, Field(gt=0, le=ANSWER_TIMEOUT)] = ANSWER_TIMEOUT
    """Seconds that one answer may take. A relay's answer takes as long as its upstream."""

    def secrets(self) -> dict[str, str]:
        """Return the headers that are sent only to the target, with values from the environment.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return {name: from_environment(variable) for name, variable in self.secret_headers.items()}

    def all_headers(self) -> dict[str, str]:
        """Return all extra headers, with secret values from the environment.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return {**self.headers, **self.secrets()}


class ListenerSettings(Section):
    """The address at which the suite listens, and the URL by which the server under test reaches it."""

    url: Annotated[str, Field(pattern=r"^https?://[^/?#\s]+(/[^?#\s]*)?$")]
    """The public URL; for https, a proxy in front of the suite must terminate TLS."""
    bind: Annotated[str, Field(pattern=r"^\S+:\d{1,5}$")]
    """Address and port on this machine, such as `0.0.0.0:8443`."""

    @property
    def address(self) -> tuple[str, int]:
        """The host and port on which to listen."""
        host, _, port = self.bind.rpartition(":")
        return host.strip("[]"), int(port)


class Profile(Section):
    """All settings that an operator can declare for a deployment."""

    issuer: str | None = None
    resource: str | None = None
    """The URL of a protected resource of this server."""
    specification: Literal["oauth2.1", "mcp"] = "mcp"
    """The specification to test against: `mcp` adds the demands of MCP authorization (RFC 9728, PKCE in metadata)."""
    scopes: tuple[str, ...] = ()
    """Scopes that a user may grant; the scope checks need two."""
    operations: dict[str, WrittenOperation] = Field(default_factory=dict[str, WrittenOperation])
    """Harmless operations of the resource, as `METHOD /path`, by the one scope that permits each."""
    login: Login = Login()
    clients: tuple[ConfiguredClient, ...] = ()
    tokens: HandedInToken = HandedInToken()
    """An access token for the checks of the protected resource, for when no login is possible."""
    initial_access_token_env: str | None = None
    lifetimes: Lifetimes = Lifetimes()
    limits: Limits = Limits()
    http: Http = Http()
    listener: ListenerSettings | None = None
    """Where the suite listens for requests of the server under test; on loopback it chooses a port itself."""
    upstream_control: str | None = None
    """The base URL of the upstream-control API, if the suite may control the upstream."""
    replicas: tuple[WrittenReplica, ...] = ()
    """The URLs of single instances behind the issuer, which share the state of codes, tokens and rate limits."""
    trusted_hosts: tuple[WrittenHost, ...] = ()
    """Further hosts that belong to the server, if its documents name endpoints at other sites."""
    topology: Literal["direct", "via_edge", "trusted"] | None = None
    """How the suite's requests reach the server; with `trusted`, the server treats the suite's address as a trusted proxy."""
    own_server: bool = False
    """The operator owns this deployment; bursts against a server that is not on loopback need this."""
    accepts_upstream_tokens: bool = False
    browser_clients: bool = False
    """Clients in browsers are meant to work with this server, so CORS is required."""
    allow_http_redirects: bool = False
    revocation_immediate: bool = False
    resource_indicators: bool = False
    """The server restricts access tokens to the requested resource (RFC 8707)."""
    query_tokens: bool = False
    """The resource still accepts tokens in the URL, as RFC 6750 section 2.3 allowed."""
    worker_processes: Annotated[int, Field(ge=1)] = 1
    """The number of processes behind the resource, each with its own cache of signing keys."""
    oauth21_clients_only: bool = False

    def trusted_with(self, typed: str) -> TrustedHosts:
        """The sites that the operator named, on the command line and in this profile."""
        trusted = (f"https://{host}" for host in self.trusted_hosts)
        return TrustedHosts(typed, self.issuer, self.resource, *self.replicas, *trusted)

    def with_access_token_in(self, path: Path) -> Self:
        """Return a copy of the profile with the access token of this file."""
        return self.model_copy(update={"tokens": HandedInToken(access_token_file=str(path))})


def load_profile(path: Path) -> Profile:
    """Read a profile.

    Raises:
        ProfileError: the file cannot be read, is not TOML, or holds an unknown key or an invalid value.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"cannot read the profile {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path} is not valid TOML: {error}") from error
    try:
        return Profile.model_validate(data)
    except ValidationError as error:
        raise ProfileError("\n".join(f"{path}: {_sentence(item)}" for item in error.errors())) from error


def _sentence(details: ErrorDetails) -> str:
    location = [str(part) for part in details["loc"]]
    where = ".".join(location)
    match details["type"]:
        case "extra_forbidden":
            return f"unknown key {where!r}; allowed keys: {', '.join(_known_keys(location[:-1]))}"
        case "missing":
            return f"{where} is missing"
        case _:
            return f"{where}: {details['msg']} (got {details['input']!r})"


def _known_keys(location: list[str]) -> list[str]:
    model: type[BaseModel] = Profile
    for part in location:
        sections: dict[str, type[BaseModel]] = {
            "login": Login, "steps": LoginStep, "match": Match, "click": Click, "browser": BrowserSettings,
            "clients": ConfiguredClient, "tokens": HandedInToken, "lifetimes": Lifetimes, "limits": Limits, "http": Http,
            "listener": ListenerSettings,
        }  # fmt: skip
        model = sections.get(part, model)
    return sorted(field.alias or name for name, field in model.model_fields.items())
