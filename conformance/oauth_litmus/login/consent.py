"""The consent page of an authorization server: recognised by what it names, and submitted as its form would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from oauth_litmus.login.pages import Page, mentions

if TYPE_CHECKING:
    from oauth_litmus.authorization import Attempt
    from oauth_litmus.clients import Client


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
    host = urlsplit(client.redirect_uri).hostname or client.redirect_uri
    for page in attempt.pages:
        names_client = mentions(page, client.name) or mentions(page, client.client_id)
        names_host = mentions(page, host)
        if page.forms and (names_client or names_host):
            return ConsentPage(page, names_client, names_host)
    return None
