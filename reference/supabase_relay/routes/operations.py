"""Endpoints for operators: health, readiness and the OpenAPI document."""

import json
from importlib.resources import files
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from supabase_relay.responses import no_store
from supabase_relay.routes.requests import relay_of
from supabase_relay.settings import Settings
from supabase_relay.storage.connection import StoreUnavailable


async def health(request: Request) -> Response:
    """Answer 200: the process works."""
    return JSONResponse({"status": "ok"}, headers=no_store())


async def ready(request: Request) -> Response:
    """Answer 200 if the store answers, else 503, because every request needs the store."""
    try:
        await relay_of(request).store.ping()
    except StoreUnavailable:
        return JSONResponse({"status": "unavailable", "store": "unreachable"}, 503, headers=no_store())
    return JSONResponse({"status": "ok", "store": "ok"}, headers=no_store())


async def openapi(request: Request) -> Response:
    """Answer with the OpenAPI 3.1 document of the relay."""
    return JSONResponse(openapi_document(relay_of(request).settings))


def openapi_document(settings: Settings) -> dict[str, Any]:
    """Return the packaged document with the paths of this issuer and resource."""
    document: dict[str, Any] = json.loads((files("supabase_relay") / "openapi.json").read_text("utf-8"))
    placed = {path: placed_path(path, settings) for path in document["paths"]}
    if settings.access_tokens != "relay":
        del placed["/jwks.json"]
    document["paths"] = {place: document["paths"][path] for path, place in placed.items()}
    document["servers"] = [{"url": settings.issuer.removesuffix(settings.path)}]
    return document


def placed_path(path: str, settings: Settings) -> str:
    """Return the served path of a documented one: well-known paths precede the issuer's path, all others follow it."""
    if path == "/mcp":
        return settings.resource_path
    if path.endswith("/oauth-protected-resource/mcp"):
        return path.removesuffix("/mcp") + settings.resource_path
    if path.endswith("/oauth-authorization-server"):
        return path + settings.path
    return path if path.startswith("/.well-known/") else settings.path + path
