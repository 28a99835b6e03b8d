"""What the relay refuses with: OAuth errors for clients, pages for people, and failures that mean "try again"."""

from collections.abc import Mapping


class OAuthError(Exception):
    """An error response of RFC 6749 section 5.2 (or its kin in RFC 7591, 7009, 8707), sent as JSON."""

    def __init__(
        self, error: str, description: str, *, status: int = 400, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status
        self.headers = dict(headers or {})


class PageError(Exception):
    """An error that a person must read, because there is no client that may be told by redirect."""

    def __init__(self, message: str, *, status: int = 400, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.headers = dict(headers or {})


class RateLimited(Exception):
    """One source address has used up a limit; `retry_after` is in whole seconds (RFC 6585 section 4)."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class BadToken(Exception):
    """An access token that this relay does not accept; `reason` is a fixed word for the log, never library text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UpstreamUnavailable(Exception):
    """Supabase failed, timed out or answered nonsense: nothing is decided, trying again may help."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UpstreamRefused(Exception):
    """Supabase refused for good: this login code or this session will not work again."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def invalid_request(description: str) -> OAuthError:
    """RFC 6749 section 5.2: the request is malformed, incomplete, or says something twice."""
    return OAuthError("invalid_request", description)


def invalid_grant(description: str) -> OAuthError:
    """RFC 6749 section 5.2: the grant is invalid, expired, revoked, or another client's."""
    return OAuthError("invalid_grant", description)


def temporarily_unavailable(description: str, retry_after: int = 1) -> OAuthError:
    """A 503 that asks to come back after `retry_after` seconds; nothing was consumed."""
    return OAuthError(
        "temporarily_unavailable", description, status=503, headers={"Retry-After": str(max(1, retry_after))}
    )
