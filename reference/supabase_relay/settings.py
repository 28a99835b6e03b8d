"""The relay's settings, read from the environment and validated once at start."""

from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from supabase_relay.settings_types import BaseUrl, Limit, LimitSetting, Networks, PublicUrl, Scopes, Words

DAY = 86_400
DECLARED_ABSENT = "none"

Seconds = Annotated[int, Field(ge=1, le=400 * DAY)]


class SettingsError(Exception):
    """A setting is missing or invalid; the message is one sentence for the operator."""


class Settings(BaseSettings):
    """The relay's settings; names are case-insensitive, lifetimes and time-outs are in seconds.

    Raises `SettingsError` if a value is missing, malformed or out of bounds.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_ignore_empty=True, hide_input_in_errors=True)

    issuer: PublicUrl = "http://127.0.0.1:8080"
    resource: PublicUrl = ""  # by default: the issuer's URL with /mcp

    redis_url: SecretStr | None = None
    """If it is not set, the relay uses an in-process store, which loses all data when the process ends."""
    encryption_keys: SecretStr | None = None
    """Fernet keys, separated by commas: the first encrypts, all decrypt. Generated for the in-process store."""

    supabase_url: BaseUrl | None = None
    """The base URL of Supabase Auth, like https://x.supabase.co/auth/v1."""
    supabase_anon_key: SecretStr | None = None
    supabase_provider: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:-]{1,64}$")] = "google"
    supabase_jwt_issuer: str | None = None
    """The `iss` of Supabase's tokens, by default SUPABASE_URL; `none` declares that the tokens have no `iss`."""
    supabase_jwt_audience: Annotated[str, Field(min_length=1)] = "authenticated"
    upstream_timeout: Annotated[float, Field(ge=0.05, le=30)] = 10
    admit_foreign_supabase_tokens: bool = False
    """Let the resource accept Supabase tokens that this relay did not issue; no effect with ACCESS_TOKENS=relay."""

    jwks_cache_ttl: Annotated[int, Field(ge=1, le=DAY)] = 600
    jwks_cooldown: Annotated[float, Field(ge=0, le=600)] = 10
    """The relay tries at most three fetches of the key set in any period of this length."""
    clock_leeway: Annotated[int, Field(ge=0, le=300)] = 0
    """Added to `exp` and subtracted from `nbf` whenever the relay checks a token."""

    access_tokens: Literal["supabase", "relay"] = "supabase"
    access_token_ttl: Annotated[int, Field(ge=1, le=DAY)] = 3600
    signing_key: SecretStr | None = None

    scopes: Scopes = ("mcp:read", "mcp:write")
    code_ttl: Annotated[int, Field(ge=1, le=600)] = 60
    pending_login_ttl: Annotated[int, Field(ge=1, le=3600)] = 600
    refresh_token_ttl: Seconds = 30 * DAY
    """Sliding: an unused refresh token expires after this time; each rotation starts a new full lifetime."""
    refresh_leeway: Annotated[int, Field(ge=0, le=60)] = 10
    """How long a rotated token still gets the same answer, in case the client lost it; 0 treats every reuse as theft."""
    refresh_lease: Annotated[float, Field(ge=0.1, le=60)] = 15
    """How long one request may work on a rotation while other requests wait for it."""
    revocation_skew: Annotated[int, Field(ge=0, le=3600)] = 60
    """How much longer than the token its deny-list entry is kept."""
    client_ttl: Seconds = 365 * DAY
    """The lifetime of a registration and of its client secret; use does not extend it."""
    remember_consent_ttl: Annotated[int, Field(ge=0, le=400 * DAY)] = 0
    """How long a browser's approval of a client is remembered; with 0 the relay asks every time."""
    private_use_schemes: Words = ()
    """Private-use schemes without a period (cursor, vscode) that redirect URIs may use nevertheless."""

    limit_register: LimitSetting = Limit(10, 60)
    limit_authorize: LimitSetting = Limit(30, 60)
    limit_start: LimitSetting = Limit(30, 60)
    limit_callback: LimitSetting = Limit(30, 60)
    limit_token_failures: LimitSetting = Limit(30, 60)
    trusted_proxies: Networks = ()
    """Proxies whose X-Forwarded-For header the relay believes."""
    cors_origins: Words = ("*",)

    def __init__(self, **values: Any) -> None:  # noqa: ANN401 - pydantic parses them
        try:
            super().__init__(**{name.lower(): value for name, value in values.items()})
        except ValidationError as error:
            raise SettingsError(_sentence(error)) from None

    @model_validator(mode="before")
    @classmethod
    def _resource_follows_issuer(cls, values: dict[str, Any]) -> dict[str, Any]:
        if not values.get("resource"):
            issuer = str(values.get("issuer") or cls.model_fields["issuer"].default)
            values = {**values, "resource": issuer.strip().rstrip("/") + "/mcp"}
        return values

    @model_validator(mode="after")
    def _secrets_outlive_the_process(self) -> Self:
        """Require persistent keys if the store is persistent."""
        if self.redis_url and not self.encryption_keys:
            raise ValueError("ENCRYPTION_KEYS is required with REDIS_URL: make one with `Fernet.generate_key()`")
        if self.redis_url and self.access_tokens == "relay" and not self.signing_key:
            raise ValueError("SIGNING_KEY is required with REDIS_URL and ACCESS_TOKENS=relay: give a PEM or a JWK")
        for key in self.fernet_keys:
            _require_fernet_key(key)
        return self

    @model_validator(mode="after")
    def _a_claim_outlives_the_call_it_guards(self) -> Self:
        if self.refresh_lease <= self.upstream_timeout:
            raise ValueError(
                f"REFRESH_LEASE ({self.refresh_lease:g} s) must be longer than UPSTREAM_TIMEOUT "
                f"({self.upstream_timeout:g} s): otherwise the lease can expire before Supabase answers"
            )
        return self

    @property
    def fernet_keys(self) -> tuple[str, ...]:
        """The encryption keys; the first encrypts, all decrypt."""
        listed = self.encryption_keys.get_secret_value() if self.encryption_keys else ""
        return tuple(key.strip() for key in listed.split(",") if key.strip())

    @property
    def expected_jwt_issuer(self) -> str | None:
        """The required `iss` of Supabase's tokens; None if the operator declares that the tokens have none."""
        if self.supabase_jwt_issuer == DECLARED_ABSENT:
            return None
        return self.supabase_jwt_issuer or self.supabase_url

    @property
    def path(self) -> str:
        """The issuer's path, without a trailing slash; empty for an issuer at the root."""
        return urlsplit(self.issuer).path

    @property
    def resource_path(self) -> str:
        """The path at which this relay serves its protected resource."""
        same_origin = self.resource.startswith(self.issuer.removesuffix(self.path) + "/")
        return urlsplit(self.resource).path if same_origin else f"{self.path}/mcp"

    @property
    def callback_url(self) -> str:
        """The URL to which Supabase redirects the browser after a login."""
        return f"{self.issuer}/auth/callback"

    @property
    def is_https(self) -> bool:
        """Whether browsers reach this issuer over TLS."""
        return self.issuer.startswith("https:")


def _require_fernet_key(key: str) -> None:
    try:
        Fernet(key)
    except ValueError:
        raise ValueError("ENCRYPTION_KEYS must be Fernet keys (32 bytes, base64url), separated by commas") from None


def _sentence(error: ValidationError) -> str:
    """Describe the first error in one sentence, without the value, because it may be secret."""
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]).upper() if first["loc"] else ""
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return f"{name} is not a setting of the relay."
    return f"{name}: {message}." if name else f"{message}."
