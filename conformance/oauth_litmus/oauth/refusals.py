"""Decide whether an answer to an authorization request refuses it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oauth_litmus.browser.pages import read_page
from oauth_litmus.http.answer import AuthorizationResponse

if TYPE_CHECKING:
    from oauth_litmus.http.answer import Answer


def is_refused(answer: Answer) -> bool:
    """Whether the answer is an error status, an error page with any status, or a redirect with an error."""
    location = answer.location
    if location is not None:
        return AuthorizationResponse.at(location, answer).error is not None
    return answer.status >= 400 or leads_nowhere(answer)


def leads_nowhere(answer: Answer) -> bool:
    """Whether the answer is a page without any way to go on: an error page may have status 200 (OAuth 2.1 section 4.1.2.1)."""
    if not answer.is_html:
        return False
    page = read_page(answer.url, answer.text)
    return not (page.forms or page.links or page.script_buttons or page.meta_refresh or page.has_script)
