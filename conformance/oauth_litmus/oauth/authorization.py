"""Authorization requests that are correct until a check makes them deviate, and what became of one."""

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
"""Seconds: more than all of the time that a clock here can tell."""


def new_verifier(length: int = 64) -> str:
    """A fresh `code_verifier` (RFC 7636 section 4.1)."""
    return secrets.token_urlsafe(length)[:length]


def s256(code_verifier: str) -> str:
    """The S256 `code_challenge` of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class AuthorizationRequest:
    """One authorization request. `lands_at` are the URIs to which an answer may rightly be sent."""

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
        """A correct request (OAuth 2.1 section 4.1.1) with a fresh PKCE pair and state."""
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
        """The first value of a parameter."""
        return next((value for key, value in self.parameters if key == name), None)

    def but(self, **changes: str | None) -> AuthorizationRequest:
        """The same request with parameters set to other values, or left out (None)."""
        kept = [(key, changes.get(key, value)) for key, value in self.parameters]
        added = [(key, value) for key, value in changes.items() if self.get(key) is None]
        return replace(self, parameters=tuple((key, value) for key, value in [*kept, *added] if value is not None))

    def adding(self, *pairs: tuple[str, str]) -> AuthorizationRequest:
        """The same request with more parameters, also repeated ones."""
        return replace(self, parameters=(*self.parameters, *pairs))

    def landing_at(self, *uris: str) -> AuthorizationRequest:
        """The same request, whose answer may also be sent to these URIs."""
        return replace(self, lands_at=(*self.lands_at, *uris))

    def url(self, endpoint: str) -> str:
        """The URL at which the browser begins."""
        separator = "&" if urlsplit(endpoint).query else "?"
        return f"{endpoint}{separator}{urlencode(self.parameters)}"


@dataclass
class Attempt:
    """How far an authorization request went."""

    request: AuthorizationRequest
    browser: Browser
    answers: list[Answer] = field(default_factory=list["Answer"])
    pages: list[Page] = field(default_factory=list["Page"])
    """Pages of the authorization server, in order."""
    cookies: list[tuple[Answer, SetCookie]] = field(default_factory=list["tuple[Answer, SetCookie]"])
    """Cookies that the authorization server set, in order."""
    rejected: list[Rejected] = field(default_factory=list["Rejected"])
    """Cookies of the authorization server that a browser does not even keep."""
    response: AuthorizationResponse | None = None
    left_for: str | None = None
    """A redirect to an address that is neither the client's nor on the way of a login; it was not followed."""
    upstream_url: str | None = None
    """The first URL of the upstream provider."""
    start_url: str | None = None
    """The URL of the authorization server at which the login begins, after the authorization endpoint."""
    callback_url: str | None = None
    """The URL with which the upstream sends the browser back, if the walk stopped there or passed it."""
    called_back_at: float | None = None
    """When the upstream was last seen to send the browser back with an undelivered callback, in Unix seconds."""
    callback_initiator: str | None = None
    """The page of the upstream from which the browser comes back."""
    submission: Submission | None = None
    """What a person would send on the page at which the walk was told to stop."""
    submitted: bool = False
    """Whether a form was sent on the way."""
    unfinished: bool = False
    """Whether the login would go on, but this run cannot go with it."""
    withheld: tuple[str, ...] = ()
    """Names of cookies that the browser model withheld at the callback."""
    trail: Trail = field(default_factory=Trail)
    """What the login driver did on the pages of this attempt."""

    withheld_from_form: tuple[str, ...] = ()
    """Cookies that the browser model withheld from a form of the server, by name, each with the reason."""

    @property
    def last(self) -> Answer:
        """The last answer."""
        return self.answers[-1]

    @property
    def sent_upstream(self) -> Answer:
        """The answer that sent the browser to the upstream provider, or else the last."""
        return next((answer for answer in self.answers if answer.location == self.upstream_url), self.last)

    @property
    def code(self) -> str | None:
        """The authorization code, if one was issued, be it to the client or to somebody else."""
        if self.response is not None:
            return self.response.code
        return dict(parse_qsl((self.left_for or "").partition("?")[2].partition("#")[0])).get("code")

    @property
    def went_on(self) -> bool:
        """Whether a login or a consent began."""
        return self.submitted or self.upstream_url is not None

    @property
    def inconclusive(self) -> Answer | None:
        """An answer that says nothing about the probe, where the attempt ended with it."""
        return self.last if self.response is None and self.answers and self.last.is_inconclusive else None

    def reached(self, stranger: str) -> bool:
        """Whether the browser is sent to this address: by a redirect, a meta refresh, a form, or a script.

        A redirect to a host that the address does not name (an error page of the server's own, say) does not count.
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
    """How an attempt ended, in a few words."""
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
    """Whether the Location begins with the address as it was written, and with no longer address that is the client's."""
    location = answer.headers.get("location", "") if answer.location else ""
    return (
        bool(stranger)
        and location.startswith(stranger)
        and not any(len(uri) > len(stranger) and location.startswith(uri) for uri in registered)
    )


