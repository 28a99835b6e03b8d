"""The consent page of an authorization server: recognised by what it names, and refused if somebody is to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.browser.choice import choose, refuses_something_else
from oauth_litmus.browser.pages import Page, Submission, mentions

if TYPE_CHECKING:
    from oauth_litmus.oauth.authorization import Attempt
    from oauth_litmus.oauth.clients import Client


@dataclass(frozen=True)
class ConsentPage:
    """A page that names the client, its redirect host, or both."""

    page: Page
    names_client: bool
    names_redirect_host: bool

    @property
    def shown(self) -> str:
        """What it names, in words."""
        return "only the client's name" if self.names_client else "only the redirect host"


def consent_page(attempt: Attempt, client: Client) -> ConsentPage | None:
    """The page of the server, on the way of this attempt, that asks about this client; a bare login page is none."""
    return next((asked for page in attempt.pages if (asked := asking_about(page, client))), None)


def asking_about(page: Page, client: Client) -> ConsentPage | None:
    """This page, if it asks about this client."""
    host = urlsplit(client.redirect_uri).hostname or client.redirect_uri
    names_client = any(mentions(page, name) for name in (client.name, client.client_id) if name)
    names_host = mentions(page, host)
    return ConsentPage(page, names_client, names_host) if page.forms and (names_client or names_host) else None


_APPROVAL = re.compile(
    r"\b(allow|approve|authori[sz]e|grant|permit|access|permissions?|consent|authori[sz]ation|scopes?)\b", re.IGNORECASE
)
"""What a page says that asks to let a client in; one that asks to stay signed in, or to send news, does not."""
_MOST_PRESSED = 3


@dataclass
class Refusal:
    """A person who refuses this client wherever a page of the server asks to let it in, and goes on before that."""

    client: Client
    times: int = 0
    """On how many pages it was refused."""

    def of(self, page: Page) -> Submission | None:
        """What refuses the client on this page; None if it asks about something else, or offers no refusal."""
        refusal, approval = (choose(page.forms, {}, approve=approve) for approve in (False, True))
        # One that could not be approved as it stands asks for a password: its "Cancel" is not about the client.
        if refusal is None or refusal.button is None or refuses_something_else(refusal.button):
            return None
        if approval is None or approval.button == refusal.button or asking_about(page, self.client) is None:
            return None
        if self.times == _MOST_PRESSED or not _APPROVAL.search(page.text):
            return None
        self.times += 1
        return refusal.submission()
