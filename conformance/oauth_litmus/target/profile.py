"""The profile: what an operator declares of a deployment, as TOML. Nothing in it is required."""

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
    """A client that exists at the server already, where clients cannot be registered dynamically."""

    client_id: str
    auth_method: AuthMethod = "none"
    secret_env: str | None = None
    """The environment variable that holds the client secret."""
    redirect_uris: Annotated[tuple[str, ...], Field(min_length=1)]
    scope: str | None = None


class Lifetimes(Section):
    """Lifetimes in seconds, as the operator set them. What is not declared is not tested at its boundary."""

    code: Seconds | None = None
    pending_login: Seconds | None = None
    access_token: Seconds | None = None
    refresh_token: Seconds | None = None
    refresh_reuse_grace: Annotated[float, Field(ge=0)] | None = None
    session: Seconds | None = None
    """How long a login lasts, however often its tokens are refreshed: what is refreshed late may end with it."""
    clock_leeway: Annotated[float, Field(ge=0, le=300)] = 60.0
    """How long after `exp` the resource still takes a token (RFC 7519 section 4.1.4)."""


class Limits(Section):
    """Limits per source address, by action, as `N/SECONDS`."""

    register_: Annotated[WrittenRate | None, Field(alias="register")] = None
    authorize: WrittenRate | None = None
    start: WrittenRate | None = None
    callback: WrittenRate | None = None
    token: WrittenRate | None = None
    token_failures: WrittenRate | None = None
    resource: WrittenRate | None = None

    def declared(self) -> dict[str, Rate]:
        """The limits that are declared, by action."""
        named = {
            "register": self.register_,
            "authorize": self.authorize,
            "start": self.start,
            "callback": self.callback,
        }
        named |= {"token": self.token, "token_failures": self.token_failures, "resource": self.resource}
        return {action: rate for action, rate in named.items() if rate is not None}


class Http(Section):
    """What it takes to reach the deployment."""

    headers: dict[str, str] = Field(default_factory=dict[str, str])
    secret_headers: dict[str, str] = Field(default_factory=dict[str, str])
    """Header values read from the environment variable that is named."""
    proxy: str | None = None
    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    timeout: Annotated[float, Field(gt=0, le=ANSWER_TIMEOUT)] = ANSWER_TIMEOUT
    """Seconds that one answer may take. A login that a relay hands on takes as long as its upstream does."""

    def secrets(self) -> dict[str, str]:
        """The headers that only the target may see, read from the environment.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return {name: from_environment(variable) for name, variable in self.secret_headers.items()}

    def all_headers(self) -> dict[str, str]:
        """All extra headers, secrets read from the environment.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return {**self.headers, **self.secrets()}


class ListenerSettings(Section):
    """Where the suite may listen, and how the server under test reaches it."""

    url: Annotated[str, Field(pattern=r"^https?://[^/?#\s]+(/[^?#\s]*)?$")]
    """The public URL; TLS is ended before it comes to the suite."""
    bind: Annotated[str, Field(pattern=r"^\S+:\d{1,5}$")]
    """Address and port on this machine, as `0.0.0.0:8443`."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen at."""
        host, _, port = self.bind.rpartition(":")
        return host.strip("[]"), int(port)


class Profile(Section):
    """Everything that can be declared of a deployment."""

    issuer: str | None = None
    resource: str | None = None
    """The URL of a protected resource of this server."""
    specification: Literal["oauth2.1", "mcp"] = "mcp"
    """Whose rules bind: `mcp` adds what the MCP authorization specification demands (RFC 9728, PKCE in metadata)."""
    scopes: tuple[str, ...] = ()
    """Scopes that a user may grant; two of them make the scope checks possible."""
    operations: dict[str, WrittenOperation] = Field(default_factory=dict[str, WrittenOperation])
    """Harmless operations of the resource, as `METHOD /path`, by the scope that opens them, as no other scope does."""
    login: Login = Login()
    clients: tuple[ConfiguredClient, ...] = ()
    tokens: HandedInToken = HandedInToken()
    """An access token for the checks of the protected resource, where no login is possible."""
    initial_access_token_env: str | None = None
    lifetimes: Lifetimes = Lifetimes()
    limits: Limits = Limits()
    http: Http = Http()
    listener: ListenerSettings | None = None
    """Where the suite listens for what the server under test fetches; on loopback it finds a place by itself."""
    upstream_control: str | None = None
    """The URL of the upstream-control contract, where the operator lends the upstream to the suite."""
    replicas: tuple[WrittenReplica, ...] = ()
    """The URLs of single instances behind the issuer, which share what they know of codes, tokens and limits."""
    trusted_hosts: tuple[WrittenHost, ...] = ()
    """Hosts beside that of the given URL which are the server's too, where its documents name endpoints at other sites."""
    topology: Literal["direct", "via_edge", "trusted"] | None = None
    """How the suite's requests reach the server; `trusted`: its address counts as a trusted proxy."""
    own_server: bool = False
    """The operator's word that the deployment is theirs: bursts beyond loopback need it."""
    accepts_upstream_tokens: bool = False
    browser_clients: bool = False
    """The operator's word that clients in browsers are meant to work: CORS is then demanded."""
    allow_http_redirects: bool = False
    revocation_immediate: bool = False
    resource_indicators: bool = False
    """The operator's word that access tokens are restricted to the resource that was asked for (RFC 8707)."""
    query_tokens: bool = False
    """The operator's word that the resource still takes tokens in the URL, as RFC 6750 section 2.3 let it."""
    worker_processes: Annotated[int, Field(ge=1)] = 1
    """Processes behind the resource, each with a cache of its own for the keys of access tokens."""
    oauth21_clients_only: bool = False

    def trusted_with(self, typed: str) -> TrustedHosts:
        """The hosts that the operator named, in this profile and as the URL on the command line."""
        trusted = (f"https://{host}" for host in self.trusted_hosts)
        return TrustedHosts(typed, self.issuer, self.resource, *self.replicas, *trusted)

    def with_access_token_in(self, path: Path) -> Self:
        """The same, with an access token handed in as a file."""
        return self.model_copy(update={"tokens": HandedInToken(access_token_file=str(path))})


def load_profile(path: Path) -> Profile:
    """Read a profile.

    Raises:
        ProfileError: the file cannot be read, is no TOML, or holds a key or value that is not known.
    """
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"cannot read the profile {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{path} is no TOML: {error}") from error
    try:
        return Profile.model_validate(data)
    except ValidationError as error:
        raise ProfileError("\n".join(f"{path}: {_sentence(item)}" for item in error.errors())) from error


def _sentence(details: ErrorDetails) -> str:
    location = [str(part) for part in details["loc"]]
    where = ".".join(location)
    match details["type"]:
        case "extra_forbidden":
            return f"unknown key {where!r}; known here: {', '.join(_known_keys(location[:-1]))}"
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