def _place_of(url: str) -> tuple[str, int | None]:
    """Host and port; an empty host where there is none, or where nobody could tell."""
    try:
        parts = urlsplit(url)
        return (parts.hostname or "", parts.port)
    except ValueError:
        return ("", None)


def _script_goes_to(html: str, stranger: str) -> bool:
    """Whether a script sets the location of its page and holds the address as a string of its own."""
    begins = re.compile(rf"[\"'`]{re.escape(stranger)}", re.IGNORECASE)
    for piece in re.split(r"<script\b", html, flags=re.IGNORECASE)[1:]:
        attributes, _, body = piece.partition(">")
        script = re.split("</script", body, maxsplit=1, flags=re.IGNORECASE)[0].replace("\\/", "/")
        if "json" not in attributes.lower() and _SETS_LOCATION.search(script) and begins.search(script):
            return True
    return False


@dataclass(frozen=True)
class Code:
    """An authorization code with all that it takes to redeem it."""

    value: str
    client: Client
    request: AuthorizationRequest
    response: AuthorizationResponse
    attempt: Attempt
    issued_after: float
    """When the request that issued it was sent: its age is at most what has passed since."""
    issued_before: float

    @property
    def code_verifier(self) -> str:
        """The verifier of this login."""
        return self.request.code_verifier

    @property
    def redirect_uri(self) -> str:
        """The redirect URI of this login."""
        return self.request.get("redirect_uri") or self.client.redirect_uri


@dataclass(frozen=True)
class Tokens:
    """A token response with what was asked for."""

    access_token: str
    refresh_token: str | None
    client: Client
    answer: Answer
    requested_scope: str | None
    granted_scope: str | None
    """The scope that the response discloses, or else what was asked for (OAuth 2.1 section 3.2.3)."""

    @property
    def expires_in(self) -> float | None:
        """Seconds that the access token lives, as the response says."""
        value = self.answer.json_object().get("expires_in")
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        # A number beyond all measure is none: nothing can be waited for or reckoned with.
        return float(value) if abs(value) < _LONGEST_LIFETIME else None

    @property
    def ends_at(self) -> float:
        """When the access token ends: as `expires_in` promises, or else as its `exp` says; in Unix seconds.

        Raises:
            Skipped: neither tells.
        """
        if self.expires_in is not None:
            return self.answer.received_at + self.expires_in
        exp = self.claims.get("exp")
        if not isinstance(exp, int | float) or isinstance(exp, bool) or not abs(exp) < _LONGEST_LIFETIME:
            raise Skipped("neither expires_in nor the access token tells when it ends")
        return float(exp)

    @property
    def scopes(self) -> frozenset[str]:
        """The granted scopes as a set: their order means nothing."""
        return frozenset((self.granted_scope or "").split())

    @property
    def disclosed_scopes(self) -> frozenset[str] | None:
        """The scopes that the response itself names; None if it has no `scope`."""
        value = self.answer.json_object().get("scope")
        return frozenset(value.split()) if isinstance(value, str) else None

    @property
    def claims(self) -> dict[str, object]:
        """The claims of the access token, unverified; empty if it is no JWT."""
        return claims_of(self.access_token)

    @property
    def claimed_scopes(self) -> frozenset[str] | None:
        """The scopes that the access token carries; None if it does not tell."""
        return scopes_in(self.claims)
