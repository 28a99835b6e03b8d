"""Authorization requests, correct unless a check changes them, and the results that follow: attempts, codes, tokens."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from oauth_litmus.browser.trail import Trail
from oauth_litmus.oauth.jwts import claims_of, scopes_in
from oauth_litmus.verdict import Skipped

if TYPE_CHECKING:
    from oauth_litmus.browser.cookies import SetCookie
    from oauth_litmus.browser.model import Browser, Rejected
    from oauth_litmus.browser.pages import Page, Submission
    from oauth_litmus.http.answer import Answer, AuthorizationResponse
    from oauth_litmus.oauth.clients import Client

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_SETS_LOCATION = re.compile(r"\blocation(?:\.href)?\s*=(?!=)|\blocation\.(?:replace|assign)\s*\(")
_LONGEST_LIFETIME = 1e11
"""Seconds; a longer lifetime is ignored, because no clock here can represent its end."""


def new_verifier(length: int = 64) -> str:
    """Return a fresh `code_verifier` (RFC 7636 section 4.1)."""
    return secrets.token_urlsafe(length)[:length]


def s256(code_verifier: str) -> str:
    """Return the S256 `code_challenge` of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class AuthorizationRequest:
    """One authorization request. `lands_at` are the URIs to which the server may send the response."""

    client: Client
    parameters: tuple[tuple[str, str], ...]
    code_verifier: str
    lands_at: tuple[str, ...]

    @classmethod
    def of(
        cls,
        client: Client,
        *,
        scope: str | None,
        resource: str | None,
        code_verifier: str | None = None,
        redirect_uri: str | None = None,
    ) -> AuthorizationRequest:
        """Make a correct request (OAuth 2.1 section 4.1.1) with a fresh PKCE pair and state."""
        verifier = code_verifier or new_verifier()
        parameters = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": redirect_uri or client.redirect_uri,
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
            "state": secrets.token_urlsafe(24),
        }
        if scope:
            parameters["scope"] = scope
        if resource:
            parameters["resource"] = resource
        return cls(client, tuple(parameters.items()), verifier, client.redirect_uris)

    def get(self, name: str) -> str | None:
        """Return the first value of a parameter; None if it is absent."""
        return next((value for key, value in self.parameters if key == name), None)

    def but(self, **changes: str | None) -> AuthorizationRequest:
        """Return a copy with these parameters changed, added, or left out (None)."""
        kept = [(key, changes.get(key, value)) for key, value in self.parameters]
        added = [(key, value) for key, value in changes.items() if self.get(key) is None]
        return replace(self, parameters=tuple((key, value) for key, value in [*kept, *added] if value is not None))

    def adding(self, *pairs: tuple[str, str]) -> AuthorizationRequest:
        """Return a copy with further parameters, which may repeat existing ones."""
        return replace(self, parameters=(*self.parameters, *pairs))

    def landing_at(self, *uris: str) -> AuthorizationRequest:
        """Return a copy whose response may also be sent to these URIs."""
        return replace(self, lands_at=(*self.lands_at, *uris))

    def url(self, endpoint: str) -> str:
        """Return the URL that the browser opens first."""
        separator = "&" if urlsplit(endpoint).query else "?"
        return f"{endpoint}{separator}{urlencode(self.parameters)}"


@dataclass
class Attempt:
    """The progress and result of one authorization request in one browser."""

    request: AuthorizationRequest
    browser: Browser
    answers: list[Answer] = field(default_factory=list["Answer"])
    pages: list[Page] = field(default_factory=list["Page"])
    """Pages of the authorization server, in order."""
    cookies: list[tuple[Answer, SetCookie]] = field(default_factory=list["tuple[Answer, SetCookie]"])
    """Cookies that the authorization server set, in order."""
    rejected: list[Rejected] = field(default_factory=list["Rejected"])
    """Cookies of the authorization server that a browser does not store."""
    response: AuthorizationResponse | None = None
    left_for: str | None = None
    """A redirect target that is neither the client's nor part of a login; the suite did not follow it."""
    upstream_url: str | None = None
    """The first URL of the upstream provider."""
    start_url: str | None = None
    """The first URL of the authorization server after the authorization endpoint, where the login begins."""
    callback_url: str | None = None
    """The URL to which the upstream sends the browser back, if the walk stopped there or passed it."""
    called_back_at: float | None = None
    """When the upstream last sent the browser back with a callback that the suite held back, in Unix seconds."""
    callback_initiator: str | None = None
    """The URL of the upstream page from which the browser comes back."""
    submission: Submission | None = None
    """The form submission of a person on the page at which the walk stopped as requested."""
    submitted: bool = False
    """Whether a form was submitted during the login."""
    unfinished: bool = False
    """Whether the login could go on, but this run's driver cannot perform the rest."""
    withheld: tuple[str, ...] = ()
    """Names of cookies that the browser model withheld at the callback."""
    trail: Trail = field(default_factory=Trail)
    """The history of the login driver on the pages of this attempt."""

    withheld_from_form: tuple[str, ...] = ()
    """Cookies that the browser model withheld from a form of the server, by name, each with the reason."""

    @property
    def last(self) -> Answer:
        """The last answer."""
        return self.answers[-1]

    @property
    def sent_upstream(self) -> Answer:
        """The answer that redirected the browser to the upstream provider, or else the last answer."""
        return next((answer for answer in self.answers if answer.location == self.upstream_url), self.last)

    @property
    def code(self) -> str | None:
        """The authorization code, if one was issued, to the client or to another address."""
        if self.response is not None:
            return self.response.code
        return dict(parse_qsl((self.left_for or "").partition("?")[2].partition("#")[0])).get("code")

    @property
    def went_on(self) -> bool:
        """Whether a login or a consent page was reached: a form was submitted, or the upstream was reached."""
        return self.submitted or self.upstream_url is not None

    @property
    def inconclusive(self) -> Answer | None:
        """The last answer, if the attempt ended with it and no check can judge a probe by it."""
        return self.last if self.response is None and self.answers and self.last.is_inconclusive else None

    def reached(self, stranger: str) -> bool:
        """Whether the server sends the browser to this URL: by a redirect, a meta refresh, a form, or a script.

        A redirect to a host that the URL does not name does not count; an error page of the server is an example.
        """
        if self.left_for is not None and _place_of(self.left_for)[0] in stranger.lower():
            return True
        if any(_redirects_to(answer, stranger, self.request.lands_at) for answer in self.answers):
            return True
        actions = [
            url for page in self.pages for url in (page.meta_refresh, *(form.action for form in page.forms)) if url
        ]
        if any(_place_of(url) == _place_of(stranger) or url == stranger for url in actions):
            return True
        return any(answer.is_html and _script_goes_to(answer.text, stranger) for answer in self.answers)


