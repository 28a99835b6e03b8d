"""Responses and their headers: uncacheable JSON, redirects, and pages that cannot be framed."""

import secrets
from collections.abc import Mapping
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse, Response

from supabase_relay.errors import OAuthError

REDIRECT_STATUS = 303  # browsers follow it with GET, so no form is posted to the next site (RFC 9700 section 4.12)


def no_store() -> dict[str, str]:
    """Return the headers of answers that contain credentials (RFC 6749 section 5.1)."""
    return {"Cache-Control": "no-store", "Pragma": "no-cache"}


def oauth_error(error: OAuthError) -> Response:
    """Build the error response of RFC 6749 section 5.2."""
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, error.status, headers={**no_store(), **error.headers})


def redirect(url: str) -> Response:
    """Redirect the browser to `url`, which the relay has built and encoded; it is sent unchanged."""
    headers = {"Location": url, "Referrer-Policy": "no-referrer", **no_store()}
    return Response(status_code=redirect_status(), headers=headers)


def redirect_status() -> int:
    """Return the status of every redirect."""
    return REDIRECT_STATUS


def page(
    template: str,
    status: int = 200,
    *,
    form_action: str = "'none'",
    headers: Mapping[str, str] | None = None,
    **context: object,
) -> HTMLResponse:
    """Render a page of the relay; `form_action` is the CSP source list of targets that its forms may have."""
    nonce = secrets.token_urlsafe(16)
    content = _TEMPLATES.get_template(template).render(nonce=nonce, **context)
    return HTMLResponse(content, status, headers={**page_headers(nonce, form_action), **(headers or {})})


def page_headers(nonce: str, form_action: str) -> dict[str, str]:
    """Return the headers of every page: they forbid external content, caching and the Referer header."""
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {form_action}; base-uri 'none'"
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join([policy, *frame_policy()]),
        "Referrer-Policy": "no-referrer",
        **frame_headers(),
    }


def frame_policy() -> list[str]:
    """Return the directives of the Content-Security-Policy that forbid framing (OAuth 2.1 section 7.11)."""
    return ["frame-ancestors 'none'"]


def frame_headers() -> dict[str, str]:
    """Return the headers that forbid framing in browsers without Content-Security-Policy."""
    return {"X-Frame-Options": "DENY"}


def error_page(message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Render a page that explains an error to the user; it repeats no part of the request."""
    return page("error.html", status, headers=headers, message=message)


def _load(name: str) -> str:
    return (files("supabase_relay") / "templates" / name).read_text("utf-8")


_TEMPLATES = Environment(loader=FunctionLoader(_load), autoescape=True, undefined=StrictUndefined)
