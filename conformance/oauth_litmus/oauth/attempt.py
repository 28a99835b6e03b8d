"""An attempt: an authorization request with everything that followed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from oauth_litmus.browser.trail import Trail
from oauth_litmus.oauth.authorization_request import AuthorizationRequest

if TYPE_CHECKING:
    from oauth_litmus.browser.cookies import SetCookie
    from oauth_litmus.browser.model import Browser, Rejected
    from oauth_litmus.browser.pages import Page, Submission
    from oauth_litmus.http.answer import Answer, AuthorizationResponse

_SETS_LOCATION = re.compile(r"\blocation(?:\.href)?\s*=(?!=)|\blocation\.(?:replace|assign)\s*\(")


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
