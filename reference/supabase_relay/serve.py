"""`oauth-litmus serve`: run the relay with uvicorn; without settings, on loopback with a simulated Supabase."""

import os
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from typing import Annotated, cast

import typer
import uvicorn
from starlette.applications import Starlette

from supabase_relay import logs
from supabase_relay.app import create_app
from supabase_relay.settings import Settings, SettingsError
from supabase_relay.settings_types import LOOPBACK_HOSTS

UPSTREAMS = "supabase_relay.upstreams"
SIMULATOR = "simulator"

_GRACE = 10  # seconds that running requests have to finish at a shutdown


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="The port to listen on.")] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes; more than one needs REDIS_URL.")] = 1,
) -> None:
    """Run the reference relay. Settings come from the environment; without SUPABASE_URL users log in at a simulator."""
    try:
        settings = settings_for(host, port, workers)
        with upstream_for(settings, host) as supabase_url:
            os.environ |= {"ISSUER": settings.issuer, "SUPABASE_URL": supabase_url}  # worker processes read them too
            create_app(Settings())  # reports wrong settings once, before the workers start
            announce(settings, supabase_url)
            run(host, port, workers)
    except SettingsError as error:
        typer.echo(f"oauth-litmus serve: {error}", err=True)
        raise typer.Exit(2) from None


def settings_for(host: str, port: int, workers: int) -> Settings:
    """Read the settings from the environment, for a relay at this address; raises `SettingsError`."""
    settings = Settings()
    if "issuer" not in settings.model_fields_set:
        if host not in LOOPBACK_HOSTS:
            raise SettingsError(f"ISSUER is required to listen on {host}: the URL at which clients reach this relay.")
        settings = Settings(issuer=f"http://{f'[{host}]' if ':' in host else host}:{port}")
    if workers > 1 and settings.redis_url is None:
        raise SettingsError(f"{workers} workers cannot share an in-process store: set REDIS_URL, or run one worker.")
    return settings


@contextmanager
def upstream_for(settings: Settings, host: str) -> Generator[str]:
    """Yield the URL of Supabase Auth: from the settings, or of a simulator that runs during the context."""
    if settings.supabase_url is not None:
        yield settings.supabase_url
        return
    if host not in LOOPBACK_HOSTS:
        raise SettingsError(f"SUPABASE_URL is required to listen on {host}: the simulator is for loopback only.")
    with load_simulator()(settings.callback_url) as url:
        yield url


def load_simulator() -> Callable[[str], AbstractContextManager[str]]:
    """Load the installed simulator by its entry point; raises `SettingsError`."""
    for found in entry_points(group=UPSTREAMS, name=SIMULATOR):
        return cast("Callable[[str], AbstractContextManager[str]]", found.load())
    raise SettingsError("SUPABASE_URL is required, because no simulator of Supabase is installed.")


def announce(settings: Settings, supabase_url: str) -> None:
    """Print the URLs of the relay, and a warning if it uses a simulator or an in-process store."""
    typer.echo(f"The relay is at {settings.issuer}; its resource is {settings.resource}.", err=True)
    if settings.supabase_url is None:
        typer.echo(f"SUPABASE_URL is not set: users log in at a simulator, {supabase_url}.", err=True)
    if settings.redis_url is None:
        typer.echo("REDIS_URL is not set: the in-process store loses all data when this process ends.", err=True)


def run(host: str, port: int, workers: int) -> None:
    """Serve until a signal stops the process. uvicorn trusts no proxy; the relay trusts TRUSTED_PROXIES."""
    uvicorn.run(
        "supabase_relay.serve:application",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        proxy_headers=False,
        access_log=False,
        server_header=False,
        log_config=None,
        ws="none",
        timeout_graceful_shutdown=_GRACE,
    )


def application() -> Starlette:
    """Build a relay from the environment, for uvicorn and other servers; it logs to standard error."""
    logs.configure()
    return create_app(Settings())
