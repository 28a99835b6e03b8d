"""The relay's exceptions: OAuth errors for clients, error pages for people, and failures that a retry may cure."""

from collections.abc import Mapping


class OAuthError(Exception):
    """An error response of RFC 6749 section 5.2 (or an error of RFC 7591, 7009 or 8707), sent as JSON."""

    def __init__(
        self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})


class PageError(Exception):
    """An error shown to the user as a page, because the relay may not redirect it to a client."""

    def __init__(self, message: str, *, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.headers = dict(headers or {})


class RateLimited(Exception):
    """A source address exceeded a rate limit; `retry_after` is in whole seconds (RFC 6585 section 4)."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class BadToken(Exception):
    """The relay does not accept an access token; `reason` is a fixed word for the log, never library text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UpstreamUnavailable(Exception):
    """Supabase failed, timed out or sent an invalid answer; a retry may succeed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UpstreamRefused(Exception):
    """Supabase refused permanently: this login code or this session will not work again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def invalid_request(description: str) -> OAuthError:
    """Build an `invalid_request` error: malformed, incomplete, or with a repeated parameter (RFC 6749 section 5.2)."""
    return OAuthError("invalid_request", description)


def invalid_grant(description: str) -> OAuthError:
    """Build an `invalid_grant` error: invalid, expired, revoked, or another client's grant (RFC 6749 section 5.2)."""
    return OAuthError("invalid_grant", description)


def temporarily_unavailable(description: str, retry_after: int = 1) -> OAuthError:
    """Build a 503 that asks the client to retry after `retry_after` seconds; the request has consumed nothing."""
    return OAuthError(
        "temporarily_unavailable", description, status=503, headers={"Retry-After": str(max(1, retry_after))}
    )
