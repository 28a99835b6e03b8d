"""The relay as an ASGI application: its routes, components and lifespan. Only this module builds the components."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route

from supabase_relay.access_tokens import AccessTokens, RelayAccessTokens, SupabaseAccessTokens, SupabaseJwts
from supabase_relay.error_handlers import HANDLERS
from supabase_relay.jwks import JwksCache
from supabase_relay.jwt_claims import Expected
from supabase_relay.logs import AccessLog, event
from supabase_relay.middleware import ErrorBarrier, SecurityHeaders, SelectiveCors
from supabase_relay.ratelimit import RateLimiter
from supabase_relay.relay import Relay
from supabase_relay.routes import authorize, discovery, login, operations, registration, resource, revoke, token
from supabase_relay.sealing import Sealer
from supabase_relay.settings import Settings, SettingsError
from supabase_relay.signing_key import SigningKey
from supabase_relay.storage.clients import Clients
from supabase_relay.storage.connection import Connection, connect
from supabase_relay.storage.grants import Grants
from supabase_relay.storage.pending_logins import PendingLogins
from supabase_relay.upstream import Supabase, UpstreamAddress
from supabase_relay.verifier import Verifier

_WELL_KNOWN = "/.well-known"


def create_app(
    settings: Settings, *, redis: Redis | None = None, upstream_transport: httpx.AsyncBaseTransport | None = None
) -> Starlette:
    """Build a relay. `redis` and `upstream_transport` replace the connections that the settings describe.

    The app connects at the first request; its lifespan closes the connections that it opened. Raises `SettingsError`
    if SUPABASE_URL is missing, or if SIGNING_KEY is not a usable key.
    """
    http = httpx.AsyncClient(transport=upstream_transport, trust_env=False)
    relay = assemble(settings, redis, http)
    routes = relay_routes(settings)
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(ErrorBarrier),
            Middleware(AccessLog, templates={route.endpoint: route.path for route in routes}),
            Middleware(SecurityHeaders, https=settings.is_https),
            Middleware(SelectiveCors, paths=cors_paths(settings), origins=settings.cors_origins),
            Middleware(ErrorBarrier),
        ],
        exception_handlers=HANDLERS,
        lifespan=_lifespan(relay, http, owns_store=redis is None),
    )
    app.router.redirect_slashes = False  # Starlette would build that redirect from the Host header
    app.state.relay = relay
    return app


def relay_routes(settings: Settings) -> list[Route]:
    """Return all routes; they are below the issuer's path, except for well-known paths, which precede it."""
    at = settings.path
    routes = [
        Route(f"{_WELL_KNOWN}/oauth-authorization-server{at}", discovery.authorization_server),
        Route(f"{_WELL_KNOWN}/oauth-protected-resource{settings.resource_path}", discovery.protected_resource),
        Route(f"{_WELL_KNOWN}/oauth-protected-resource", discovery.protected_resource),
        Route(f"{at}/register", registration.register, methods=["POST"]),
        Route(f"{at}/authorize", authorize.authorize),
        Route(f"{at}/auth/start/{{state}}", login.start),
        Route(f"{at}/auth/consent", login.consent, methods=["POST"]),
        Route(f"{at}/auth/callback", login.callback),
        Route(f"{at}/token", token.token, methods=["POST"]),
        Route(f"{at}/revoke", revoke.revoke, methods=["POST"]),
        Route(settings.resource_path, resource.resource, methods=list(resource.METHODS)),
        Route(f"{at}/health", operations.health),
        Route(f"{at}/ready", operations.ready),
        Route(f"{at}/openapi.json", operations.openapi),
    ]
    if settings.access_tokens == "relay":
        routes.append(Route(f"{at}/jwks.json", discovery.key_set))
    return routes


def cors_paths(settings: Settings) -> set[str]:
    """Return the paths that scripts of other origins may call; authorize, login and consent are not among them."""
    for_scripts = {"/register", "/token", "/revoke", "/jwks.json", "/openapi.json"}
    return {
        f"{_WELL_KNOWN}/oauth-authorization-server{settings.path}",
        f"{_WELL_KNOWN}/oauth-protected-resource{settings.resource_path}",
        f"{_WELL_KNOWN}/oauth-protected-resource",
        settings.resource_path,
        *(settings.path + path for path in for_scripts),
    }