def ending_of(attempt: Attempt) -> str:
    """Describe in a few words how an attempt ended."""
    if attempt.response is not None:
        return f"error={attempt.response.error}"
    if attempt.trail.stuck:
        return attempt.trail.stuck
    if attempt.unfinished:
        return "a page that the login driver cannot answer"
    if attempt.left_for is not None:
        return "a redirect to an unknown address"
    if not attempt.answers:
        return "no answer"
    return f"answered {attempt.last.in_words}"


def _redirects_to(answer: Answer, stranger: str, registered: tuple[str, ...]) -> bool:
    """Whether the Location begins with this URL as written, and not with a longer registered redirect URI."""
    location = answer.headers.get("location", "") if answer.location else ""
    return (
        bool(stranger)
        and location.startswith(stranger)
        and not any(len(uri) > len(stranger) and location.startswith(uri) for uri in registered)
    )


def _place_of(url: str) -> tuple[str, int | None]:
    """Return host and port; the host is empty if the URL has none or cannot be parsed."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "", parts.port)
    except ValueError:
        return ("", None)


def _script_goes_to(html: str, stranger: str) -> bool:
    """Whether a script sets the location of its page and contains the URL at the start of a string."""
    begins = re.compile(rf"[\"'`]{re.escape(stranger)}", re.IGNORECASE)
    for piece in re.split(r"<script\b", html, flags=re.IGNORECASE)[1:]:
        attributes, _, body = piece.partition(">")
        script = re.split("</script", body, maxsplit=1, flags=re.IGNORECASE)[0].replace("\\/", "/")
        if "json" not in attributes.lower() and _SETS_LOCATION.search(script) and begins.search(script):
            return True
    return False


@dataclass(frozen=True)
class Code:
    """An authorization code with the data that is needed to redeem it."""

    value: str
    client: Client
    request: AuthorizationRequest
    response: AuthorizationResponse
    attempt: Attempt
    issued_after: float
    """When the request that issued the code was sent; the code is at most as old as this."""
    issued_before: float

    @property
    def code_verifier(self) -> str:
        """The `code_verifier` of this login."""
        return self.request.code_verifier

    @property
    def redirect_uri(self) -> str:
        """The redirect URI of this login."""
        return self.request.get("redirect_uri") or self.client.redirect_uri


@dataclass(frozen=True)
class Tokens:
    """A token response, with the client and scope of its request."""

    access_token: str
    refresh_token: str | None
    client: Client
    answer: Answer
    requested_scope: str | None
    granted_scope: str | None
    """The scope that the response names, or else the requested scope (OAuth 2.1 section 3.2.3)."""

    @property
    def expires_in(self) -> float | None:
        """The lifetime of the access token in seconds, as the response says; None if it does not say."""
        value = self.answer.json_object().get("expires_in")
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        # Treat a huge number as absent: the suite cannot calculate with it.
        return float(value) if abs(value) < _LONGEST_LIFETIME else None

    @property
    def ends_at(self) -> float:
        """When the access token expires, by `expires_in`, or else by its `exp` claim; in Unix seconds.

        Raises:
            Skipped: the response has neither.
        """
        if self.expires_in is not None:
            return self.answer.received_at + self.expires_in
        exp = self.claims.get("exp")
        if not isinstance(exp, int | float) or isinstance(exp, bool) or not abs(exp) < _LONGEST_LIFETIME:
            raise Skipped("neither expires_in nor the access token says when the token expires")
        return float(exp)

    @property
    def scopes(self) -> frozenset[str]:
        """The granted scopes as a set; their order has no meaning."""
        return frozenset((self.granted_scope or "").split())

    @property
    def disclosed_scopes(self) -> frozenset[str] | None:
        """The scopes that the response itself names; None if it has no `scope`."""
        value = self.answer.json_object().get("scope")
        return frozenset(value.split()) if isinstance(value, str) else None

    @property
    def claims(self) -> dict[str, object]:
        """The claims of the access token, unverified; empty if the token is not a JWT."""
        return claims_of(self.access_token)

    @property
    def claimed_scopes(self) -> frozenset[str] | None:
        """The scopes in the claims of the access token; None if it has none or is not a JWT."""
        return scopes_in(self.claims)
