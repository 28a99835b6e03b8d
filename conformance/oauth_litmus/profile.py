"""The profile: what an operator declares of a deployment, as TOML. Nothing in it is required."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from oauth_litmus.rates import Rate, WrittenRate

Seconds = Annotated[float, Field(gt=0)]
AuthMethod = Literal["none", "client_secret_post", "client_secret_basic"]


class ProfileError(Exception):
    """A profile that cannot be used; the message names the key as the operator wrote it, and what is allowed."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Login(_Section):
    """How a person gets through the login."""

    driver: Literal["redirects", "manual", "none"] | None = None
    fields: dict[str, str] = {}
    """Values for form fields of the login pages, by field name."""
    secret_fields: dict[str, str] = {}
    """The same, with the value read from the environment variable that is named."""
    max_logins: Annotated[int, Field(ge=0)] = 3
    """Logins that the `manual` driver may ask a person for."""

    def values(self) -> dict[str, str]:
        """All field values, secrets read from the environment.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return {**self.fields, **{name: from_environment(variable) for name, variable in self.secret_fields.items()}}


class ConfiguredClient(_Section):
    """A client that exists at the server already, where clients cannot be registered dynamically."""

    client_id: str
    auth_method: AuthMethod = "none"
    secret_env: str | None = None
    """The environment variable that holds the client secret."""
    redirect_uris: Annotated[tuple[str, ...], Field(min_length=1)]
    scope: str | None = None


class Lifetimes(_Section):
    """Lifetimes in seconds, as the operator set them. What is not declared is not tested at its boundary."""

    code: Seconds | None = None
    pending_login: Seconds | None = None
    access_token: Seconds | None = None
    refresh_token: Seconds | None = None
    refresh_reuse_grace: Annotated[float, Field(ge=0)] | None = None
    clock_leeway: Annotated[float, Field(ge=0, le=300)] = 60.0
    """How long after `exp` the resource still takes a token (RFC 7519 section 4.1.4)."""


class Limits(_Section):
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


class Http(_Section):
    """What it takes to reach the deployment."""

    headers: dict[str, str] = {}
    secret_headers: dict[str, str] = {}
    """Header values read from the environment variable that is named."""
    proxy: str | None = None
    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None

    def all_headers(self) -> dict[str, str]:
        """All extra headers, secrets read from the environment.

        Raises:
            ProfileError: an environment variable is not set.
        """
        return {**self.headers, **{name: from_environment(variable) for name, variable in self.secret_headers.items()}}


class Profile(_Section):
    """Everything that can be declared of a deployment."""

    issuer: str | None = None
    resource: str | None = None
    """The URL of a protected resource of this server."""
    specification: Literal["oauth2.1", "mcp"] = "mcp"
    """Whose rules bind: `mcp` adds what the MCP authorization specification demands (RFC 9728, PKCE in metadata)."""
    scopes: tuple[str, ...] = ()
    """Scopes that a user may grant; two of them make the scope checks possible."""
    login: Login = Login()
    clients: tuple[ConfiguredClient, ...] = ()
    initial_access_token_env: str | None = None
    lifetimes: Lifetimes = Lifetimes()
    limits: Limits = Limits()
    http: Http = Http()
    upstream_control: str | None = None
    """The URL of the upstream-control contract, where the operator lends the upstream to the suite."""
    topology: Literal["direct", "via_edge", "trusted"] | None = None
    """How the suite's requests reach the server; `trusted`: its address counts as a trusted proxy."""
    own_server: bool = False
    """The operator's word that the deployment is theirs: bursts beyond loopback need it."""
    accepts_upstream_tokens: bool = False
    allow_http_redirects: bool = False
    revocation_immediate: bool = False
    oauth21_clients_only: bool = False


def from_environment(variable: str) -> str:
    """The value of an environment variable that a profile names.

    Raises:
        ProfileError: it is not set.
    """
    value = os.environ.get(variable)
    if value is None:
        raise ProfileError(f"the profile names the environment variable {variable}, which is not set")
    return value


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
            "login": Login, "clients": ConfiguredClient, "lifetimes": Lifetimes, "limits": Limits, "http": Http,
        }  # fmt: skip
        model = sections.get(part, model)
    return sorted(field.alias or name for name, field in model.model_fields.items())
