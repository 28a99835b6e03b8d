"""Responses and their headers: JSON that is not stored, redirects, and pages that cannot be framed."""

import secrets
from collections.abc import Mapping
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.responses import HTMLResponse, JSONResponse, Response

from supabase_relay.errors import OAuthError

REDIRECT_STATUS = 303  # always a GET, so that nothing posted here is posted on (RFC 9700 section 4.12)


def no_store() -> dict[str, str]:
    """Headers of answers that carry credentials (RFC 6749 section 5.1)."""
    return {"Cache-Control": "no-store", "Pragma": "no-cache"}


def oauth_error(error: OAuthError) -> Response:
    """The error response of RFC 6749 section 5.2."""
    body = {"error": error.error, "error_description": error.description}
    return JSONResponse(body, error.status, headers={**no_store(), **error.headers})


def redirect(url: str) -> Response:
    """Send the browser on. The URL is taken as it is: it was built here, and encoded where it was built."""
    headers = {"Location": url, "Referrer-Policy": "no-referrer", **no_store()}
    return Response(status_code=redirect_status(), headers=headers)


def redirect_status() -> int:
    """The status of every redirect."""
    return REDIRECT_STATUS


def page(
    template: str,
    status: int = 200,
    *,
    form_action: str = "'none'",
    headers: Mapping[str, str] | None = None,
    **context: object,
) -> HTMLResponse:
    """Render a page of the relay; `form_action` is what its forms may lead to (a CSP source list)."""
    nonce = secrets.token_urlsafe(16)
    content = _TEMPLATES.get_template(template).render(nonce=nonce, **context)
    return HTMLResponse(content, status, headers={**page_headers(nonce, form_action), **(headers or {})})


def page_headers(nonce: str, form_action: str) -> dict[str, str]:
    """Headers of every page: nothing is loaded from elsewhere, stored, or told to the next site."""
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; form-action {form_action}; base-uri 'none'"
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "; ".join([policy, *frame_policy()]),
        "Referrer-Policy": "no-referrer",
        **frame_headers(),
    }


def frame_policy() -> list[str]:
    """The part of the Content-Security-Policy that forbids framing (OAuth 2.1 section 7.11)."""
    return ["frame-ancestors 'none'"]


def frame_headers() -> dict[str, str]:
    """The same for browsers that do not know the policy."""
    return {"X-Frame-Options": "DENY"}


def error_page(message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """A page that tells a person what went wrong; nothing of the request is repeated in it."""
    return page("error.html", status, headers=headers, message=message)


def _load(name: str) -> str:
    return (files("supabase_relay") / "templates" / name).read_text("utf-8")


_TEMPLATES = Environment(loader=FunctionLoader(_load), autoescape=True, undefined=StrictUndefined)
