"""The consent page of an authorization server: recognise it by the names on it, and refuse the client there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.browser.choice import choose, refuses_something_else
from oauth_litmus.browser.pages import Page, Submission, mentions

if TYPE_CHECKING:
    from oauth_litmus.oauth.attempt import Attempt
    from oauth_litmus.oauth.clients import Client


@dataclass(frozen=True)
class ConsentPage:
    """A page that names the client, its redirect host, or both."""

    page: Page
    names_client: bool
    names_redirect_host: bool

    @property
    def shown(self) -> str:
        """Which of the two names is on the page, in words."""
        return "only the client's name" if self.names_client else "only the redirect host"


def consent_page(attempt: Attempt, client: Client) -> ConsentPage | None:
    """Return the first page of the server in this attempt that asks about this client; a plain login page does not count."""
    return next((asked for page in attempt.pages if (asked := asking_about(page, client))), None)


def asking_about(page: Page, client: Client) -> ConsentPage | None:
    """Return the page as a consent page if it has a form and names this client or its redirect host; otherwise None."""
    host = urlsplit(client.redirect_uri).hostname or client.redirect_uri
    names_client = any(mentions(page, name) for name in (client.name, client.client_id) if name)
    names_host = mentions(page, host)
    return ConsentPage(page, names_client, names_host) if page.forms and (names_client or names_host) else None


_APPROVAL = re.compile(
    r"\b(allow|approve|authori[sz]e|grant|permit|access|permissions?|consent|authori[sz]ation|scopes?)\b", re.IGNORECASE
)
"""Words of a page that asks to give a client access; a page that asks to stay signed in, or to send news, has none."""
_MOST_PRESSED = 3


@dataclass
class Refusal:
    """A person who refuses this client on each page of the server that asks to give it access, and goes on elsewhere."""

    client: Client
    times: int = 0
    """On how many pages the client was refused."""

    def of(self, page: Page) -> Submission | None:
        """Return the submission that refuses the client; None if the page asks about something else or has no such button."""
        refusal, approval = (choose(page.forms, {}, approve=approve) for approve in (False, True))
        # A page that cannot be approved without typing asks for a password, so its "Cancel" does not refuse the client.
        if refusal is None or refusal.button is None or refuses_something_else(refusal.button):
            return None
        if approval is None or approval.button == refusal.button or asking_about(page, self.client) is None:
            return None
        if self.times == _MOST_PRESSED or not _APPROVAL.search(page.text):
            return None
        self.times += 1
        return refusal.submission()