def assemble(settings: Settings, redis: Redis | None, http: httpx.AsyncClient) -> Relay:
    """Build the components of the relay; raises `SettingsError`."""
    if settings.supabase_url is None:
        raise SettingsError(
            "SUPABASE_URL is required: the base URL of Supabase Auth, like https://x.supabase.co/auth/v1."
        )
    store = Connection(redis or connect(settings.redis_url.get_secret_value() if settings.redis_url else None))
    grants = Grants(store)
    jwts = supabase_jwts(settings, settings.supabase_url, http)
    access_tokens = access_tokens_of(settings, jwts)
    return Relay(
        settings=settings,
        store=store,
        clients=Clients(store),
        pending_logins=PendingLogins(store),
        grants=grants,
        sealer=Sealer(settings.fernet_keys),
        supabase=Supabase(upstream_address(settings, settings.supabase_url), http, jwts),
        access_tokens=access_tokens,
        verifier=Verifier(access_tokens, grants, foreign_scopes=foreign_scopes(settings), resource=settings.resource),
        limiter=rate_limiter(settings, store),
    )


def foreign_scopes(settings: Settings) -> tuple[str, ...] | None:
    """Return the scopes of Supabase tokens that this relay did not issue; None if the relay refuses them.

    With ACCESS_TOKENS=relay, the relay always refuses them.
    """
    admitted = settings.admit_foreign_supabase_tokens and settings.access_tokens == "supabase"
    return settings.scopes if admitted else None


def upstream_address(settings: Settings, url: str) -> UpstreamAddress:
    """Return the URL, key, provider and time-out for Supabase Auth."""
    key = settings.supabase_anon_key.get_secret_value() if settings.supabase_anon_key else None
    return UpstreamAddress(url, key, settings.supabase_provider, settings.upstream_timeout)


def supabase_jwts(settings: Settings, url: str, http: httpx.AsyncClient) -> SupabaseJwts:
    """Build the verification of Supabase's tokens, with its key set."""
    jwks = JwksCache(
        f"{url}/.well-known/jwks.json",
        http,
        ttl=settings.jwks_cache_ttl,
        cooldown=settings.jwks_cooldown,
        timeout=settings.upstream_timeout,
    )
    expected = Expected(settings.supabase_jwt_audience, settings.expected_jwt_issuer, settings.clock_leeway)
    return SupabaseJwts(jwks, expected)


def access_tokens_of(settings: Settings, jwts: SupabaseJwts) -> AccessTokens:
    """Build the kind of access token that the operator chose; raises `SettingsError`."""
    if settings.access_tokens == "supabase":
        return SupabaseAccessTokens(jwts)
    try:
        key = SigningKey(settings.signing_key.get_secret_value() if settings.signing_key else None)
    except ValueError as error:
        raise SettingsError(f"{error}.") from None
    expected = Expected(settings.resource, settings.issuer, settings.clock_leeway)
    return RelayAccessTokens(key, issuer=settings.issuer, ttl=settings.access_token_ttl, expected=expected)


def rate_limiter(settings: Settings, store: Connection) -> RateLimiter:
    """Build the rate limiter with the limit of each action."""
    return RateLimiter(
        store,
        {
            "register": settings.limit_register,
            "authorize": settings.limit_authorize,
            "start": settings.limit_start,
            "callback": settings.limit_callback,
            "token_failures": settings.limit_token_failures,
        },
    )


def _lifespan(
    relay: Relay, http: httpx.AsyncClient, *, owns_store: bool
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        warn_of_weakness(relay.settings)
        yield
        await http.aclose()
        if owns_store:
            await relay.store.close()

    return lifespan


def warn_of_weakness(settings: Settings) -> None:
    """Log at start which settings weaken the check of tokens."""
    if settings.expected_jwt_issuer is None:
        event("supabase_tokens_carry_no_issuer", detail="the issuer of Supabase's tokens is not checked")
    if settings.admit_foreign_supabase_tokens:
        event("foreign_supabase_tokens_admitted", detail="the resource accepts tokens that this relay did not issue")
